// tests/report/forecast_figure_test.cpp - the figure of what larger budgets would reach.
#include "report/figures/forecast_figure.h"

#include <cmath>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "glidepath/budget_curve.h"

namespace glidepath {
namespace {

StudyResults study_of(const std::vector<std::string>& budgets) {
  StudyResults results;
  results.name = "small";
  results.axes = {"schedule", "budget"};
  results.values = {{"schedule", {"cosine", "linear"}}, {"budget", budgets}};
  for (const char* schedule : {"cosine", "linear"}) {
    double accuracy = schedule[0] == 'l' ? 0.4 : 0.3;
    for (const std::string& budget : budgets) {
      RunRecord run;
      run.config.schedule = schedule;
      run.config.budget = budget;
      run.id = run_id(run.config);
      run.status = RunStatus::kDone;
      run.test_accuracy = accuracy;
      accuracy += 0.1;
      results.runs.push_back(run);
    }
  }
  return results;
}

TEST(ForecastFigure, ShowsPointsMedianAndIntervalUpToTheFullBudget) {
  const auto figure = make_forecast_figure(study_of({"1%", "5%", "25%"}), "invented", "",
                                           [](const std::string&) { return 10.0; });
  ASSERT_TRUE(figure);
  EXPECT_EQ(figure->id, "forecast");
  ASSERT_EQ(figure->panels.size(), 1U);
  const Panel& panel = figure->panels[0];
  ASSERT_EQ(panel.series.size(), 4U);
  const Series &measured = panel.series[0], &median = panel.series[1], &low = panel.series[2],
               &high = panel.series[3];
  EXPECT_EQ(measured.name, "linear");
  EXPECT_EQ(measured.x, (std::vector<double>{1, 5, 25}));
  EXPECT_NEAR(measured.y[2], 60, 1e-9);
  EXPECT_EQ(median.x.front(), 25);
  EXPECT_NEAR(median.x.back(), 100, 1e-9);
  EXPECT_NEAR(median.y.front(), 60, 1e-6);
  // What the library says of the same curve.
  const CurveErrors errors =
      errors_of(parse_budget_curve("budget,score\n1%,40%\n5%,50%\n25%,60%\n", "same", {false, 10.0}));
  const ForecastInterval at = Forecast(errors.points, errors.error_at_chance).at(100);
  EXPECT_NEAR(median.y.back(), 100 - at.median, 1e-6);
  EXPECT_NEAR(low.y.back(), 100 - at.high, 1e-6);
  EXPECT_NEAR(high.y.back(), 100 - at.low, 1e-6);
  const auto cosine = make_forecast_figure(study_of({"1%", "5%", "25%"}), "invented", "cosine", {});
  ASSERT_TRUE(cosine);
  EXPECT_NEAR(cosine->panels[0].series[0].y[2], 50, 1e-9);
}

TEST(ForecastFigure, CallsTheScoreByItsName) {
  StudyResults results = study_of({"1%", "5%", "25%"});
  EXPECT_EQ(make_forecast_figure(results, "", "", {})->panels[0].y_label, "test accuracy (%)");
  for (RunRecord& run : results.runs) run.scores["test_mean_iou"] = run.test_accuracy / 2;
  EXPECT_EQ(make_forecast_figure(results, "", "", {})->panels[0].y_label,
            "test mean intersection over union (%)");
  for (RunRecord& run : results.runs) run.scores = {{"test_perplexity", 100 - 100 * run.test_accuracy}};
  const Panel perplexity = make_forecast_figure(results, "", "", {})->panels[0];
  EXPECT_EQ(perplexity.y_label, "test perplexity");
  EXPECT_LT(perplexity.series[1].y.back(), perplexity.series[1].y.front());
  for (RunRecord& run : results.runs) {
    run.scores.clear();
    run.test_loss = 1 - run.test_accuracy;
    run.test_accuracy = NAN;
  }
  EXPECT_EQ(make_forecast_figure(results, "", "", {})->panels[0].y_label, "loss");
}

TEST(ForecastFigure, IsLeftOutWhereThereIsNothingToForetell) {
  EXPECT_FALSE(make_forecast_figure(study_of({"5%", "25%", "100%"}), "", "", {}));  // all is known
  EXPECT_FALSE(make_forecast_figure(study_of({"5%", "25%"}), "", "", {}));
  EXPECT_FALSE(make_forecast_figure(study_of({"1%", "2ep", "3ep"}), "", "", {}));
  StudyResults none = study_of({"1%", "5%", "25%"});
  none.runs.clear();
  EXPECT_FALSE(make_forecast_figure(none, "", "", {}));
}

}  // namespace
}  // namespace glidepath
