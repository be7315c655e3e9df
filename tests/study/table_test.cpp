// tests/study/table_test.cpp - the numbers of a table, against a table made by plain Python.
#include "glidepath/table.h"

#include <cmath>

#include <gmock/gmock.h>

#include "study/support.h"
#include "study/tables_support.h"

namespace glidepath {
namespace {

using testing::ElementsAre;

/// A CSV file of ours as rows of fields; only schedules such as "htd(-4,4)" are quoted.
std::vector<std::vector<std::string>> read_csv(const std::string& name) {
  std::ifstream stream(std::string(GLIDEPATH_TEST_DATA "/study/") + name);
  EXPECT_TRUE(stream) << name;
  std::vector<std::vector<std::string>> rows;
  for (std::string line; std::getline(stream, line);) {
    rows.emplace_back(1);
    bool quoted = false;
    for (const char c : line) {
      if (c == '"') {
        quoted = !quoted;
      } else if (c == ',' && !quoted) {
        rows.back().emplace_back();
      } else {
        rows.back().back() += c;
      }
    }
  }
  rows.erase(rows.begin());  // titles
  return rows;
}

TEST(StudyTable, EqualsTheTableMadeByPython) {
  StudyResults results;
  results.axes = {"schedule", "budget", "seed"};
  results.values = {{"schedule", {"const", "step-d2", "htd(-4,4)", "cosine", "linear"}},
                    {"budget", {"1%", "5%", "10%", "25%", "50%", "100%"}},
                    {"seed", {"1", "2", "3"}}};
  for (const auto& row : read_csv("runs.csv")) {
    results.runs.push_back(
        make_run({{"schedule", row[0]}, {"budget", row[1]}, {"seed", row[2]}}, std::stod(row[4])));
    if (row[3] == "failed") results.runs.back().status = RunStatus::kFailed;
    if (row[3] == "pending") results.runs.back().status = RunStatus::kPending;
  }
  ASSERT_EQ(results.runs.size(), 90u);
  const auto tables = make_tables(results);
  ASSERT_EQ(tables.size(), 1u);
  const StudyTable& table = tables[0];
  EXPECT_EQ(table.ranked_columns, 5u);
  std::size_t index = 0;
  for (const auto& expected : read_csv("expected.csv")) {
    SCOPED_TRACE(expected[0] + " " + expected[1]);
    const std::size_t row = index / 6, column = index % 6;
    ++index;
    ASSERT_EQ(table.rows.at(row), expected[0]);
    ASSERT_EQ(table.columns.at(column), expected[1]);
    const TableCell& cell = table.cells[row][column];
    EXPECT_EQ(cell.planned, 3u);
    EXPECT_EQ(std::to_string(cell.values.size()), expected[4]);
    EXPECT_EQ(std::to_string(cell.failed), expected[5]);
    EXPECT_EQ(std::isnan(cell.mean), expected[2].empty());
    EXPECT_EQ(std::isnan(cell.stddev), expected[3].empty());
    if (!expected[2].empty()) {
      EXPECT_NEAR(cell.mean, std::stod(expected[2]), 1e-11);
    }
    if (!expected[3].empty()) {
      EXPECT_NEAR(cell.stddev, std::stod(expected[3]), 1e-11);
    }
    EXPECT_NEAR(table.average_rank.at(row), std::stod(expected[6]), 1e-12);
  }
  EXPECT_EQ(index, 30u);
}

TEST(StudyTable, OtherAxesGiveOneTableEach) {
  StudyResults results;
  results.axes = {"model", "schedule", "width"};
  results.values = {
      {"model", {"resnet20", "resnet8"}}, {"schedule", {"linear", "const"}}, {"width", {"1", "2"}}};
  for (const char* width : {"2", "1"}) {
    for (const char* model : {"resnet8", "resnet20"}) {
      for (const char* schedule : {"const", "linear"}) {
        results.runs.push_back(make_run({{"model", model}, {"schedule", schedule}, {"width", width}}, 0.5));
      }
    }
  }
  const auto by_default = make_tables(results);  // no budget among the axes: the first other one
  ASSERT_EQ(by_default.size(), 2u);
  EXPECT_EQ(by_default[0].row_axis, "schedule");
  EXPECT_EQ(by_default[0].column_axis, "model");
  EXPECT_EQ(by_default[0].caption, "width 1");
  EXPECT_EQ(by_default[1].caption, "width 2");
  EXPECT_THAT(by_default[0].columns, ElementsAre("resnet20", "resnet8"));

  const auto chosen = make_tables(results, {"width", "schedule"});
  ASSERT_EQ(chosen.size(), 2u);
  EXPECT_EQ(chosen[0].caption, "model resnet20");
  EXPECT_THAT(chosen[0].rows, ElementsAre("1", "2"));
  EXPECT_THAT(chosen[0].columns, ElementsAre("linear", "const"));
}

TEST(StudyTable, RowsOfAUnionSayWhatIsNotTheDefault) {
  StudyResults results;
  results.axes = {"schedule", "budget", "seed", "momentum"};
  results.values = {{"schedule", {"linear", "const"}},
                    {"budget", {"10%", "100%"}},
                    {"seed", {"1"}},
                    {"momentum", {"0.9", "0.5"}}};
  results.is_union = true;
  results.runs = {
      make_run({{"schedule", "linear"}, {"budget", "10%"}, {"seed", "1"}}, 0.5),
      make_run({{"schedule", "const"}, {"budget", "100%"}, {"seed", "1"}}, 0.625),
      make_run({{"schedule", "const"}, {"budget", "100%"}, {"seed", "1"}, {"momentum", "0.5"}}, 0.75)};
  const auto tables = make_tables(results);
  ASSERT_EQ(tables.size(), 1u);
  EXPECT_THAT(tables[0].rows, ElementsAre("linear", "const", "const, momentum 0.5"));
  EXPECT_THAT(tables[0].columns, ElementsAre("10%", "100%"));
  EXPECT_EQ(tables[0].cells[0][0].mean, 50);
  EXPECT_EQ(tables[0].cells[1][1].mean, 62.5);
  EXPECT_EQ(tables[0].cells[2][1].mean, 75);
  EXPECT_EQ(tables[0].cells[0][1].text(), "-");
}

TEST(StudyTable, RefusesWhatIsNoAxis) {
  StudyResults results;
  results.axes = {"schedule", "budget"};
  EXPECT_EQ(message_of<InputError>([&] {
              make_tables(results, {"model", ""});
            }),
            "--rows \"model\": not an axis of this study; its axes are schedule, budget");
  EXPECT_EQ(message_of<InputError>([&] {
              make_tables(results, {"", "lr"});
            }),
            "--columns \"lr\": not an axis of this study; its axes are schedule, budget");
  EXPECT_EQ(message_of<InputError>([&] {
              make_tables(results, {"budget", "budget"});
            }),
            "--columns \"budget\": is already the rows' axis");
}

TEST(StudyTable, OneAxisOrNoneStillGivesATable) {
  StudyResults results;
  results.name = "alone";
  results.runs = {make_run({}, 0.5)};
  auto tables = make_tables(results);
  ASSERT_EQ(tables.size(), 1u);
  EXPECT_THAT(tables[0].rows, ElementsAre("alone"));
  EXPECT_THAT(tables[0].columns, ElementsAre("test accuracy"));
  EXPECT_TRUE(tables[0].average_rank.empty());

  results.axes = {"budget"};
  results.values = {{"budget", {"1%", "100%"}}};
  results.runs = {make_run({{"budget", "1%"}}, 0.5), make_run({{"budget", "100%"}}, 0.75)};
  tables = make_tables(results);
  ASSERT_EQ(tables.size(), 1u);
  EXPECT_THAT(tables[0].rows, ElementsAre("1%", "100%"));
  EXPECT_EQ(tables[0].cells[1][0].mean, 75);
  EXPECT_THAT(tables[0].average_rank, ElementsAre(2, 1));
}

TEST(StudyTable, MarksEveryMeanThatPrintsAsTheBest) {
  StudyResults results;
  results.axes = {"schedule"};
  results.values = {{"schedule", {"linear", "cosine", "const"}}};
  results.runs = {make_run({{"schedule", "linear"}}, 0.900001), make_run({{"schedule", "cosine"}}, 0.9),
                  make_run({{"schedule", "const"}}, 0.8999)};
  const StudyTable table = make_tables(results).at(0);
  EXPECT_TRUE(table.cells[0][0].best);
  EXPECT_TRUE(table.cells[1][0].best);
  EXPECT_FALSE(table.cells[2][0].best);
  EXPECT_THAT(table.average_rank, ElementsAre(1, 2, 3));
}

TEST(StudyTable, CountsRunsThatDivergedApart) {
  StudyResults results;
  results.axes = {"schedule", "seed"};
  results.values = {{"schedule", {"linear", "const"}}, {"seed", {"1", "2"}}};
  for (const char* schedule : {"linear", "const"}) {
    for (const char* seed : {"1", "2"})
      results.runs.push_back(make_run({{"schedule", schedule}, {"seed", seed}}, 0.5));
  }
  for (const int i : {1, 2, 3}) results.runs[i].status = RunStatus::kDiverged;
  const StudyTable table = make_tables(results).at(0);
  EXPECT_EQ(table.cells[0][0].text(), "50.00 (1 of 2, 1 diverged)");
  EXPECT_EQ(table.cells[1][0].text(), "diverged");
  EXPECT_EQ(table.cells[1][0].failed, 0u);
  EXPECT_THAT(table.average_rank, ElementsAre(1, 2));  // const is behind, however its seeds would have ended
}

TEST(StudyTable, RunsWithoutAnAccuracyAreShownByTheirLossAndNotJudged) {
  StudyResults results = small_results();
  for (RunRecord& run : results.runs) {
    if (run.config.budget != "100%") continue;
    run.test_accuracy = NAN;
    run.test_loss = run.config.seed == 1 ? 0.25 : 0.75;
  }
  results.runs[2].test_loss = NAN;  // which leaves the training loss
  results.runs[2].train_loss = 0.5;
  const StudyTable table = make_tables(results).at(0);
  EXPECT_TRUE(table.has_losses());
  EXPECT_EQ(table.cells[0][0].text().substr(0, 13), "56.25 ± 8.84");
  EXPECT_EQ(table.cells[0][1].text(), "loss 0.6250 ± 0.1768");
  EXPECT_EQ(table.cells[1][1].text(), "loss 0.2500 (1 of 2)");
  EXPECT_TRUE(table.cells[0][1].values.empty());
  EXPECT_EQ(table.verdicts[1].verdict, Verdict::kNoResult);
  EXPECT_NE(render_markdown({table}).find("loss: of runs that have no accuracy, lower is better"),
            std::string::npos);
  EXPECT_FALSE(make_tables(small_results()).at(0).has_losses());
}

/// Perplexities: the lower one leads.
StudyResults language_results() {
  StudyResults results;
  results.axes = {"schedule", "seed"};
  results.values = {{"schedule", {"const", "linear"}}, {"seed", {"1", "2", "3"}}};
  const std::map<std::string, std::vector<double>> perplexities = {{"const", {5.51, 5.62, 5.58}},
                                                                   {"linear", {4.41, 4.53, 4.47}}};
  for (const std::string& schedule : results.values["schedule"]) {
    for (const int seed : {1, 2, 3}) {
      RunRecord run = make_run({{"schedule", schedule}, {"seed", std::to_string(seed)}}, 0.5);
      run.test_loss = std::log(perplexities.at(schedule)[static_cast<std::size_t>(seed - 1)]);
      run.scores["test_perplexity"] = std::exp(run.test_loss);
      results.runs.push_back(run);
    }
  }
  return results;
}

TEST(StudyTable, IsOfTheTasksScoreWhicheverWayIsBetter) {
  const StudyResults results = language_results();
  EXPECT_EQ(table_score(results), "test_perplexity");
  EXPECT_EQ(score_title(results), "test perplexity");
  const StudyTable table = make_tables(results).at(0);
  EXPECT_FALSE(table.higher_is_better);
  EXPECT_NEAR(table.cells[1][0].mean, 4.47, 1e-9);
  EXPECT_EQ(table.cells[1][0].text(), "4.470 ± 0.060");
  EXPECT_TRUE(table.cells[1][0].best);
  EXPECT_THAT(table.average_rank, ElementsAre(2, 1));
  EXPECT_EQ(table.verdicts[0].verdict, Verdict::kClear);
  EXPECT_NEAR(table.verdicts[0].rivals.at(0).difference.mean, 1.1, 1e-9);  // const is so much worse
}

TEST(StudyTable, OfLossesIsJudgedLikewise) {
  TableOptions options;
  options.score = "test_loss";
  const StudyTable table = make_tables(language_results(), options).at(0);
  EXPECT_EQ(table.verdicts[0].best, std::size_t{1});
  EXPECT_NEAR(table.cells[0][0].mean, (std::log(5.51) + std::log(5.62) + std::log(5.58)) / 3, 1e-9);
  options.score = "seconds";
  EXPECT_THROW(make_tables(language_results(), options), InputError);
}

// The same numbers as shares that are lost would be judged alike.
TEST(StudyTable, AScoreOfWhichLessIsBetterIsRankedAsItsNegativeIs) {
  StudyResults lower = language_results(), higher = language_results();
  for (RunRecord& run : higher.runs) {
    run.scores.clear();
    run.test_accuracy = 1 - run.test_loss / 10;
  }
  TableOptions by_loss;
  by_loss.score = "test_loss";
  const StudyTable a = make_tables(lower, by_loss).at(0), b = make_tables(higher).at(0);
  EXPECT_EQ(a.average_rank, b.average_rank);
  EXPECT_NEAR(a.verdicts[0].rivals[0].p_value, b.verdicts[0].rivals[0].p_value, 1e-9);
}

TEST(TableCell, TextSaysWhatIsNotIn) {
  struct Case {
    std::size_t values, planned, diverged, failed;
    const char* text;
  };
  for (const Case& c : {Case{3, 3, 0, 0, "50.00 ± 0.25"},
                        {1, 1, 0, 0, "50.00"},
                        {2, 3, 0, 0, "50.00 ± 0.25 (2 of 3)"},
                        {2, 3, 0, 1, "50.00 ± 0.25 (2 of 3, 1 failed)"},
                        {2, 3, 1, 0, "50.00 ± 0.25 (2 of 3, 1 diverged)"},
                        {1, 3, 0, 2, "50.00 (1 of 3, 2 failed)"},
                        {1, 3, 1, 1, "50.00 (1 of 3, 1 diverged, 1 failed)"},
                        {0, 3, 0, 3, "3 failed"},
                        {0, 3, 0, 1, "1 failed"},
                        {0, 3, 3, 0, "diverged"},
                        {0, 1, 1, 0, "diverged"},
                        {0, 3, 2, 0, "2 diverged"},
                        {0, 3, 2, 1, "2 diverged, 1 failed"},
                        {0, 3, 0, 0, "-"}}) {
    TableCell cell;
    cell.values.assign(c.values, 50);
    cell.planned = c.planned;
    cell.diverged = c.diverged;
    cell.failed = c.failed;
    cell.mean = 50;
    cell.stddev = 0.25;
    EXPECT_EQ(cell.text(), c.text);
  }
}

}  // namespace
}  // namespace glidepath
