// tests/study/stored_plan_test.cpp - going on with a study without its file.
#include "study/store/stored_plan.h"

#include <gmock/gmock.h>

#include "study/store/import_results.h"
#include "study/support.h"

namespace glidepath {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class StoredPlan : public FolderTest {
 protected:
  StudyResults run(const StudyPlan& plan) const {
    StudyOptions options;
    options.out = folder_ / "out";
    options.program = FAKE_TRAINER;
    return run_study(plan, options);
  }
};

TEST_F(StoredPlan, IsThatOfTheFileWithItsProfileAndChanges) {
  const auto file =
      write("a.toml",
            "name = \"a\"\ntitle = \"A\"\nfigures = [\"1\"]\n[base]\ndata = \"digits\"\n[grid]\n"
            "model = [\"mlp\", \"resnet8\"]\nbudget = [\"10%\", \"100%\"]\n[profile.wide]\nwidth = 2\n"
            "[labels]\nlinear = \"a line\"\n");
  const StudyPlan plan = read_study_plan(file, {"wide", {{"base_lr", "0.25"}}});
  run(plan);
  StudyPlan stored = stored_plan(folder_ / "out");
  EXPECT_EQ(stored.source_toml, plan.source_toml);
  EXPECT_EQ(stored.axes, plan.axes);
  EXPECT_EQ(stored.values, plan.values);
  EXPECT_EQ(stored.table.labels, plan.table.labels);
  ASSERT_EQ(stored.runs.size(), 4U);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(run_id(stored.runs[i]), run_id(plan.runs[i]));

  // Another seed and another budget, of one of the models: axes of the study from then on.
  TrainConfig more = stored.runs.front();
  add_run(stored, more);
  EXPECT_EQ(stored.runs.size(), 4U);
  more.seed += 1;
  more.budget = "50%";
  add_run(stored, more);
  add_run(stored, more);
  ASSERT_EQ(stored.runs.size(), 5U);
  EXPECT_THAT(stored.axes, ElementsAre("model", "budget", "seed"));
  EXPECT_THAT(stored.values.at("budget"), ElementsAre("10%", "50%", "100%"));
  EXPECT_EQ(stored.values.at("seed").size(), 2U);
  const StudyResults results = run(stored);
  ASSERT_EQ(results.runs.size(), 5U);
  EXPECT_EQ(results.runs.back().status, RunStatus::kDone);
  EXPECT_EQ(stored_plan(folder_ / "out").runs.size(), 5U);
}

TEST_F(StoredPlan, WhatNoStudyFileMadeIsRefused) {
  EXPECT_THAT(message_of<InputError>([&] { stored_plan(folder_); }), HasSubstr("no study there"));
  ImportOptions options;
  options.score = "accuracy";
  write_imported(folder_ / "mine", read_results_of_others({{"a.csv", "budget,accuracy\n5%,50\n"}}, options));
  EXPECT_THAT(message_of<InputError>([&] { stored_plan(folder_ / "mine"); }),
              HasSubstr("was made of results, not of a study file"));
}

}  // namespace
}  // namespace glidepath
