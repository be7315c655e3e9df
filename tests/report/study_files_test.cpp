// tests/report/study_files_test.cpp - the paper's study files: shared runs, and all that their figures need.
#include <algorithm>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "glidepath/study.h"
#include "report/figures/figures.h"
#include "report/made_study.h"

namespace glidepath {
namespace {

const std::vector<std::string> kFigureFiles = {"fig1", "fig2", "fig3", "fig4", "fig5",
                                               "figA", "figB", "figC", "figD"};

StudyPlan plan_of(const std::string& name, const std::string& profile) {
  return read_study_plan(std::string(GLIDEPATH_SOURCE_DIR "/studies/") + name + ".toml", {profile, {}});
}

std::set<std::string> ids_of(const StudyPlan& plan) {
  std::set<std::string> ids;
  for (const TrainConfig& run : plan.runs) ids.insert(run_id(run));
  return ids;
}

/// The run as it would be when done: the measures that its configuration asks for, and no other.
StudyRun done_run(const TrainConfig& config) {
  RunRecord record;
  record.config = config;
  record.test_accuracy = 0.5;
  record.train_loss = 1;
  StudyRun run = study_run(record);
  run.record.epochs = run.budget / 100 * parse_budget(config.full).amount;
  run.record.updates = std::lround(79 * run.record.epochs);
  std::string asked = "," + config_value(config, "measure");
  asked.erase(std::remove(asked.begin(), asked.end(), ' '), asked.end());
  const auto asks = [&](const std::string& what) {
    const auto place = asked.find("," + what);
    const char after = place == std::string::npos ? 'x' : (asked + ",")[place + 1 + what.size()];
    return after == ',' || after == '@' || after == '(';
  };
  for (const double p : {0.0, 0.5, 1.0}) {
    const auto add = [&](const char* name) {
      run.measures.push_back({name, std::lround(p * static_cast<double>(run.record.updates)), p, 0.1, 1});
    };
    if (asks("grad-norm")) add("grad_norm");
    if (asks("weight-norm")) add("weight_norm");
    if (asks("grad-norm-online")) add("grad_norm_estimate");
    if (asks("effective-lr")) add("effective_lr_median");
  }
  if (config.eval_every == "end") return run;
  for (const double p : {0.25, 0.5, 1.0}) {
    const auto step = std::lround(p * static_cast<double>(run.record.updates));
    run.curve.push_back({"train", step, p, 0.1, 1, 0.5});
    run.curve.push_back({"eval", step, p, 0.1, 1, 0.5});
  }
  return run;
}

class PaperStudies : public testing::TestWithParam<const char*> {};

TEST_P(PaperStudies, RunsOfEveryFigureAreThoseOfPaperToml) {
  const std::set<std::string> all = ids_of(plan_of("paper", GetParam()));
  std::set<std::string> used;
  for (const std::string& file : kFigureFiles) {
    SCOPED_TRACE(file);
    const std::set<std::string> ids = ids_of(plan_of(file, GetParam()));
    EXPECT_THAT(all, testing::IsSupersetOf(ids));
    used.insert(ids.begin(), ids.end());
  }
  EXPECT_EQ(used, all) << "none that no figure needs";
}

TEST_P(PaperStudies, EveryFigureCanBeDrawnFromItsRuns) {
  std::vector<std::string> files = kFigureFiles;
  for (const char* file : {"paper", "estimate"}) files.emplace_back(file);
  std::set<std::string> drawn;
  for (const std::string& file : files) {
    SCOPED_TRACE(file);
    const StudyPlan plan = plan_of(file, GetParam());
    StudyData data{plan.name, "", {}};
    for (const TrainConfig& run : plan.runs) data.runs.push_back(done_run(run));
    ASSERT_FALSE(plan.figures.empty());
    for (const std::string& id : plan.figures) {
      SCOPED_TRACE(id);
      Figure figure;
      ASSERT_NO_THROW(figure = make_figure(id, data));
      drawn.insert(id);
      const std::size_t wanted = id == "3" ? 8 : id == "5" || id == "4" || id == "D" ? 3 : id == "C" ? 4 : 1;
      EXPECT_GE(figure.panels.size(), wanted);
    }
  }
  EXPECT_THAT(figure_ids(), testing::UnorderedElementsAreArray(drawn));
}

TEST_P(PaperStudies, SmallIsTheDefaultAndPaperThePapersSize) {
  for (const std::string& file : kFigureFiles) {
    SCOPED_TRACE(file);
    EXPECT_EQ(ids_of(plan_of(file, "")), ids_of(plan_of(file, "small")));
    for (const TrainConfig& run : plan_of(file, "paper").runs) {  // Li et al., ICLR 2020, section 4.1
      EXPECT_EQ(run.model, "resnet18");
      EXPECT_EQ(run.width, 1);
      EXPECT_EQ(run.train_limit, 0);
      EXPECT_EQ(run.full, "200ep");
      EXPECT_EQ(run.batch_size, 128);
      EXPECT_EQ(run.weight_decay, 5e-4);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Profiles, PaperStudies, testing::Values("small", "paper"),
                         [](const auto& profile) { return std::string(profile.param); });

}  // namespace
}  // namespace glidepath
