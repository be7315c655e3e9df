// tests/train/measure_text_test.cpp - the grammar of measures and their moments. What wrong texts are told is
// in tests/cli/wrong_inputs.txt.
#include "train/measure_text.h"

#include <gtest/gtest.h>

#include "glidepath/error.h"
#include "train/measure_plan.h"

namespace glidepath {
namespace {

TEST(MeasureText, ReadsNamesOptionsAndMoments) {
  EXPECT_TRUE(parse_measures("").empty());
  EXPECT_TRUE(parse_measures("  ").empty());
  const auto items = parse_measures(
      " grad-norm( bn=running, decay=yes, images=10000, precision=bf16 "
      ")@every=1ep,weight-norm(layers=yes)@points=5 "
      ", effective-lr@every=5%,grad-norm-online(peek=16)");
  ASSERT_EQ(items.size(), 4U);
  EXPECT_EQ(items[0].what, Measure::kGradNorm);
  EXPECT_TRUE(items[0].statistics == NormStatistics::kRunning && items[0].decay && items[0].bf16);
  EXPECT_EQ(items[0].images, 10000);
  EXPECT_EQ(*items[0].every, (Budget{BudgetUnit::kEpochs, 1}));
  EXPECT_EQ(items[1].what, Measure::kWeightNorm);
  EXPECT_TRUE(items[1].layers);
  EXPECT_FALSE(items[1].every);
  EXPECT_EQ(items[1].points, 5);
  EXPECT_EQ(items[2].what, Measure::kEffectiveRate);
  EXPECT_EQ(*items[2].every, (Budget{BudgetUnit::kPercent, 5}));
  EXPECT_EQ(items[3].what, Measure::kGradNormOnline);
  EXPECT_EQ(items[3].peek, 16);
  EXPECT_EQ(items[3].points, 20);
  EXPECT_TRUE(items[2].has_moments);
  EXPECT_FALSE(items[3].has_moments);
  const auto plain = parse_measures("grad-norm");
  EXPECT_FALSE(plain[0].statistics != NormStatistics::kBatch || plain[0].layers || plain[0].decay ||
               plain[0].bf16);
  EXPECT_EQ(plain[0].images, 0);
  const auto fresh = parse_measures("grad-norm(bn=fresh,layers=yes)");
  EXPECT_TRUE(fresh[0].statistics == NormStatistics::kFresh && fresh[0].layers);
}

TEST(MeasureText, EverySpellingHasOneShortestForm) {
  struct Case {
    const char *text, *canonical;
  };
  for (const Case& c :
       {Case{"", ""},
        {"grad-norm", "grad-norm"},
        {"grad-norm()@points=20", "grad-norm"},
        {"grad-norm(decay=no, bn=batch)", "grad-norm"},
        {" weight-norm , grad-norm(images=1e3)@every=0.5ep",
         "weight-norm,grad-norm(images=1000)@every=0.5ep"},
        {"grad-norm(decay=yes,bn=running)@points=7", "grad-norm(bn=running,decay=yes)@points=7"},
        {"grad-norm(layers=no,bn=fresh)", "grad-norm(bn=fresh)"},
        {"grad-norm(layers=yes, bn=fresh)", "grad-norm(bn=fresh,layers=yes)"},
        {"grad-norm-online(peek=256)@every=10%", "grad-norm-online@every=10%"}}) {
    EXPECT_EQ(canonical_measures(c.text), c.canonical);
    EXPECT_EQ(canonical_measures(c.canonical), c.canonical);
  }
}

TEST(MeasureText, WrongTextsAreRefused) {
  for (const char* text : {",",
                           "grad-norm,,weight-norm",
                           "gradnorm",
                           "grad-norm(",
                           "grad-norm)",
                           "grad-norm@",
                           "grad-norm@every",
                           "grad-norm@every=",
                           "grad-norm@every=1h",
                           "grad-norm@every=1e9flop",
                           "grad-norm@points=2.5",
                           "grad-norm@points=-1",
                           "grad-norm@points=nan",
                           "grad-norm@@points=2",
                           "grad-norm(images=-1)",
                           "grad-norm(bn)",
                           "grad-norm(5)x",
                           "weight-norm(bn=batch)",
                           "effective-lr()",
                           "grad-norm-online(peek=0)",
                           "weight-norm,weight-norm"}) {
    EXPECT_THROW(parse_measures(text), InputError) << text;
  }
}

TEST(MeasurePlan, CountsTheStartAndEveryMomentPassed) {
  BudgetContext context;
  context.steps_per_epoch = 10;
  const auto plan = [&](const char* text) { return MeasurePlan(parse_measures(text)[0], context); };
  const MeasurePlan points = plan("grad-norm@points=20");
  EXPECT_EQ(points.due(0, 0), 1);
  EXPECT_EQ(points.due(4, 0.04), 1);
  for (int k = 0; k <= 20; ++k)
    EXPECT_EQ(points.due(k * 39, k / 20.0), 1 + k) << k;  // every k / 20 is reached
  EXPECT_EQ(points.due(10, 1), 21);
  const MeasurePlan epochs = plan("grad-norm@every=2ep");
  EXPECT_EQ(epochs.due(0, 0), 1);
  EXPECT_EQ(epochs.due(19, 0.5), 1);
  EXPECT_EQ(epochs.due(20, 0.5), 2);
  EXPECT_EQ(epochs.moments(200), 11);
  EXPECT_EQ(epochs.moments(205), 12);
  EXPECT_EQ(points.moments(1000), 21);
  EXPECT_EQ(points.moments(5), 6);
  EXPECT_EQ(plan("grad-norm@every=5%").due(1, 0.15), 4);
}

}  // namespace
}  // namespace glidepath
