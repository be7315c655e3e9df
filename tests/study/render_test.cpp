// tests/study/render_test.cpp - tables and results as exact text.
#include <cmath>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "glidepath/table.h"
#include "study/support.h"
#include "study/tables_support.h"

namespace glidepath {
namespace {

TEST(RenderTable, Terminal) {
  EXPECT_EQ(render_terminal(make_tables(small_results()), false),
            "schedule                        10%            100%  avg. rank\n"
            "linear                 56.25 ± 8.84    81.25 ± 8.84       1.00\n"
            "htd(-6,3)  25.00 (1 of 2, 1 failed)  75.00 (1 of 2)       2.00\n");
}

/// linear is clearly the best at 10% and level with rex at 100%, const cannot be told from them there.
std::vector<StudyTable> marked_tables() {
  StudyResults results;
  results.axes = {"schedule", "budget", "seed"};
  results.values = {
      {"schedule", {"linear", "rex", "const"}}, {"budget", {"10%", "100%"}}, {"seed", {"1", "2", "3"}}};
  const double accuracies[3][2][3] = {{{0.7, 0.71, 0.72}, {0.9, 0.91, 0.92}},
                                      {{0.6, 0.61, 0.62}, {0.9, 0.9101, 0.9199}},
                                      {{0.5, 0.51, 0.52}, {0.8, 0.92, 0.9}}};
  for (std::size_t schedule = 0; schedule < 3; ++schedule) {
    for (std::size_t budget = 0; budget < 2; ++budget) {
      for (std::size_t seed = 0; seed < 3; ++seed) {
        results.runs.push_back(make_run({{"schedule", results.values["schedule"][schedule]},
                                         {"budget", results.values["budget"][budget]},
                                         {"seed", results.values["seed"][seed]}},
                                        accuracies[schedule][budget][seed]));
      }
    }
  }
  return make_tables(results);
}

constexpr const char* kMarks =
    "bold: every other row is shown to be behind; =: level with the best, less than 1 point apart; ~: not to "
    "be "
    "told from the best with these seeds (differences paired by seed, 95 %, Holm over all pairs of a column)";

TEST(RenderTable, BoldIsWhatIsClearlyTheBest) {
  EXPECT_EQ(render_terminal(marked_tables(), true),
            std::string("schedule           10%            100%  avg. rank\n"
                        "linear    \x1b[1m71.00 ± 1.00\x1b[0m  91.00 ± 1.00 ~       1.25\n"
                        "rex       61.00 ± 1.00  91.00 ± 1.00 =       1.75\n"
                        "const     51.00 ± 1.00  87.33 ± 6.43 ~       3.00\n") +
                kMarks + "\n");
}

TEST(RenderTable, WithoutStylesAStarStandsForIt) {
  const std::string text = render_terminal(marked_tables(), false);
  EXPECT_THAT(text, testing::HasSubstr("linear    71.00 ± 1.00 *  91.00 ± 1.00 ~"));
  EXPECT_THAT(text, testing::HasSubstr("\n*: every other row is shown to be behind; ="));
}

TEST(RenderTable, Markdown) {
  const std::string text = render_markdown(marked_tables());
  EXPECT_THAT(text, testing::StartsWith("| schedule | 10% | 100% | avg. rank |\n"
                                        "|---|---:|---:|---:|\n"
                                        "| linear | **71.00 ± 1.00** | 91.00 ± 1.00 \\~ | 1.25 |\n"));
  EXPECT_THAT(text, testing::EndsWith("of a column)\n"));
  EXPECT_EQ(render_markdown(make_tables(small_results())),
            "| schedule | 10% | 100% | avg. rank |\n"
            "|---|---:|---:|---:|\n"
            "| linear | 56.25 ± 8.84 | 81.25 ± 8.84 | 1.00 |\n"
            "| htd(-6,3) | 25.00 (1 of 2, 1 failed) | 75.00 (1 of 2) | 2.00 |\n");
}

TEST(RenderTable, Latex) {
  EXPECT_EQ(
      render_latex(marked_tables()),
      std::string("\\begin{tabular}{lrrr}\n"
                  "\\toprule\n"
                  "schedule & 10\\% & 100\\% & avg. rank \\\\\n"
                  "\\midrule\n"
                  "linear & \\textbf{71.00 $\\pm$ 1.00} & 91.00 $\\pm$ 1.00 \\textasciitilde{} & 1.25 \\\\\n"
                  "rex & 61.00 $\\pm$ 1.00 & 91.00 $\\pm$ 1.00 = & 1.75 \\\\\n"
                  "const & 51.00 $\\pm$ 1.00 & 87.33 $\\pm$ 6.43 \\textasciitilde{} & 3.00 \\\\\n"
                  "\\bottomrule\n"
                  "\\end{tabular}\n% ") +
          kMarks + "\n");
}

TEST(RenderTable, LatexWithATitleFloatsAndSaysWhatItShows) {
  const std::string text = render_latex(marked_tables(), "Ours & theirs");
  EXPECT_THAT(text,
              testing::StartsWith("\\begin{table}\n\\centering\n\\caption{Ours \\& theirs. Mean and standard "
                                  "deviation over seeds. bold: every other"));
  EXPECT_THAT(text, testing::HasSubstr("of a column)}\n\\begin{tabular}{lrrr}\n"));
  EXPECT_THAT(text, testing::EndsWith("\\end{tabular}\n\\end{table}\n"));
}

TEST(RenderTable, RowsHaveTheirLabels) {
  StudyResults results = small_results();
  results.table.labels = {{"linear", "straight | down"}, {"no such row", "x"}};
  const auto tables = make_tables(results);
  EXPECT_THAT(render_terminal(tables, false), testing::HasSubstr("\nstraight | down  "));
  EXPECT_THAT(render_markdown(tables), testing::HasSubstr("| straight \\| down |"));
  EXPECT_THAT(render_latex(tables), testing::HasSubstr("straight | down &"));
  EXPECT_THAT(render_csv(tables), testing::HasSubstr("\nlinear,"));  // for programs
  EXPECT_EQ(make_tables(results, {{}, {}, {}, {{"linear", "first"}}})[0].row_labels[0], "first");
}

// What a run was tested with else stands below: where numbers differ, and the table is not of another score.
TEST(RenderTable, RunningStatisticsHaveATableOfTheirOwn) {
  StudyResults results = small_results();
  EXPECT_TRUE(make_running_tables(results).empty());
  for (RunRecord& run : results.runs) run.scores["test_accuracy_running"] = run.test_accuracy;
  EXPECT_TRUE(make_running_tables(results).empty());
  results.runs[0].scores["test_accuracy_running"] = 0.25;  // linear at 10 %, seed 1
  const auto tables = make_running_tables(results);
  ASSERT_EQ(tables.size(), 1U);
  EXPECT_EQ(tables[0].cells[0][0].values, (std::vector<double>{25, 62.5}));
  EXPECT_THAT(render_running(tables),
              testing::StartsWith("With batch norm's running statistics in place of fresh "
                                  "ones:\n\n| schedule | 10% |"));
  results.table.score = "val_accuracy";
  EXPECT_TRUE(make_running_tables(results).empty());
  EXPECT_EQ(score_title(results), "validation accuracy");
  EXPECT_EQ(score_title(results, {{}, {}, "best_test_accuracy_running", {}}),
            "test accuracy of the best weights on images held out with running statistics");
  results.table.score = "";
  EXPECT_EQ(score_title(results), "test accuracy");
}

TEST(RenderTable, Csv) {
  EXPECT_EQ(render_csv(make_tables(small_results())),
            "schedule,10% mean,10% std,10% n,10% diverged,10% failed,100% mean,100% std,100% n,100% diverged,"
            "100% failed,average rank\n"
            "linear,56.25,8.838834764831844,2,0,0,81.25,8.838834764831844,2,0,0,1\n"
            "\"htd(-6,3)\",25,,1,0,1,75,,1,0,0,2\n");
}

TEST(RenderTable, SeveralTablesHaveCaptions) {
  StudyResults results;
  results.axes = {"schedule", "budget", "eval_every"};
  results.values = {{"schedule", {"linear"}}, {"budget", {"1%"}}, {"eval_every", {"1ep", "10%"}}};
  for (const char* every : {"1ep", "10%"}) {
    results.runs.push_back(make_run({{"schedule", "linear"}, {"budget", "1%"}, {"eval_every", every}}, 0.5));
  }
  const auto tables = make_tables(results);
  EXPECT_EQ(render_terminal(tables, false),
            "eval_every 1ep\nschedule     1%\nlinear    50.00\n\neval_every 10%\nschedule     1%\nlinear    "
            "50.00\n");
  EXPECT_EQ(render_markdown({tables[0]}),
            "eval\\_every 1ep\n\n| schedule | 1% |\n|---|---:|\n| linear | 50.00 |\n");
  EXPECT_THAT(render_latex({tables[1]}), testing::StartsWith("% eval_every 10%\n\\begin{tabular}{lr}\n"));
  EXPECT_EQ(render_csv(tables),
            "table,schedule,1% mean,1% std,1% n,1% diverged,1% failed,average rank\n"
            "eval_every 1ep,linear,50,,1,0,0,\neval_every 10%,linear,50,,1,0,0,\n");
}

TEST(RenderTable, SaysOverHowManyColumnsTheRankIs) {
  StudyResults results = small_results();
  results.runs[6].status = RunStatus::kFailed;  // nothing is left of htd at 100%
  EXPECT_THAT(render_markdown(make_tables(results)), testing::HasSubstr("| avg. rank (1 of 2) |"));
}

TEST(ResultsCsv, HasOneLineARun) {
  StudyResults results = small_results();
  results.runs.resize(5);
  results.runs.erase(results.runs.begin(), results.runs.begin() + 3);
  RunRecord& done = results.runs[0];
  done.updates = 7820;
  done.test_loss = 0.5;
  done.train_loss = std::nan("");
  done.epochs = 20;
  done.seconds = 61.5;
  done.attempts = 2;
  EXPECT_EQ(results_csv(results),
            "id,status,schedule,budget,seed,test_accuracy,test_loss,train_loss,train_accuracy,updates,epochs,"
            "seconds,"
            "images_per_second,peak_memory_mib,attempts,error\n" +
                done.id + ",done,linear,100%,2,0.875,0.5,,0,7820,20,61.5,0,0,2,\n" + results.runs[1].id +
                ",failed,\"htd(-6,3)\",10%,1,,,,,,,,,,0,\"loss is \"\"nan\"\", stopped\"\n");
}

// Whatever reads the results can tell a run that diverged from one that never was.
TEST(Results, SayWhichRunsDiverged) {
  StudyResults results = small_results();
  results.runs.resize(1);
  RunRecord& run = results.runs[0];
  run.status = RunStatus::kDiverged;
  run.error = "diverged: the loss is nan at update 12 (lr 1e+09)";
  run.updates = 12;
  EXPECT_THAT(results_csv(results),
              testing::HasSubstr(run.id + ",diverged,linear,10%,1,,,,,12,,,,,0,diverged: the loss is nan at "
                                          "update 12 (lr 1e+09)\n"));
  EXPECT_THAT(render_latex(make_tables(results)), testing::HasSubstr("linear & diverged & - \\\\\n"));
  const auto json = nlohmann::json::parse(results_json(results));
  EXPECT_EQ(json["runs"][0]["status"], "diverged");
  EXPECT_EQ(json["runs"][0]["updates"], 12);
  EXPECT_TRUE(json["runs"][0]["test_accuracy"].is_null());
  EXPECT_EQ(json["tables"][0]["cells"][0][0]["diverged"], 1);
  EXPECT_EQ(json["tables"][0]["cells"][0][0]["failed"], 0);
}

TEST(ResultsJson, HoldsRunsAndTables) {
  const auto json = nlohmann::json::parse(results_json(small_results()));
  EXPECT_EQ(json["name"], "small");
  ASSERT_EQ(json["runs"].size(), 8u);
  EXPECT_EQ(json["runs"][0]["config"]["schedule"], "linear");
  EXPECT_EQ(json["runs"][4]["status"], "failed");
  EXPECT_EQ(json["runs"][4]["error"], "loss is \"nan\", stopped");
  EXPECT_TRUE(json["runs"][4]["test_accuracy"].is_null());
  ASSERT_EQ(json["tables"].size(), 1u);
  EXPECT_EQ(json["tables"][0]["cells"][0][1]["mean"], 81.25);
  EXPECT_EQ(json["tables"][0]["cells"][1][0]["failed"], 1);
  EXPECT_TRUE(json["tables"][0]["cells"][1][0]["stddev"].is_null());
  EXPECT_EQ(json["tables"][0]["average_rank"], nlohmann::json({1.0, 2.0}));
}

TEST(ResultsJson, ReplacesWhatIsNotUtf8) {
  StudyResults results = small_results();
  results.runs[4].error = "half a letter: \xC3";
  const auto json = nlohmann::json::parse(results_json(results));
  EXPECT_EQ(json["runs"][4]["error"], "half a letter: \xEF\xBF\xBD");
}

using WriteTables = FolderTest;

TEST_F(WriteTables, ShowBothKindsOfStatistics) {
  StudyResults results = small_results();
  results.runs[0].scores["test_accuracy_running"] = 0.25;
  write_tables(folder_, results);
  EXPECT_EQ(text_of(folder_ / "table.md"),
            render_markdown(make_tables(results)) + "\n" + render_running(make_running_tables(results)));
}

TEST_F(WriteTables, LeavesFourWholeFiles) {
  write_tables(folder_, small_results());
  EXPECT_EQ(text_of(folder_ / "table.md"), render_markdown(make_tables(small_results())));
  EXPECT_EQ(text_of(folder_ / "table.csv"), render_csv(make_tables(small_results())));
  EXPECT_EQ(text_of(folder_ / "table.tex"), render_latex(make_tables(small_results()), "A small study"));
  EXPECT_EQ(text_of(folder_ / "results.csv"), results_csv(small_results()));
  std::size_t files = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder_)) ++files;
  EXPECT_EQ(files, 4u);
}

TEST_F(WriteTables, SaysWhichFileItCannotWrite) {
  const std::string none = (folder_ / "none").string();
  EXPECT_EQ(message_of<RunError>([&] { write_tables(none, small_results()); }),
            none + "/table.md: cannot write: No such file or directory");
}

}  // namespace
}  // namespace glidepath
