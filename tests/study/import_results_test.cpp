// tests/study/import_results_test.cpp - results of others as studies.
#include "study/store/import_results.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "glidepath/error.h"
#include "glidepath/table.h"
#include "support/temporary_folder.h"

namespace glidepath {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

ImportOptions of_score(const std::string& score) {
  ImportOptions options;
  options.score = score;
  return options;
}

std::string refusal_of(const std::string& csv, const ImportOptions& options) {
  try {
    read_results_of_others({{"runs.csv", csv}}, options);
  } catch (const InputError& error) {
    return error.what();
  }
  return "nothing was refused";
}

TEST(ImportResults, BecomeAStudyWithTheSameNumbers) {
  const std::string csv =
      "arch,epochs,seed,accuracy,seconds\nresnet-50,16,1,73.8%,894\nresnet-50,88,1,78.4%,4632\n"
      "\"my net, wide\",16,1,70,500\n\"my net, wide\",88,1,75,\n\"my net, wide\",88,2,76,2500\n";
  const ImportedResults imported = read_results_of_others({{"runs.csv", csv}}, of_score("accuracy"));
  EXPECT_THAT(imported.notes, Contains("column \"arch\" is taken as model"));
  const TemporaryFolder folder("import");
  write_imported(folder.path() / "out", imported);
  const StudyResults results = read_results(folder.path() / "out");
  EXPECT_THAT(results.axes, ElementsAre("model", "budget", "seed"));
  EXPECT_THAT(results.values.at("budget"), ElementsAre("16ep", "88ep"));
  ASSERT_EQ(results.runs.size(), 5U);
  EXPECT_EQ(results.runs[0].config.model, "resnet-50");
  EXPECT_EQ(results.runs[0].config.full, "88ep");
  EXPECT_EQ(results.runs[0].status, RunStatus::kDone);
  EXPECT_DOUBLE_EQ(results.runs[0].test_accuracy, 0.738);
  EXPECT_EQ(results.runs[0].seconds, 894);
  EXPECT_EQ(results.runs[0].epochs, 16);
  EXPECT_TRUE(std::isnan(results.runs[3].seconds));
  const std::vector<StudyTable> tables = make_tables(results);
  ASSERT_EQ(tables.size(), 1U);
  EXPECT_THAT(tables[0].rows, ElementsAre("resnet-50", "my net, wide"));
  EXPECT_EQ(tables[0].cells[1][1].text(), "75.50 ± 0.71");
  EXPECT_THROW(write_imported(folder.path() / "out", imported), InputError);
}

// As W&B's page exports its table of runs.
TEST(ImportResults, KnowsTheTableOfWandb) {
  const std::string csv =
      "\"Name\",\"State\",\"Runtime\",\"Created\",\"config/lr\",\"max_steps\",\"seed\",\"test/"
      "acc\",\"gpu_count\"\n"
      "\"sweet-sun-1\",\"finished\",\"60\",\"2024-01-01\",\"0.1\",\"1000\",\"1\",\"0.9\",\"1\"\n"
      "\"calm-moon-2\",\"crashed\",\"10\",\"2024-01-02\",\"0.1\",\"1000\",\"2\",\"0.4\",\"1\"\n"
      "\"old-tree-3\",\"finished\",\"61\",\"2024-01-03\",\"0.01\",\"1000\",\"1\",\"0.8\",\"1\"\n"
      "\"red-fox-4\",\"finished\",\"62\",\"2024-01-04\",\"0.01\",\"1000\",\"2\",\"\",\"1\"\n";
  const ImportedResults imported = read_results_of_others({{"wandb.csv", csv}}, of_score("test/acc"));
  EXPECT_THAT(imported.plan.axes, ElementsAre("base_lr", "budget", "seed"));
  ASSERT_EQ(imported.runs.size(), 2U);
  EXPECT_EQ(imported.runs[1].config.base_lr, 0.01);
  EXPECT_EQ(imported.runs[1].config.budget, "1000it");
  EXPECT_EQ(imported.runs[1].updates, 1000);
  EXPECT_EQ(imported.runs[1].test_accuracy, 0.8);
  EXPECT_THAT(imported.notes, Contains("1 rows are of runs that did not finish, and are left out"));
  EXPECT_THAT(imported.notes, Contains("1 rows have no test/acc, and are left out"));
  EXPECT_THAT(refusal_of("Step,a - acc,a - acc__MIN\n1,2,3\n", of_score("a - acc")),
              HasSubstr("W&B's export of a chart"));
}

TEST(ImportResults, KnowsAStudysOwnTable) {
  const std::string csv =
      "id,status,schedule,budget,seed,test_accuracy,test_loss,updates,epochs,seconds,images_per_second,"
      "attempts,"
      "error,val_accuracy\n"
      "a,done,linear,10%,1,0.5,1.5,10,1,60,100,1,,0.45\n"
      "b,done,linear,100%,1,0.7,1.1,100,10,600,101,1,,0.65\n"
      "c,diverged,const,10%,1,,,4,,20,,1,the loss is nan,\n"
      "d,failed,const,100%,1,,,,,,,2,killed,\n";
  const ImportedResults imported = read_results_of_others({{"results.csv", csv}}, of_score("val_accuracy"));
  EXPECT_THAT(imported.plan.axes, ElementsAre("schedule", "budget", "seed"));
  ASSERT_EQ(imported.runs.size(), 3U);
  EXPECT_EQ(imported.runs[1].test_accuracy, 0.65);
  EXPECT_EQ(imported.runs[1].seconds, 600);
  EXPECT_EQ(imported.runs[2].status, RunStatus::kDiverged);
  EXPECT_THAT(imported.notes, Contains("1 rows are of runs that did not finish, and are left out"));
  const TemporaryFolder folder("import");
  write_imported(folder.path() / "out", imported);
  EXPECT_EQ(read_results(folder.path() / "out").runs[2].status, RunStatus::kDiverged);
}

TEST(ImportResults, TakesTensorBoardsCurvesByTheirLastStep) {
  const std::string head = "Wall time,Step,Value\n";
  const ImportedResults imported = read_results_of_others({{"a.csv", head + "1.5e9,10,0.2\n1.6e9,100,0.5\n"},
                                                           {"b.csv", head + "1.5e9,200,0.6\n"},
                                                           {"c.csv", head + "1.5e9,200,0.7\n"}},
                                                          of_score(""));
  ASSERT_EQ(imported.runs.size(), 3U);
  EXPECT_EQ(imported.runs[0].config.budget, "100it");
  EXPECT_EQ(imported.runs[0].test_accuracy, 0.5);
  EXPECT_EQ(imported.runs[2].config.seed, 1U);
  const TemporaryFolder folder("import");
  write_imported(folder.path(), imported);
  const std::vector<CurvePoint> curve = read_curve(folder.path(), imported.runs[0].id);
  ASSERT_EQ(curve.size(), 2U);
  EXPECT_EQ(curve[0].step, 10);
  EXPECT_DOUBLE_EQ(curve[0].progress, 0.1);
  EXPECT_DOUBLE_EQ(curve[0].accuracy, 0.2);
}

TEST(ImportResults, LossesAndOptionsOfAllRuns) {
  ImportOptions options = of_score("loss");
  options.is_loss = true;
  options.unit = "%";
  options.set = {{"data", "cifar10"}, {"full", "90ep"}};
  options.keys = {{"size", "width"}};
  options.ignored = {"note"};
  const ImportedResults imported =
      read_results_of_others({{"runs.csv", "budget,size,loss,note\n10,1,2.5,a\n10,2,2.25,b\n"}}, options);
  EXPECT_THAT(imported.plan.axes, ElementsAre("budget", "width"));
  EXPECT_EQ(imported.runs[1].config.width, 2);
  EXPECT_EQ(imported.runs[1].config.data, "cifar10");
  EXPECT_EQ(imported.runs[1].config.full, "90ep");
  EXPECT_EQ(imported.runs[1].test_loss, 2.25);
  EXPECT_TRUE(std::isnan(imported.runs[1].test_accuracy));
}

TEST(ImportResults, WhatIsNoResultIsToldByLine) {
  const ImportOptions accuracy = of_score("accuracy");
  EXPECT_EQ(refusal_of("", accuracy), "runs.csv: is empty");
  EXPECT_EQ(refusal_of("budget,accuracy\n", accuracy), "runs.csv: has no row below its names of columns");
  EXPECT_EQ(refusal_of("budget,acc\n10%,5\n", accuracy),
            "--score \"accuracy\": is no column of runs.csv; it has budget, acc");
  EXPECT_THAT(refusal_of("budget,acc\n10%,5\n", of_score("")),
              StartsWith("--score: must name the column of scores"));
  EXPECT_THAT(
      refusal_of("depth,budget,accuracy\n1,5%,3\n2,5%,4\n", accuracy),
      StartsWith(
          "runs.csv:1: column \"depth\" is no option of glidepath train, which axes are; say which it is, "
          "as --key \"depth=model\""));
  EXPECT_THAT(refusal_of("model,accuracy\na,3\n", accuracy),
              StartsWith("runs.csv:1: no column named budget"));
  EXPECT_THAT(refusal_of("budget,accuracy\n10%,0.5\n20%,60\n", accuracy),
              StartsWith("runs.csv:2: accuracy 0.5 is in [0, 1], and 60 in line 3 is in percent"));
  EXPECT_THAT(refusal_of("budget,accuracy\n10%,nan\n", accuracy),
              StartsWith("runs.csv:2: accuracy \"nan\": must be a number"));
  EXPECT_THAT(refusal_of("budget,accuracy\n10,5\n", accuracy),
              StartsWith("runs.csv:2: budget \"10\": a plain number"));
  EXPECT_THAT(refusal_of("budget,schedule,accuracy\n10%,mine,5\n5%,linear,6\n", accuracy),
              HasSubstr("leave the column out with --ignore \"schedule\""));
  EXPECT_THAT(refusal_of("budget,accuracy\n10%,5\n10%,6\n", accuracy),
              StartsWith("runs.csv:3: a row before it has the same options"));
  EXPECT_THAT(refusal_of("lr,base_lr,budget,accuracy\n1,1,5%,6\n", accuracy), HasSubstr("are both base_lr"));
  EXPECT_EQ(refusal_of("budget,accuracy\n10%\n", accuracy),
            "runs.csv:2: 1 fields, where the first line names 2 columns");
  EXPECT_THAT(refusal_of("budget,accuracy\n\"10%,5\n", accuracy),
              HasSubstr("runs.csv:2: a quote begins here"));
}

}  // namespace
}  // namespace glidepath
