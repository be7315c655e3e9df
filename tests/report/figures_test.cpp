// tests/report/figures_test.cpp - what figures show against values known by construction, and what they
// refuse.
#include "report/figures/figures.h"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "glidepath/error.h"
#include "report/figures/figure_parts.h"
#include "report/made_study.h"
#include "report/page/reference_table.h"

namespace glidepath {
namespace {

using testing::ElementsAre;

StudyData small_study() {
  StudyData data{"made", "made up", {}};
  data.runs = {made_run("linear", "10%", 1, 0.5),  made_run("linear", "10%", 2, 0.6),
               made_run("linear", "100%", 1, 0.9), made_run("step-d2", "10%", 1, 0.4),
               made_run("step-d2", "10%", 2, 0.4), made_run("cut(step-d2)", "100%", 1, 0.8)};
  return data;
}

std::vector<std::string> names_of(const Panel& panel) {
  std::vector<std::string> names;
  for (const Series& series : panel.series) names.push_back(series.name);
  return names;
}

std::vector<std::string> titles_of(const Figure& figure) {
  std::vector<std::string> titles;
  for (const Panel& panel : figure.panels) titles.push_back(panel.title);
  return titles;
}

std::string refusal(const std::string& id, const StudyData& data) {
  try {
    make_figure(id, data);
  } catch (const InputError& error) {
    return error.what();
  }
  return "nothing was thrown";
}

StudyData without(StudyData data, const std::string& subject) {
  StudyData kept = data;
  kept.runs.clear();
  for (const StudyRun& run : data.runs) {
    if (run.subject != subject) kept.runs.push_back(run);
  }
  return kept;
}

TEST(Figure1, DrawsPublishedResultsBesideOurs) {
  StudyData data = small_study();
  const std::vector<std::string> without = names_of(make_figure1(data).panels[0]);
  data.reference = {"Someone, 2020", {1, 100}, {{"step-d2", {20, 60}}, {"linear", {30, 80}}}};
  const Figure figure = make_figure1(data);
  std::vector<std::string> expected = without;
  expected.insert(expected.end(), {"paper: step-d2", "paper: linear"});
  EXPECT_EQ(names_of(figure.panels[0]), expected);
  const Series& theirs = figure.panels[0].series.back();
  EXPECT_TRUE(theirs.is_reference);
  EXPECT_EQ(theirs.subject, "linear");
  EXPECT_THAT(theirs.x, ElementsAre(1, 100));
  EXPECT_THAT(theirs.y, ElementsAre(30, 80));
  // To the right theirs are relative to their best, ours to our best, and the envelope is ours.
  const Panel& relative = figure.panels[1];
  ASSERT_EQ(relative.series.size(), expected.size() + 1);
  EXPECT_THAT(relative.series[without.size()].y, ElementsAre(25, 75));
  EXPECT_EQ(relative.series.back().subject, "envelope");
  EXPECT_THAT(relative.series.back().x, ElementsAre(10, 100));
  EXPECT_THAT(figure.text, testing::HasSubstr("Someone, 2020"));
}

TEST(ReferenceTable, SetsOursBesideTheirs) {
  StudyData data = small_study();
  EXPECT_EQ(render_reference(data), "");
  data.reference = {"Someone, 2020", {1, 10, 100}, {{"step-d2", {20, 40.5, 60}}, {"linear", {30, 50, 80}}}};
  EXPECT_EQ(render_reference(data),
            "## Beside the paper\n\nTest accuracy in percent. Paper: Someone, 2020. Here: made up.\n\n"
            "| schedule | results | 1% | 10% | 100% |\n|---|---|---:|---:|---:|\n"
            "| step-d2 | paper | 20.00 | 40.50 | 60.00 |\n| step-d2 | here | - | 40.00 | - |\n"
            "| linear | paper | 30.00 | 50.00 | 80.00 |\n| linear | here | - | 55.00 | 90.00 |\n\n");
}

TEST(Figure1, MeansSpreadAndEnvelope) {
  const Figure figure = make_figure1(small_study());
  ASSERT_EQ(figure.panels.size(), 2U);
  const Panel& accuracy = figure.panels[0];
  EXPECT_TRUE(accuracy.x_is_budget);
  EXPECT_THAT(names_of(accuracy), ElementsAre("cut(step-d2)", "linear", "step-d2"));  // best average first
  EXPECT_EQ(accuracy.series[0].style, LineStyle::kDashed);
  const Series& linear = accuracy.series[1];
  EXPECT_EQ(linear.style, LineStyle::kSolid);
  EXPECT_THAT(linear.x, ElementsAre(10, 100));
  EXPECT_NEAR(linear.y[0], 55, 1e-12);
  EXPECT_NEAR(linear.spread[0], std::sqrt(50.0), 1e-12);
  EXPECT_EQ(linear.spread[1], 0);
  const Series& relative = figure.panels[1].series[1];
  EXPECT_NEAR(relative.y[0], 100 * 55.0 / 90, 1e-12);
  const Series& envelope = figure.panels[1].series.back();
  EXPECT_EQ(envelope.subject, "envelope");
  EXPECT_THAT(envelope.x, ElementsAre(10, 100));
  EXPECT_NEAR(envelope.y[0], 100 * 55.0 / 90, 1e-12);
  EXPECT_NEAR(envelope.y[1], 100, 1e-12);
}

TEST(Figure1, IsOfTheTasksScoreWhicheverWayIsBetter) {
  StudyData data = small_study();
  const Figure before = make_figure1(data);
  data.score = "test_perplexity";
  for (StudyRun& run : data.runs) run.record.scores["test_perplexity"] = 2 / run.record.test_accuracy;
  const Figure figure = make_figure1(data);
  EXPECT_EQ(figure.panels[0].y_label, "test perplexity");
  EXPECT_THAT(figure.text, testing::HasSubstr("Left: test perplexity against budget"));
  EXPECT_THAT(names_of(figure.panels[0]),
              ElementsAre("cut(step-d2)", "linear", "step-d2"));  // the lowest first
  const Series& linear = figure.panels[1].series[1];
  EXPECT_NEAR(linear.y[1], 100, 1e-12);
  EXPECT_LT(linear.y[0], 100);  // a smaller budget has the larger perplexity
  EXPECT_EQ(figure.panels[1].series.size(), before.panels[1].series.size());
}

TEST(Figure1, ComparesSchedulesOfSgd) {
  StudyData data = small_study();
  data.runs.push_back(made_run("const", "10%", 1, 0.99, "adam"));
  data.runs.push_back(made_run("const", "20ep", 1, 0.99, "adam"));  // nor does its unit matter
  EXPECT_THAT(names_of(make_figure1(data).panels[0]), ElementsAre("cut(step-d2)", "linear", "step-d2"));
}

TEST(Figure1, StudyWithoutFinishedRunsIsRefused) {
  EXPECT_EQ(refusal("1", {"empty", "", {}}), "study \"empty\": figure 1 needs runs; none has finished");
}

TEST(Figure1, BudgetsOfOneOtherUnitStandAsTheyAre) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> units = {
      {{"2ep", "10ep"}, "budget (epochs)"},
      {{"2it", "10it"}, "budget (updates)"},
      {{"2s", "10s"}, "budget (s)"},
      {{"2flop", "10flop"}, "budget (FLOPs)"}};
  for (const auto& [budgets, label] : units) {
    SCOPED_TRACE(label);
    StudyData data{"made", "made up", {}};
    for (const std::string& budget : {budgets[1], budgets[0]}) {
      data.runs.push_back(made_run("linear", budget, 1, budget == budgets[0] ? 0.5 : 0.8));
      data.runs.push_back(made_run("const", budget, 1, 0.4));
    }
    const Figure figure = make_figure1(data);
    EXPECT_EQ(figure.panels[0].x_label, label);
    EXPECT_FALSE(figure.panels[0].x_is_budget);
    EXPECT_TRUE(figure.panels[0].log_x);
    EXPECT_THAT(figure.panels[0].series[0].x, ElementsAre(2, 10));
    EXPECT_THAT(figure.panels[0].series[0].y, ElementsAre(50, 80));
    EXPECT_EQ(figure.panels[1].y_label, "% of linear's largest-budget accuracy");
    EXPECT_THAT(figure.panels[1].series.back().y, ElementsAre(62.5, 100));
  }
}

TEST(Figure1, BudgetsOfSeveralUnitsStandByTheTimeSpent) {
  StudyData data{"made", "made up", {}};
  const auto add = [&](const char* schedule, const char* budget, double seconds, double accuracy) {
    data.runs.push_back(made_run(schedule, budget, 1, accuracy));
    data.runs.back().record.seconds = seconds;
  };
  add("linear", "10%", 40, 0.6);
  add("linear", "1m", 62, 0.7);
  add("linear", "3ep", 20, 0.5);
  add("const", "3ep", 24, 0.4);
  const Figure figure = make_figure1(data);
  EXPECT_EQ(figure.panels[0].x_label, "time spent (s)");
  EXPECT_THAT(figure.panels[0].series[0].x, ElementsAre(20, 40, 62));
  EXPECT_THAT(figure.panels[0].series[0].y, ElementsAre(50, 60, 70));
  EXPECT_THAT(figure.panels[0].series[1].x, ElementsAre(24));
}

TEST(Figure1, TheTradeOffIsThatOfTheScheduleAskedFor) {
  StudyData data = small_study();
  data.envelope = "step-d2";
  const Figure figure = make_figure1(data);
  EXPECT_THAT(figure.panels[1].series.back().x, ElementsAre(10));
  EXPECT_EQ(figure.panels[1].y_label, "% of step-d2's full-budget accuracy");
  EXPECT_THAT(figure.text, testing::HasSubstr("the trade-off of step-d2, as was asked for"));
  data.envelope = "cosine";
  EXPECT_EQ(refusal("1", data),
            "--envelope \"cosine\": no finished run of it; there are linear, step-d2, cut(step-d2)");
}

TEST(Figure2, SchedulesAndLinearAtEachBudget) {
  const Figure figure = make_figure2(small_study());
  EXPECT_THAT(names_of(figure.panels[0]), ElementsAre("linear", "step-d2"));  // a cut one is not f(p)
  EXPECT_EQ(figure.panels[0].series[0].y.front(), 1);
  EXPECT_EQ(figure.panels[0].series[0].y.back(), 0);
  EXPECT_NEAR(figure.panels[0].series[1].y.back(), 0.01, 1e-15);
  EXPECT_THAT(names_of(figure.panels[1]), ElementsAre("linear at 10%", "linear at 100%"));
  EXPECT_EQ(titles_of(figure)[1], "(b) linear at each budget");
  const Series& whole = figure.panels[1].series[1];
  EXPECT_EQ(whole.x.front(), 0);
  EXPECT_EQ(whole.x.back(), 200);
  for (std::size_t i = 0; i < whole.x.size(); ++i)
    EXPECT_NEAR(whole.y[i], 0.1 * (1 - whole.x[i] / 200), 1e-12);
}

TEST(Figure2, DrawsAtEachBudgetWhatWasRun) {
  StudyData data{"made", "made up", {}};
  data.runs = {made_run("cut(step-d2)", "100%", 1, 0.5), made_run("cosine", "10%", 1, 0.5),
               made_run("cosine", "100%", 1, 0.6)};
  const Figure figure = make_figure2(data);
  EXPECT_EQ(titles_of(figure)[1], "(b) cosine at each budget");
  EXPECT_THAT(names_of(figure.panels[1]), ElementsAre("cosine at 10%", "cosine at 100%"));
  const Series& cosine = figure.panels[1].series[0];
  EXPECT_EQ(cosine.x.back(), 20);
  for (std::size_t i = 0; i < cosine.x.size(); ++i)
    EXPECT_NEAR(cosine.y[i], 0.05 * (1 + std::cos(M_PI * cosine.x[i] / 20)), 1e-12);
}

TEST(Figure3, HasEightPanelsWithNormsAndRates) {
  const Figure figure = make_figure3(whole_study());
  EXPECT_EQ(figure.columns, 4U);
  EXPECT_THAT(
      titles_of(figure),
      ElementsAre("(a) step-d2, 100%", "(b) cosine, 100%", "(c) exp(0.97), cut at 25%", "(d) const, 100%",
                  "(e) linear, 5%", "(f) linear, 25%", "(g) linear, 100%", "(h) linear at every budget"));
  for (std::size_t p = 0; p < 7; ++p) {
    SCOPED_TRACE(figure.panels[p].title);
    ASSERT_EQ(figure.panels[p].series.size(), 2U);
    const Series &norm = figure.panels[p].series[0], &lr = figure.panels[p].series[1];
    EXPECT_FALSE(norm.right_axis);
    EXPECT_TRUE(lr.right_axis);
    EXPECT_EQ(lr.subject, "lr");
    ASSERT_EQ(norm.x.size(), 11U);
    EXPECT_EQ(norm.x.front(), 0);
    EXPECT_EQ(lr.x.back(), norm.x.back());
    // By construction ‖g*‖ is 0.1 + 20 lr + the mean of seed / 1000.
    EXPECT_NEAR(norm.y.front(), 0.1 + 20 * lr.y.front() + 0.0015, 1e-12);
    EXPECT_NEAR(norm.y.back(), 0.1 + 20 * lr.y.back() + 0.0015, 1e-12);
    EXPECT_NEAR(norm.spread.front(), std::sqrt(0.5) / 1000, 1e-12);
  }
  // exp(0.97) over 200 epochs, cut at a quarter: 0.97^50.
  EXPECT_NEAR(figure.panels[2].series[1].y.back(), 0.1 * std::pow(0.97, 50), 1e-12);
  EXPECT_EQ(figure.panels[2].series[0].x.back(), 5);  // epochs
  const Panel& overlay = figure.panels[7];
  ASSERT_EQ(overlay.series.size(), 6U);
  EXPECT_EQ(overlay.series[0].budget, 1);
  EXPECT_EQ(overlay.series[5].name, "linear at 100%");
  EXPECT_EQ(overlay.series[5].x.back(), 1);
}

TEST(Figure3, SaysOfWhichLossAndWithWhichStatisticsTheGradientIs) {
  StudyData data = whole_study();
  EXPECT_EQ(gradient_note(data), "");
  for (StudyRun& run : data.runs) run.record.config.measure = "grad-norm@points=20,weight-norm@points=20";
  data.runs[1].record.config.measure = "";
  EXPECT_EQ(gradient_note(data),
            " ‖g*‖ is of the training loss, batch norm taking each batch's own statistics.");
  for (StudyRun& run : data.runs) run.record.config.measure = "grad-norm(augment=yes,bn=running,decay=yes)";
  for (const char* id : {"3", "4", "5"}) {
    EXPECT_THAT(
        make_figure(id, data).text,
        testing::EndsWith(" ‖g*‖ is of the augmented training loss with weight decay, batch norm taking its "
                          "running statistics."));
  }
  data.runs[0].record.config.measure = "grad-norm";
  EXPECT_EQ(gradient_note(data), "");  // they differ
}

TEST(Figure3, SaysWhatIsMissing) {
  EXPECT_EQ(
      refusal("3", without(without(without(whole_study(), "cosine"), "sgdr-r2"), "sgdr(1,2)")),
      "study \"made\": figure 3 needs runs with the measure grad-norm of four schedules beside linear, for "
      "example step-d2, cosine, cut(exp(0.97)) and const (it has 3: step-d2, cut(exp(0.97)), const); none "
      "has finished");
  EXPECT_EQ(
      refusal("3", without(whole_study(), "linear")),
      "study \"made\": figure 3 needs runs of linear with the measure grad-norm at three budgets or more (it "
      "has 0); none has finished");
}

TEST(Figure4, LossesNormAndEffectiveRate) {
  const Figure figure = make_figure4(whole_study());
  ASSERT_EQ(figure.panels.size(), 3U);
  EXPECT_THAT(names_of(figure.panels[0]), ElementsAre("amsgrad", "linear"));
  EXPECT_THAT(figure.panels[0].series[1].x, ElementsAre(1, 5, 10, 25, 50, 100));
  EXPECT_NEAR(figure.panels[0].series[1].y.back(), 2 * (1 - 0.93), 1e-12);
  const Panel& effective = figure.panels[1];
  ASSERT_EQ(effective.series.size(), 4U);
  EXPECT_TRUE(effective.log_right);
  EXPECT_EQ(effective.series[1].name, "β, median over parameters");
  EXPECT_EQ(effective.series[1].y.front(), 0.5);
  EXPECT_EQ(effective.series[3].y.back(), 2);
  EXPECT_EQ(figure.panels[2].series[1].y.back(), 0);
  EXPECT_THAT(refusal("4", without(whole_study(), "amsgrad")), testing::HasSubstr("needs runs of amsgrad"));
  EXPECT_THAT(refusal("4", without(whole_study(), "linear")), testing::HasSubstr("a run of linear at 100%"));
}

TEST(Figure5, LossAlongTrainingAndNorms) {
  const Figure figure = make_figure5(whole_study());
  EXPECT_THAT(titles_of(figure), ElementsAre("(a) training loss", "(b) sgdr-r2", "(c) sgdr(1,2)"));
  EXPECT_THAT(names_of(figure.panels[0]), ElementsAre("sgdr-r2", "sgdr(1,2)", "linear"));
  EXPECT_EQ(figure.panels[0].series[2].y.front(), 2);  // measured, as it is there
  EXPECT_EQ(figure.panels[0].series[2].y.size(), 11U);
  EXPECT_THAT(refusal("5", without(without(whole_study(), "sgdr-r2"), "sgdr(1,2)")),
              testing::HasSubstr("a run of sgdr-r2 or sgdr(T0,Tmult) at 100% with the measure grad-norm"));
}

TEST(FigureA, OptimizersAgainstLinear) {
  const Figure figure = make_figure_a(whole_study());
  for (const Panel& panel : figure.panels)
    EXPECT_THAT(names_of(panel), ElementsAre("adagrad", "rmsprop", "adam", "amsgrad", "linear"));
  EXPECT_THAT(refusal("A", small_study()), testing::HasSubstr("needs runs of adagrad"));
}

TEST(FigureB, OffTheShelfAndFitted) {
  const Figure figure = make_figure_b(whole_study());
  EXPECT_THAT(names_of(figure.panels[0]), ElementsAre("sgdr(1,2)", "sgdr-r2", "linear"));
  ASSERT_EQ(figure.panels[1].series.size(), 3U);
  EXPECT_EQ(figure.panels[1].series[1].y.back(), 0);
  EXPECT_THAT(refusal("B", without(whole_study(), "sgdr-r2")), testing::HasSubstr("needs runs of sgdr-r2"));
}

// Runs that differ in more than their seed are no seeds of one another: they were pooled as if they were.
TEST(Subjects, AreToldApartByEveryAxis) {
  StudyResults results;
  results.axes = {"schedule", "budget", "init", "seed"};
  for (const char* init : {"", "weights.safetensors"}) {
    for (const char* seed : {"1", "2"}) {
      RunRecord run = made_run("linear", "10%", std::stoul(seed), 0.5).record;
      run.config.init = init;
      results.runs.push_back(run);
    }
  }
  const Subjects subjects(results);
  EXPECT_EQ(subjects.of(results.runs[0].config), "linear");
  EXPECT_EQ(subjects.of(results.runs[1].config), "linear");
  EXPECT_EQ(subjects.of(results.runs[2].config), "linear, init weights.safetensors");
  StudyData data{"made", "invented", {}};
  for (const RunRecord& run : results.runs) data.runs.push_back(study_run(run, subjects));
  data.runs[2].record.test_accuracy = data.runs[3].record.test_accuracy = 0.75;
  const Figure figure = make_figure1(data);
  EXPECT_THAT(names_of(figure.panels[0]), ElementsAre("linear, init weights.safetensors", "linear"));
  EXPECT_EQ(figure.panels[0].series[0].y.front(), 75);
  EXPECT_EQ(figure.panels[0].series[0].spread.front(), 0);
}

TEST(FigureC, AgainstBudgetAndAlongTraining) {
  const Figure figure = make_figure_c(whole_study());
  ASSERT_EQ(figure.panels.size(), 4U);
  for (const Panel& panel : figure.panels) EXPECT_THAT(names_of(panel), ElementsAre("step-d2", "linear"));
  EXPECT_NEAR(figure.panels[3].series[1].y.back(), 50, 1e-12);
  EXPECT_EQ(make_figure_c(small_study()).panels.size(), 2U) << "no curves";
}

// Where training images were held out it is they that the paper's figure is of.
TEST(FigureC, IsOfTheImagesHeldOut) {
  StudyData data = whole_study();
  EXPECT_THAT(titles_of(make_figure_c(data)), testing::Contains("(b) test accuracy"));
  for (StudyRun& run : data.runs) run.record.scores["val_accuracy"] = run.record.test_accuracy - 0.1;
  const Figure figure = make_figure_c(data);
  EXPECT_THAT(titles_of(figure), ElementsAre("(a) training loss", "(b) validation accuracy",
                                             "(c) training loss at 100%", "(d) validation accuracy at 100%"));
  const Series& held_out = figure.panels[1].series[1];
  const Series test = make_figure_c(whole_study()).panels[1].series[1];
  for (std::size_t i = 0; i < test.y.size(); ++i) EXPECT_NEAR(held_out.y[i], test.y[i] - 10, 1e-9);
  EXPECT_THAT(figure.text, testing::HasSubstr("training images held out"));
  data.runs.front().record.scores.clear();  // of linear
  EXPECT_THAT(titles_of(make_figure_c(data)), testing::Contains("(b) test accuracy"));
}

// The first metric of a task is the score that figures are of.
TEST(FiguresAToC, AreOfTheTasksScore) {
  StudyData data = whole_study();
  data.score = "test_perplexity";
  for (StudyRun& run : data.runs) {
    run.record.scores = {{"test_perplexity", 2 / run.record.test_accuracy}, {"val_perplexity", 7}};
    run.record.test_accuracy = kNaN;
  }
  for (const Figure& figure : {make_figure_a(data), make_figure_b(data)}) {
    EXPECT_EQ(figure.panels[0].title, "(a) test perplexity") << figure.id;
    EXPECT_EQ(figure.panels[0].y_label, "test perplexity") << figure.id;
    EXPECT_THAT(figure.text, testing::HasSubstr("test perplexity")) << figure.id;
    EXPECT_THAT(figure.text, testing::Not(testing::HasSubstr("accuracy"))) << figure.id;
    const Series& linear = figure.panels[0].series.back();
    EXPECT_EQ(linear.name, "linear");
    EXPECT_NEAR(linear.y.back(), (2 / 0.92 + 2 / 0.94) / 2, 1e-9) << figure.id;
  }
  const Figure figure = make_figure_c(data);
  EXPECT_THAT(titles_of(figure),
              ElementsAre("(a) training loss", "(b) validation perplexity", "(c) training loss at 100%"));
  EXPECT_EQ(figure.panels[1].series[0].y.back(), 7);
}

TEST(FigureD, WeightNormsOfFigures3And5) {
  const Figure figure = make_figure_d(whole_study());
  EXPECT_THAT(names_of(figure.panels[0]),
              ElementsAre("linear", "step-d2", "const", "cosine", "cut(exp(0.97))"));
  EXPECT_EQ(figure.panels[1].series.size(), 6U);
  EXPECT_THAT(names_of(figure.panels[2]), ElementsAre("linear", "sgdr-r2", "sgdr(1,2)"));
  EXPECT_EQ(figure.panels[0].series[0].y.front(), 10);
  EXPECT_EQ(figure.panels[0].series[0].y.back(), 11);
  EXPECT_THAT(refusal("D", small_study()), testing::HasSubstr("the measure weight-norm"));
}

TEST(FigureEstimate, BandIsTheStandardError) {
  const Figure figure = make_figure_estimate(whole_study());
  ASSERT_EQ(figure.panels.size(), 4U);
  EXPECT_EQ(figure.panels[0].title, "(a) linear, 100%");
  const Series &exact = figure.panels[0].series[0], &estimate = figure.panels[0].series[1];
  EXPECT_NEAR(estimate.y[3], 1.1 * exact.y[3], 1e-12);
  EXPECT_NEAR(estimate.spread[3], 0.04 * exact.y[3], 1e-12);
  EXPECT_THAT(refusal("estimate", small_study()), testing::HasSubstr("grad-norm and grad-norm-online"));
}

TEST(Figures, EveryOneHasItsIdAndTextAndUnknownOnesAreRefused) {
  const StudyData data = whole_study();
  for (const std::string& id : figure_ids()) {
    const Figure figure = make_figure(id, data);
    EXPECT_EQ(figure.id, id);
    EXPECT_THAT(figure.text, testing::HasSubstr("invented"));
  }
  EXPECT_EQ(refusal("7", data), "figure \"7\": must be one of 1, 2, 3, 4, 5, A, B, C, D, estimate");
}

}  // namespace
}  // namespace glidepath
