// tests/study/plan_test.cpp - study files: their product, its order, profiles, --set, and every mistake by
// line.
#include <gmock/gmock.h>

#include "study/support.h"

namespace glidepath {
namespace {

using testing::ElementsAre;

class StudyPlanFile : public FolderTest {
 protected:
  StudyPlan plan(const std::string& text, const PlanChanges& changes = {}) {
    file_ = write("s.toml", text);
    return read_study_plan(file_, changes);
  }
  /// The message with the folder's name taken out.
  std::string refusal(const std::string& text, const PlanChanges& changes = {}) {
    std::string message = message_of<InputError>([&] { plan(text, changes); });
    const std::string folder = folder_.string() + "/";
    for (auto place = message.find(folder); place != std::string::npos; place = message.find(folder)) {
      message.erase(place, folder.size());
    }
    return message;
  }
  static std::vector<std::string> labels(const StudyPlan& plan) {
    std::vector<std::string> labels;
    for (const TrainConfig& run : plan.runs) {
      labels.push_back(run.schedule + " " + run.budget + " " + std::to_string(run.seed));
    }
    return labels;
  }
  std::filesystem::path file_;
};

TEST_F(StudyPlanFile, IsTheProductWithSeedsOutermostAndCheapBudgetsFirst) {
  const StudyPlan p = plan(R"(
name = "n"
title = "t"
[base]
model = "resnet8"
full = "10ep"
[grid]
seed = [2, 1]
schedule = ["linear", "const"]
budget = ["100%", "500it", "1%"]
)");
  EXPECT_EQ(p.name, "n");
  EXPECT_EQ(p.title, "t");
  EXPECT_THAT(p.axes, ElementsAre("seed", "schedule", "budget"));
  EXPECT_THAT(p.values.at("budget"), ElementsAre("100%", "500it", "1%"));
  EXPECT_THAT(labels(p), ElementsAre("linear 1% 2", "const 1% 2", "linear 500it 2", "const 500it 2",
                                     "linear 100% 2", "const 100% 2", "linear 1% 1", "const 1% 1",
                                     "linear 500it 1", "const 500it 1", "linear 100% 1", "const 100% 1"));
  for (const TrainConfig& run : p.runs) EXPECT_EQ(run.model, "resnet8");
}

TEST_F(StudyPlanFile, WithoutAGridIsOneRunNamedAfterTheFile) {
  const StudyPlan p = plan("[base]\nbudget = \"30ep\"\n");
  EXPECT_EQ(p.name, "s");
  EXPECT_EQ(p.title, "s");
  ASSERT_EQ(p.runs.size(), 1u);
  EXPECT_EQ(p.runs[0].budget, "30ep");
}

TEST_F(StudyPlanFile, GivesEachRunOneThreadUnlessItSaysOtherwise) {
  EXPECT_EQ(plan("").runs.at(0).threads, 1);
  EXPECT_EQ(plan("[base]\nthreads = 4\n").runs.at(0).threads, 4);
}

TEST_F(StudyPlanFile, TakesNumbersTextsAndFlags) {
  const StudyPlan p =
      plan("[base]\nbase_lr = 0.05\nnesterov = false\nbatch_size = 64\n[grid]\nwidth = [0.5, 1, 2.0]\n");
  EXPECT_EQ(p.runs.at(0).base_lr, 0.05);
  EXPECT_FALSE(p.runs.at(0).nesterov);
  EXPECT_EQ(p.runs.at(0).batch_size, 64);
  EXPECT_THAT(p.values.at("width"), ElementsAre("0.5", "1", "2"));
}

TEST_F(StudyPlanFile, SetTakesListsWithAndWithoutQuotes) {
  const StudyPlan p = plan("", {"", {{"schedule", "[linear, \"htd(-6,3)\",step(0.5,0.75), 'const',]"}}});
  EXPECT_THAT(p.values.at("schedule"), ElementsAre("linear", "htd(-6,3)", "step(0.5,0.75)", "const"));
}

constexpr const char* kProfiles = R"([base]
model = "resnet18"
[grid]
schedule = ["linear", "const"]
seed = [1, 2]
[profile.small]
model = ["resnet8", "resnet20"]
seed = 7
[profile.other]
full = "3ep"
)";

TEST_F(StudyPlanFile, ProfileReplacesValuesAndAxes) {
  const StudyPlan p = plan(kProfiles, {"small", {}});
  EXPECT_THAT(p.axes, ElementsAre("model", "schedule"));
  EXPECT_EQ(p.runs.size(), 4u);
  for (const TrainConfig& run : p.runs) EXPECT_EQ(run.seed, 7u);
}

TEST_F(StudyPlanFile, SetReplacesWhatTheFileAndTheProfileSay) {
  const StudyPlan p =
      plan(kProfiles, {"small", {{"model", "convnet"}, {"seed", "[4, 5, 6]"}, {"schedule", "htd(-6,3)"}}});
  EXPECT_THAT(p.axes, ElementsAre("seed"));
  EXPECT_EQ(p.runs.size(), 3u);
  EXPECT_EQ(p.runs[2].seed, 6u);
  EXPECT_EQ(p.runs[2].model, "convnet");
  EXPECT_EQ(p.runs[2].schedule, "htd(-6,3)");
}

TEST_F(StudyPlanFile, RefusesMistakesWithTheirLine) {
  struct Case {
    const char *text, *message;
  };
  for (const Case& c : {
           Case{"nam = \"x\"\n",
                "s.toml:1: \"nam\" is not a key of a study file; those are name, title, figures, "
                "default_profile, base, grid, profile, reference, slurm, labels"},
           {"\nname = 3\n", "s.toml:2: name: must be a text"},
           {"grid = 3\n", "s.toml:1: grid: must be a table"},
           {"labels = 3\n", "s.toml:1: labels: must be a table"},
           {"[labels]\nlinear = 3\n", "s.toml:2: [labels] linear: must be a text"},
           {"[labels]\nlinear = \"\"\n", "s.toml:2: [labels] linear: must not be empty"},
           {"[base]\n\nshedule = \"linear\"\n",
            "s.toml:3: \"shedule\" is not a train option; the nearest is schedule"},
           {"[grid]\nsed = [1]\n", "s.toml:2: \"sed\" is not a train option; the nearest is seed"},
           {"[profile.p]\nwidht = 1\n", "s.toml:2: \"widht\" is not a train option; the nearest is width"},
           {"[base]\nseed = [1]\n", "s.toml:2: seed: a list belongs in [grid]; [base] takes one value"},
           {"[grid]\nseed = 1\n", "s.toml:2: seed: a single value belongs in [base]; [grid] takes lists"},
           {"[base]\nseed = 1\n[grid]\nseed = [1]\n",
            "s.toml:4: seed: is in [base] and in [grid]; leave one"},
           {"[grid]\nseed = []\n", "s.toml:2: seed: an empty list; give at least one value"},
           {"[grid]\nseed = [1, 2, 1]\n", "s.toml:2: seed: \"1\" is in the list twice"},
           {"[grid]\nbudget = [\"60m\", \"1h\"]\n",
            "s.toml:2: budget: \"1h\" is the same as \"60m\" of the list"},
           {"[grid]\nseed = [[1]]\n", "s.toml:2: seed: must be a single text, number, true or false"},
           {"[base]\nseed = 1979-05-27\n",
            "s.toml:2: seed: a time is given in quotes: seed = \"1979-05-27\""},
           {"[grid]\ndata_dir = [\"a\", \"b\"]\n",
            "s.toml:2: data_dir: does not change a run's result, so it cannot be a list; give one value"},
           {"[grid]\nwidth = [1, -1]\n", "s.toml:2: width \"-1\": must be a number in (0, 64)"},
           {"[base]\nmomentum = 0\n[grid]\nseed = [3]\n",
            "s.toml: run seed 3: momentum \"0\": must be above 0 for nesterov; give momentum 0.9, or "
            "nesterov false"},
       }) {
    SCOPED_TRACE(c.text);
    EXPECT_EQ(refusal(c.text), c.message);
  }
}

TEST_F(StudyPlanFile, RefusesWhatIsNotTomlOrNotThere) {
  EXPECT_THAT(refusal("[base]\nseed = = 1\n"), testing::StartsWith("s.toml:2: not valid TOML: "));
  EXPECT_EQ(message_of<InputError>([&] { read_study_plan(folder_ / "none.toml"); }),
            (folder_ / "none.toml").string() + ": cannot be read; give a study file in TOML");
}

TEST_F(StudyPlanFile, RefusesScheduleAndBudgetThatTheirGrammarsRefuse) {
  EXPECT_THAT(refusal("[grid]\n\nschedule = [\"linear\", \"linaer\"]\n"),
              testing::AllOf(testing::StartsWith("s.toml:3: schedule"), testing::HasSubstr("linaer")));
  EXPECT_THAT(refusal("[grid]\n\nbudget = [10]\n"), testing::StartsWith("s.toml:3: budget"));
}

TEST_F(StudyPlanFile, RefusesUnknownProfilesAndWrongChanges) {
  EXPECT_EQ(refusal(kProfiles, {"big", {}}), "s.toml: no profile \"big\"; it has small, other");
  EXPECT_EQ(refusal("", {"big", {}}), "s.toml: no profile \"big\"; the file has none");
  EXPECT_EQ(refusal("", {"", {{"sed", "1"}}}),
            "--set sed=1: \"sed\" is not a train option; the nearest is seed");
  EXPECT_EQ(refusal("", {"", {{"seed", "[]"}}}),
            "--set seed=[]: seed: an empty list; give at least one value");
  EXPECT_EQ(refusal("", {"", {{"seed", "[1"}}}), "--set seed=[1: the list has no end; write it as [a, b]");
  EXPECT_EQ(refusal("", {"", {{"seed", "[1,,2]"}}}),
            "--set seed=[1,,2]: seed \"\": must be a whole number in [0, 9223372036854775807]");
}

constexpr const char* kUnion = R"toml(
figures = ["3", "D"]
default_profile = "small"
[base]
full = "10ep"
base_lr = 0.1
[[grid]]
schedule = ["linear", "step-d2"]
budget = ["10%", "100%"]
seed = [1, 2]
[[grid]]
schedule = ["linear", "const"]
budget = "100%"
seed = [1, 2]
[[grid]]
schedule = "const"
budget = ["100%"]
base_lr = 0.001
label_smoothing = 0.1
seed = [1, 2]
[profile.small]
seed = [1]
width = 0.5
[[profile.small.grid]]
schedule = "sgdr(1,2)"
budget = ["100%"]
[profile.big]
full = "20ep"
)toml";

