// tests/config/measure_text_test.cpp - the grammar of measures and their moments. What wrong texts are told
// is in tests/cli/wrong_inputs.txt.
#include "config/measure_text.h"

#include <gtest/gtest.h>

#include "glidepath/error.h"

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

}  // namespace
}  // namespace glidepath
