// tests/study/budget_curves_test.cpp - a study's results as budget curves, and what makes forecasts of them
// wrong.
#include "study/results/budget_curves.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "study/tables_support.h"

namespace glidepath {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// A run of `percent` of 50 epochs, 100 updates each, that takes 10 seconds and 2 more for every percent.
RunRecord run_of(const std::string& schedule, double percent, double accuracy, double train_accuracy) {
  RunRecord run =
      make_run({{"schedule", schedule}, {"budget", fmt::format("{}%", percent)}, {"full", "50ep"}}, accuracy);
  run.train_accuracy = train_accuracy;
  run.epochs = percent / 2;
  run.updates = static_cast<std::int64_t>(50 * percent);
  run.seconds = 10 + 2 * percent;
  return run;
}

StudyResults study_of(const std::string& schedule, const std::vector<double>& train_accuracies) {
  StudyResults results;
  results.name = "small";
  results.axes = {"schedule", "budget"};
  results.values = {{"schedule", {schedule}}, {"budget", {"1%", "5%", "25%"}}};
  results.runs = {run_of(schedule, 1, 0.5, train_accuracies[0]),
                  run_of(schedule, 5, 0.6, train_accuracies[1]),
                  run_of(schedule, 25, 0.7, train_accuracies[2])};
  return results;
}

TEST(BudgetCurves, CostsAreThoseOfTheRuns) {
  const std::vector<StudyCurve> curves = study_curves(study_of("linear", {0.5, 0.6, 0.7}), "linear");
  ASSERT_EQ(curves.size(), 1U);
  EXPECT_EQ(curves[0].full, 100);
  EXPECT_THAT(curves[0].notes, IsEmpty());
  const BudgetCosts costs = curves[0].costs.of(100);
  EXPECT_DOUBLE_EQ(costs.epochs, 50);
  EXPECT_DOUBLE_EQ(costs.updates, 5000);
  EXPECT_NEAR(costs.seconds, 210, 1e-9);
  EXPECT_EQ(costs.flops, 0);
}

TEST(BudgetCurves, OfOtherAxesEveryRowIsOne) {
  StudyResults results;
  results.name = "models";
  results.axes = {"model", "budget"};
  results.values = {{"model", {"mlp", "resnet8"}}, {"budget", {"1%", "5%"}}};
  for (const char* model : {"mlp", "resnet8"}) {
    for (const char* budget : {"1%", "5%"})
      results.runs.push_back(make_run({{"model", model}, {"budget", budget}}, 0.5));
  }
  const std::vector<StudyCurve> curves = study_curves(results, "linear");
  ASSERT_EQ(curves.size(), 2U);
  EXPECT_EQ(curves[0].title, "model mlp");
  EXPECT_EQ(curves[1].title, "model resnet8");
  EXPECT_EQ(curves[1].curve.scores.size(), 2U);
}

TEST(BudgetCurves, WarnWhereForecastsAreTooHigh) {
  const auto notes = [](const std::string& schedule, const std::vector<double>& train) {
    return study_curves(study_of(schedule, train), schedule)[0].notes;
  };
  EXPECT_THAT(notes("linear", {0.5, 0.63, 0.80}),
              ElementsAre(HasSubstr("at the largest budget 10.0 points more of the training images")));
  EXPECT_THAT(notes("linear", {0.5, 0.75, 0.80}), IsEmpty());  // wide, and narrower than before
  EXPECT_THAT(notes("linear", {0.5, 0.6, 0.74}), IsEmpty());
  EXPECT_THAT(notes("cut(linear)", {0.5, 0.6, 0.7}), ElementsAre(HasSubstr("does not go by the budget")));
  EXPECT_THAT(notes("const", {0.5, 0.6, 0.7}), ElementsAre(HasSubstr("const does not anneal")));
}

}  // namespace
}  // namespace glidepath