TEST_F(StudyPlanFile, UnionOfGridsHasEqualRunsOnce) {
  const StudyPlan p = plan(kUnion, {"big", {}});
  EXPECT_TRUE(p.is_union);
  EXPECT_THAT(p.figures, ElementsAre("3", "D"));
  // 2 x 2 x 2, linear at 100 % is one of them already, const twice with different rates.
  EXPECT_EQ(p.runs.size(), 8u + 2u + 2u);
  EXPECT_THAT(labels(p), ElementsAre("linear 10% 1", "step-d2 10% 1", "linear 100% 1", "step-d2 100% 1",
                                     "const 100% 1", "const 100% 1", "linear 10% 2", "step-d2 10% 2",
                                     "linear 100% 2", "step-d2 100% 2", "const 100% 2", "const 100% 2"));
  // base_lr tells the two const apart; label_smoothing goes with it and is no axis.
  EXPECT_THAT(p.axes, ElementsAre("schedule", "budget", "seed", "base_lr"));
  EXPECT_THAT(p.values.at("schedule"), ElementsAre("linear", "step-d2", "const"));
  EXPECT_THAT(p.values.at("base_lr"), ElementsAre("0.1", "0.001"));
  EXPECT_EQ(p.runs[5].label_smoothing, 0.1);
  for (const TrainConfig& run : p.runs) EXPECT_EQ(run.full, "20ep");
}

