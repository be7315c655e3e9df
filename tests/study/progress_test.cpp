// tests/study/progress_test.cpp - what a study says while it runs.
#include "study/execute/progress.h"

#include <cmath>

#include <gmock/gmock.h>

#include "study/results/run_words.h"

namespace glidepath {
namespace {

using testing::ElementsAre;

const std::vector<std::string> kAxes = {"schedule", "budget", "seed"};

TrainConfig config_with_schedule(const std::string& schedule) {
  TrainConfig config;
  config.schedule = schedule;
  config.budget = "10%";
  config.seed = 1;
  return config;
}

TEST(RoughDuration, TakesTheUnitThatFits) {
  for (const auto& [seconds, text] : std::vector<std::pair<double, std::string>>{{0, "0 s"},
                                                                                 {41.4, "41 s"},
                                                                                 {59.6, "1 min"},
                                                                                 {23 * 60 + 20, "23 min"},
                                                                                 {3599, "1 h 0 min"},
                                                                                 {4800, "1 h 20 min"},
                                                                                 {276'000, "3 d 4 h"}}) {
    EXPECT_EQ(rough_duration(seconds), text);
  }
}

TEST(FinishedLine, SaysWhichRunHowWellAndHowLongIsLeft) {
  RunRecord run;
  run.config = config_with_schedule("linear");
  run.status = RunStatus::kDone;
  run.test_accuracy = 0.78312;
  run.seconds = 41;
  StudyProgress progress;
  progress.total = 144;
  progress.done = 11;
  progress.failed = 1;
  progress.seconds_left = 23 * 60;
  EXPECT_EQ(finished_line(run, progress, kAxes),
            "[ 12/144] linear 10% seed 1: 78.31 % in 41 s, about 23 min left");
  progress.seconds_left = std::nan("");
  EXPECT_EQ(finished_line(run, progress, kAxes), "[ 12/144] linear 10% seed 1: 78.31 % in 41 s");
  run.scores["test_perplexity"] = 14.684;
  EXPECT_EQ(finished_line(run, progress, kAxes), "[ 12/144] linear 10% seed 1: perplexity 14.68 in 41 s");
  run.scores = {{"test_mean_iou", 0.1495}};
  EXPECT_EQ(finished_line(run, progress, kAxes), "[ 12/144] linear 10% seed 1: mean iou 14.95 % in 41 s");
  run.scores.clear();
  run.status = RunStatus::kDiverged;
  run.error = "diverged: the loss is nan at update 12";
  progress.diverged = 1;
  EXPECT_EQ(finished_line(run, progress, kAxes),
            "[ 13/144] linear 10% seed 1: diverged: the loss is nan at update 12");
  progress.diverged = 0;
  run.status = RunStatus::kFailed;
  run.error = "no space left";
  progress.done = 143;
  progress.seconds_left = 0;
  EXPECT_EQ(finished_line(run, progress, kAxes), "[144/144] linear 10% seed 1: failed: no space left");
}

TEST(LiveLines, ShowEveryJobAndTheWholeInTheWidthGiven) {
  StudyProgress progress;
  progress.total = 8;
  progress.done = 3;
  progress.elsewhere = 2;
  progress.seconds_left = 95;
  progress.jobs = {{config_with_schedule("linear"), 0.5, 12}, {config_with_schedule("cosine"), 0, 0}};
  EXPECT_THAT(
      live_lines(progress, kAxes, 100),
      ElementsAre("[##########..........]  50 % linear 10% seed 1, 12 s",
                  "[....................]   0 % cosine 10% seed 1, 0 s",
                  "[#########...........]  44 % 3 of 8 runs done, 2 in other processes, about 2 min left"));
  EXPECT_THAT(live_lines(progress, kAxes, 40),  // no word is cut
              ElementsAre("[##########..........]  50 % linear 10%",
                          "[....................]   0 % cosine 10%", "[#########...........]  44 %"));
  for (const std::string& line : live_lines(progress, kAxes, 20)) EXPECT_LE(line.size(), 20u);
}

TEST(RunLabel, WithoutAxesIsScheduleAndBudget) {
  EXPECT_EQ(run_label(config_with_schedule("linear"), {}), "linear 10%");
}

}  // namespace
}  // namespace glidepath
