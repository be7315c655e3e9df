// tests/config/auto_augment_text_test.cpp - random changes of training images as text.
#include "config/auto_augment_text.h"

#include <gtest/gtest.h>

#include "glidepath/error.h"
#include "glidepath/train_config.h"

namespace glidepath {
namespace {

TEST(AutoAugmentText, SaysOperatorsAndMagnitude) {
  const AutoAugmentText given = AutoAugmentText::parse("rand(3, 14)"), usual = AutoAugmentText::parse("rand");
  EXPECT_EQ(given.kind, AutoAugmentText::Kind::kRand);
  EXPECT_EQ(given.operators, 3);
  EXPECT_EQ(given.magnitude, 14);
  EXPECT_EQ(usual.operators, 2);  // torchvision's
  EXPECT_EQ(usual.magnitude, 9);
  EXPECT_EQ(usual.canonical, AutoAugmentText::parse("rand(magnitude=9, num_ops=2)").canonical);
  EXPECT_EQ(AutoAugmentText::parse("trivial").canonical, "trivial");
  EXPECT_EQ(AutoAugmentText::parse("none").kind, AutoAugmentText::Kind::kNone);
}

TEST(AutoAugmentText, OthersAreRefused) {
  for (const char* text : {"", "randaugment", "rand(0)", "rand(15)", "rand(2,31)", "rand(2,-1)", "rand(1.5)",
                           "rand(2,9,3)", "trivial(2)", "none(1)"})
    EXPECT_THROW(AutoAugmentText::parse(text), InputError) << text;
  TrainConfig config;
  set_config_value(config, "auto_augment", "rand(2, 9)");
  EXPECT_EQ(config.auto_augment, AutoAugmentText::parse("rand").canonical);
}

}  // namespace
}  // namespace glidepath
