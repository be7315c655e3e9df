// tests/report/palette_test.cpp - one colour for a subject in every figure.
#include "report/figures/palette.h"

#include <set>

#include <gtest/gtest.h>

namespace glidepath {
namespace {

TEST(Palette, KnownSubjectsHaveTheirColourWhateverElseThereIs) {
  EXPECT_EQ(colour_of("linear", {"linear"}), colour_of("linear", {"a", "b", "linear", "z"}));
  EXPECT_EQ(colour_of("cut(step-d2)", {}), colour_of("step-d2", {}));
  EXPECT_EQ(colour_of("sgdr(1,2)", {}), colour_of("sgdr(10,2)", {}));
  EXPECT_EQ(colour_of("lr", {"a", "lr"}), "#000000");
  EXPECT_EQ(colour_of("envelope", {}), "#009E73");
  std::set<std::string> colours;
  for (const char* together : {"linear", "step-d2", "cosine", "sgdr-r2", "sgdr(10,2)", "const", "exp(0.97)",
                               "htd(-6,3)", "rex", "step(0.5,0.75)"}) {
    EXPECT_TRUE(colours.insert(colour_of(together, {})).second) << together;
  }
}

TEST(Palette, OthersShareTheRestByTheirOrderAndGoRoundWithAnotherLook) {
  std::vector<std::string> all = {"linear"};
  for (char c = 'a'; c < 'k'; ++c) all.push_back(std::string(1, c));
  EXPECT_EQ(colour_of("a", all), palette_colour(0));
  EXPECT_EQ(colour_of("b", all), palette_colour(1));
  const SubjectLook first = look_of_subject("a", all), again = look_of_subject("h", all);
  EXPECT_EQ(first.colour, again.colour);
  EXPECT_EQ(first.round, 0U);
  EXPECT_EQ(again.round, 1U);
}

TEST(Palette, BudgetsGoFromLightToDark) {
  const auto brightness = [](const std::string& colour) {
    int sum = 0;
    for (std::size_t i = 1; i < colour.size(); i += 2) sum += std::stoi(colour.substr(i, 2), nullptr, 16);
    return sum;
  };
  int last = 1000;
  for (const double share : {0.0, 0.2, 0.4, 0.6, 0.8, 1.0}) {
    EXPECT_LT(brightness(budget_colour(share)), last) << share;
    last = brightness(budget_colour(share));
  }
}

}  // namespace
}  // namespace glidepath