TEST_F(StudyPlanFile, DefaultProfileIsTakenWithoutAFlagAndMayAddGrids) {
  const StudyPlan p = plan(kUnion);
  EXPECT_EQ(p.runs.size(), 4u + 1u + 1u + 1u);
  for (const TrainConfig& run : p.runs) EXPECT_EQ(run.width, 0.5);
  EXPECT_THAT(p.values.at("schedule"), ElementsAre("linear", "step-d2", "const", "sgdr(1,2)"));
  EXPECT_THAT(plan(kUnion, {"", {{"seed", "[7, 8]"}}}).runs.size(), 14u);
  EXPECT_THAT(plan("[[grid]]\nbudget = \"100%\"\n[[grid]]\nbudget = [\"5%\", \"10%\"]\n").values.at("budget"),
              ElementsAre("5%", "10%", "100%"));
}

TEST_F(StudyPlanFile, UnionRefusesMistakesWithTheirLine) {
  EXPECT_EQ(refusal("[[grid]]\nsed = 1\n"), "s.toml:2: \"sed\" is not a train option; the nearest is seed");
  EXPECT_EQ(refusal("[[grid]]\nseed = 1\n[[grid]]\nseed = [2, 2]\n"),
            "s.toml:4: seed: \"2\" is in the list twice");
  EXPECT_EQ(refusal("grid = [1]\n"), "s.toml:1: grid: must be a table");
  EXPECT_EQ(refusal("figures = [\"1\", \"7\"]\n"),
            "s.toml:1: figures: \"7\" is not a figure; those are 1, 2, 3, 4, 5, A, B, C, D, estimate");
  const std::string reference = "[reference]\nsource = \"S\"\nbudget = [\"1%\", \"100%\"]\n";
  EXPECT_EQ(refusal("[reference]\nsource = \"S\"\n"), "s.toml:1: reference: has no \"budget\"");
  EXPECT_EQ(refusal("[reference]\nsauce = 1\n"),
            "s.toml:2: reference: \"sauce\" is not a key of it; those are source, budget, accuracy");
  EXPECT_EQ(refusal("[reference]\nsource = \"S\"\nbudget = [\"2%\", \"1%\"]\n"),
            "s.toml:3: reference: budget \"1%\": must be percentages that rise");
  EXPECT_EQ(refusal(reference + "accuracy = 3\n"),
            "s.toml:4: reference: accuracy: must be a table of schedules");
  EXPECT_EQ(refusal(reference + "[reference.accuracy]\nlinear = [0.3]\n"),
            "s.toml:5: reference: linear: must be 2 accuracies in percent, one for each budget");
  EXPECT_EQ(refusal(reference + "[reference.accuracy]\nlinear = [30, 101]\n"),
            "s.toml:5: reference: linear: must be 2 accuracies in percent, one for each budget");
  EXPECT_THAT(refusal(reference + "[reference.accuracy]\nlinar = [30, 40]\n"),
              testing::HasSubstr("s.toml:5: reference: "));
  EXPECT_EQ(refusal("figures = 3\n"),
            "s.toml:1: figures: must be a list of texts, for example [\"1\", \"A\"]");
  EXPECT_EQ(refusal("default_profile = \"x\"\n"), "s.toml: no profile \"x\"; the file has none");
  EXPECT_EQ(refusal("[profile.p]\ngrid = 1\n"), "s.toml:2: p.grid: must be [[profile.p.grid]] tables");
}

TEST_F(StudyPlanFile, RefusesMoreThanAHundredThousandRuns) {
  std::string list;
  for (int i = 0; i < 400; ++i) list += std::to_string(i) + ",";
  const std::string text = "[grid]\nseed = [" + list + "]\nbatch_size = [" + list.substr(2) + "]\n";
  EXPECT_EQ(refusal(text), "s.toml: the grid has more than 100000 runs; shorten its lists");
}

}  // namespace
}  // namespace glidepath
