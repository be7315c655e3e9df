// tests/schedule/resolution_test.cpp - the size of training images by progress.
#include "glidepath/resolution.h"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "glidepath/error.h"

namespace glidepath {
namespace {

std::string refusal_of_sizes(const std::string& text) {
  try {
    ResolutionSchedule::parse(text);
  } catch (const InputError& error) {
    return error.what();
  }
  return "no error";
}

// Closed form: 32 * floor((128 + 96 p) / 32 + 1/2), in whole numbers to stay exact at the borders.
TEST(Resolution, ARangeIsLinearRoundedToMultiplesOf32) {
  for (const auto& [from, to] : {std::pair<int, int>{128, 224}, {64, 256}, {224, 224}}) {
    const auto schedule = ResolutionSchedule::parse(std::to_string(from) + ".." + std::to_string(to));
    constexpr int kUpdates = 1200;
    for (int step = 0; step <= kUpdates; ++step) {
      const int exact = 2 * (from * kUpdates + (to - from) * step) + 32 * kUpdates;  // in 1 / (2 kUpdates)
      EXPECT_EQ(schedule.at(static_cast<double>(step) / kUpdates), exact / (64 * kUpdates) * 32) << step;
    }
  }
}

TEST(Resolution, ARangeMayFall) {
  const auto schedule = ResolutionSchedule::parse("224..160");
  EXPECT_EQ(schedule.at(0), 224);
  EXPECT_EQ(schedule.at(0.24), 224);
  EXPECT_EQ(schedule.at(0.5), 192);
  EXPECT_EQ(schedule.at(1), 160);
}

TEST(Resolution, StepsBeginWhereTheySay) {
  const auto schedule = ResolutionSchedule::parse("128@0, 192@50%,224@0.8");
  EXPECT_EQ(schedule.at(0), 128);
  EXPECT_EQ(schedule.at(std::nextafter(0.5, 0)), 128);
  EXPECT_EQ(schedule.at(0.5), 192);
  EXPECT_EQ(schedule.at(std::nextafter(0.8, 0)), 192);
  EXPECT_EQ(schedule.at(0.8), 224);
  EXPECT_EQ(schedule.at(1), 224);
  EXPECT_TRUE(schedule.varies());
  EXPECT_THAT(schedule.sizes(), testing::ElementsAre(128, 192, 224));
}

TEST(Resolution, HasOneTextForEverySpelling) {
  for (const auto& [text, canonical] : {std::pair<const char*, const char*>{"224", "224"},
                                        {"128..224", "128..224"},
                                        {"224..224", "224"},
                                        {"128@0%, 224@0.25", "128@0,224@25%"},
                                        {"160@0", "160@0"}}) {
    EXPECT_EQ(ResolutionSchedule::parse(text).text(), canonical);
    EXPECT_EQ(ResolutionSchedule::parse(canonical).text(), canonical);
  }
  EXPECT_FALSE(ResolutionSchedule::parse("224..224").varies());
}

TEST(Resolution, RefusesWhatIsNoSchedule) {
  const std::string sizes =
      " must be a whole number of pixels in [8, 2048], for example 224, 128..224 or "
      "128@0,224@50%";
  EXPECT_EQ(refusal_of_sizes(""), "\"\": size \"\"" + sizes);
  EXPECT_EQ(refusal_of_sizes("4"), "\"4\": size \"4\"" + sizes);
  EXPECT_EQ(refusal_of_sizes("4096"), "\"4096\": size \"4096\"" + sizes);
  EXPECT_EQ(refusal_of_sizes("100.5"), "\"100.5\": size \"100.5\"" + sizes);
  EXPECT_EQ(refusal_of_sizes("128..x"), "\"128..x\": size \"x\"" + sizes);
  EXPECT_EQ(refusal_of_sizes("100..224"),
            "\"100..224\": sizes around .. must be multiples of 32; others can be written as steps, "
            "100@0,224@50%");
  EXPECT_EQ(refusal_of_sizes("128@10%"), "\"128@10%\": the first step must begin at 0, for example 128@0");
  EXPECT_EQ(refusal_of_sizes("128@0,224@0"),
            "\"128@0,224@0\": step \"224@0\" must begin after the one before it");
  EXPECT_EQ(refusal_of_sizes("128@0,224"),
            "\"128@0,224\": step \"224\" must say where it begins, for example 192@50%");
  EXPECT_EQ(refusal_of_sizes("128@0,224@100%"),
            "\"128@0,224@100%\": \"100%\" must be a share of the budget in [0, 1), for example 50% or 0.5");
  for (const double p : {-0.1, 1.1, std::numeric_limits<double>::quiet_NaN()})
    EXPECT_THROW(ResolutionSchedule::parse("224").at(p), InputError);
}

}  // namespace
}  // namespace glidepath
