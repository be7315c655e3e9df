// tests/core/words_test.cpp - texts that are numbers, and those that only look like it.
#include "core/words.h"

#include <limits>

#include <gtest/gtest.h>

#include "schedule/synonyms.h"

namespace glidepath {
namespace {

TEST(Words, WholeTakesAMinusAndCountDoesNot) {
  struct Case {
    const char* text;
    std::optional<std::int64_t> whole, count;
  };
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  for (const Case& c : {Case{"0", 0, 0},
                        {"007", 7, 7},
                        {"9223372036854775807", kMost, kMost},
                        {"9223372036854775808", {}, {}},
                        {"-1", -1, {}},
                        {"-0", 0, {}},
                        {"+1", {}, {}},
                        {" 1", {}, {}},
                        {"1 ", {}, {}},
                        {"1.0", {}, {}},
                        {"1e3", {}, {}},
                        {"0x1", {}, {}},
                        {"-", {}, {}},
                        {"", {}, {}}}) {
    SCOPED_TRACE(c.text);
    EXPECT_EQ(words::whole(c.text), c.whole);
    EXPECT_EQ(words::count(c.text), c.count);
  }
}

TEST(Words, NumberIsFiniteAndAllOfTheText) {
  for (const auto& [text, expected] : {std::pair<const char*, std::optional<double>>{"0.25", 0.25},
                                       {"-2", -2.0},
                                       {"1e3", 1000.0},
                                       {".5", 0.5},
                                       {"1e400", {}},
                                       {"inf", {}},
                                       {"nan", {}},
                                       {"10k", {}},
                                       {"1e", {}},
                                       {"+1", {}},
                                       {" 1", {}},
                                       {"", {}}}) {
    SCOPED_TRACE(text);
    EXPECT_EQ(words::number(text), expected);
  }
}

TEST(Words, TheNearestIsFoundInAnyCaseAndPunctuation) {
  const std::vector<std::string> known{"batch_size", "base_lr", "step-d2", "cosine", "const", "linear"};
  EXPECT_EQ(words::nearest("LINEAR", known), "linear");
  EXPECT_EQ(words::nearest("BatchSize", known), "batch_size");
  EXPECT_EQ(words::nearest("batch-size", known), "batch_size");
  EXPECT_EQ(words::nearest("STEP_D2", known), "step-d2");
  EXPECT_EQ(words::nearest("cosin", known), "cosine");
  EXPECT_EQ(words::nearest("", known), "const");  // the fewest letters to write
}

TEST(Words, PiecesThatDoNotFitAreLeftOutWhole) {
  const std::vector<std::string> pieces{"loss 0.5", "  acc 90.00 %", "  lr 0.1"};
  EXPECT_EQ(words::fitting(pieces, 80), "loss 0.5  acc 90.00 %  lr 0.1");
  EXPECT_EQ(words::fitting(pieces, 29), "loss 0.5  acc 90.00 %  lr 0.1");
  EXPECT_EQ(words::fitting(pieces, 28), "loss 0.5  acc 90.00 %");
  EXPECT_EQ(words::fitting(pieces, 20), "loss 0.5");
  EXPECT_EQ(words::fitting(pieces, 4), "loss");
  EXPECT_EQ(words::fitting({"\xc3\xa9\xc3\xa9"}, 3), "\xc3\xa9");  // no half of a character
  EXPECT_EQ(words::fitting({}, 10), "");
}

TEST(Words, OptionsOfOtherProgramsAreKnown) {
  struct Case {
    const char *name, *value, *key, *example;
  };
  for (const Case& c : {Case{"--lr", "0.1", "base_lr", "0.1"},
                        {"learning_rate", "", "base_lr", ""},
                        {"--learning-rate", "0.05", "base_lr", "0.05"},
                        {"--num_train_epochs", "3", "budget", "3ep"},
                        {"--epochs", "", "budget", "30ep"},
                        {"--max_steps", "1000", "budget", "1000it"},
                        {"--max-time", "00:12:00:00", "budget", "1h30m"},
                        {"--wd", "5e-4", "weight_decay", "5e-4"},
                        {"--arch", "resnet50", "model", ""},
                        {"-j", "8", "workers", "8"},
                        {"--imgsz", "640", "train_res", "224"},
                        {"--lr_scheduler_type", "cosine", "schedule", ""}}) {
    SCOPED_TRACE(c.name);
    const auto hint = words::option_elsewhere(c.name, c.value);
    ASSERT_TRUE(hint.has_value());
    EXPECT_EQ(hint->key, c.key);
    EXPECT_EQ(hint->example, c.example);
  }
  EXPECT_FALSE(words::option_elsewhere("--frobnicate").has_value());
  EXPECT_FALSE(words::option_elsewhere("").has_value());
}

}  // namespace
}  // namespace glidepath
