// tests/study/executor_test.cpp - a study with a stand-in for train: order, failures, retries, signals.
#include <algorithm>
#include <chrono>
#include <csignal>

#include <gmock/gmock.h>

#include "study/store/run_lock.h"
#include "study/support.h"

namespace glidepath {
namespace {

using testing::ElementsAre;

class StudyRun : public FolderTest {
 protected:
  StudyRun() {
    options_.out = folder_ / "out";
    options_.program = FAKE_TRAINER;
    options_.jobs = 2;
    ::setenv("FAKE_TRAINER_LOG", (folder_ / "log").c_str(), 1);
  }
  StudyResults run(const std::string& text) {
    const StudyPlan plan = read_study_plan(write("s.toml", text));
    return run_study(plan, options_);
  }
  /// How often `what` is in the stand-in's log.
  std::ptrdiff_t logged(const std::string& what) const {
    std::istringstream words(text_of(folder_ / "log"));
    return std::count(std::istream_iterator<std::string>(words), {}, what);
  }
  static std::size_t count(const StudyResults& results, RunStatus status) {
    return static_cast<std::size_t>(
        std::count_if(results.runs.begin(), results.runs.end(),
                      [&](const RunRecord& run) { return run.status == status; }));
  }

  StudyOptions options_;
};

TEST_F(StudyRun, DoesEveryRunOnceAndKeepsNumbersAndCurves) {
  const StudyResults results = run("[grid]\nschedule = [\"linear\", \"const\"]\nseed = [1, 2, 3]\n");
  ASSERT_EQ(results.runs.size(), 6u);
  EXPECT_EQ(count(results, RunStatus::kDone), 6u);
  EXPECT_EQ(logged("start"), 6);
  EXPECT_EQ(logged("overlap"), 0);
  for (const RunRecord& run : results.runs) {
    EXPECT_EQ(run.train_accuracy, 0.875);
    EXPECT_EQ(run.attempts, 1);
    const auto curve = read_curve(options_.out, run.id);
    ASSERT_EQ(curve.size(), 2u);
    EXPECT_EQ(curve[1].accuracy, run.test_accuracy);
    EXPECT_EQ(read_train_config(run.directory / "config.toml"), run.config);
  }
  EXPECT_EQ(run("[grid]\nschedule = [\"linear\", \"const\"]\nseed = [1, 2, 3]\n").runs.size(), 6u);
  EXPECT_EQ(logged("start"), 6) << "a finished run was started again";
}

TEST_F(StudyRun, ReportsEachFinishedRunAndCountsUp) {
  std::vector<std::size_t> counts;
  options_.on_finished = [&](const RunRecord& run, const StudyProgress& progress) {
    EXPECT_EQ(run.status, RunStatus::kDone);
    EXPECT_EQ(progress.total, 4u);
    EXPECT_LE(progress.jobs.size(), 2u);
    counts.push_back(progress.done);
  };
  run("[grid]\nseed = [1, 2, 3, 4]\n");
  EXPECT_THAT(counts, ElementsAre(1, 2, 3, 4));
}

TEST_F(StudyRun, RunsAsManyJobsAsAskedForAndNoMore) {
  std::size_t most = 0;
  options_.jobs = 3;
  options_.on_finished = [&](const RunRecord&, const StudyProgress& progress) {
    most = std::max(most, progress.jobs.size());
  };
  run("[base]\ndata_dir = \"40\"\n[grid]\nseed = [1, 2, 3, 4, 5, 6, 7]\n");
  EXPECT_GE(most, 2u);  // the third has just ended
  EXPECT_LE(most, 3u);
}

TEST_F(StudyRun, TakesThePlansOrderAndTheLongestFirstNearTheEnd) {
  options_.jobs = 1;
  std::vector<std::string> budgets;
  options_.on_finished = [&](const RunRecord& run, const StudyProgress&) {
    budgets.push_back(run.config.budget);
  };
  run("[grid]\nbudget = [\"1it\", \"2it\", \"3it\", \"4it\", \"5it\"]\n");
  EXPECT_THAT(budgets, ElementsAre("1it", "2it", "3it", "5it", "4it"));
}

TEST_F(StudyRun, RecordsEveryKindOfFailureAndGoesOn) {
  const StudyResults results =
      run("[grid]\ndata = [\"ok\", \"fail\", \"wrong-input\", \"no-summary\", \"diverge\", \"crash\", "
          "\"out-of-memory\"]\n");
  EXPECT_EQ(count(results, RunStatus::kDone), 1u);
  std::map<std::string, std::string> errors;
  for (const RunRecord& run : results.runs) {
    EXPECT_EQ(run.status, run.config.data == "ok"        ? RunStatus::kDone
                          : run.config.data == "diverge" ? RunStatus::kDiverged
                                                         : RunStatus::kFailed);
    errors[run.config.data] = run.error;
  }
  EXPECT_EQ(errors["ok"], "");
  EXPECT_EQ(errors["fail"], "the disk is on fire");
  EXPECT_EQ(errors["wrong-input"], "the disk is on fire");
  EXPECT_EQ(errors["no-summary"], "ended well but left no summary.json");
  EXPECT_EQ(errors["diverge"], "diverged: the loss is nan at update 2 (lr 1e+09)");
  EXPECT_EQ(errors["crash"], "killed by signal 6 (Aborted)");
  EXPECT_EQ(errors["out-of-memory"],
            "killed by signal 9 (Killed); when the machine is out of memory, fewer --jobs help");
}

TEST_F(StudyRun, RetriesFailedRunsOnlyWhenAsked) {
  const std::string text = "[grid]\ndata = [\"fail\", \"ok\"]\n";
  run(text);
  run(text);
  EXPECT_EQ(logged("start"), 2);
  options_.retry_failed = true;
  const StudyResults results = run(text);
  EXPECT_EQ(logged("start"), 3);
  EXPECT_EQ(results.runs[0].attempts, 2);
  EXPECT_EQ(results.runs[1].attempts, 1);
}

TEST_F(StudyRun, DivergenceIsAResultAndNotTriedAgain) {
  const std::string text = "[grid]\ndata = [\"diverge\", \"ok\"]\n";
  std::size_t diverged = 0;
  options_.jobs = 1;
  options_.on_finished = [&](const RunRecord&, const StudyProgress& progress) {
    diverged = progress.diverged;
    EXPECT_EQ(progress.failed, 0u);
  };
  run(text);
  EXPECT_EQ(diverged, 1u);
  options_.retry_failed = true;
  const StudyResults results = run(text);
  EXPECT_EQ(logged("start"), 2);
  EXPECT_EQ(results.runs[0].status, RunStatus::kDiverged);
  EXPECT_EQ(results.runs[0].updates, 2);
}

TEST_F(StudyRun, FindsRunsThatDivergedAgainWithoutItsStore) {
  const std::string text = "[base]\ndata = \"diverge\"\n";
  run(text);
  std::filesystem::remove(options_.out / "study.sqlite");
  const StudyResults results = run(text);
  EXPECT_EQ(logged("start"), 1);
  EXPECT_EQ(results.runs[0].status, RunStatus::kDiverged);
  EXPECT_EQ(results.runs[0].error, "diverged: the loss is nan at update 2 (lr 1e+09)");
}

TEST_F(StudyRun, GoesOnTwiceWithARunThatWasKilled) {
  StudyResults results = run("[base]\ndata = \"killed-once\"\n");
  EXPECT_EQ(results.runs[0].status, RunStatus::kDone);
  EXPECT_EQ(logged("start"), 2);
  results = run("[base]\ndata = \"out-of-memory\"\n");
  EXPECT_EQ(results.runs[0].status, RunStatus::kFailed);
  EXPECT_EQ(logged("start"), 2 + 3);
  EXPECT_EQ(logged("overlap"), 0);
}

TEST_F(StudyRun, StopsWithOneErrorWhenTheDiskIsFull) {
  options_.jobs = 1;
  const std::string text = "[base]\ndata = \"full-disk\"\n[grid]\nseed = [1, 2, 3]\n";
  EXPECT_EQ(message_of<RunError>([&] { run(text); }),
            options_.out.string() +
                ": a run could not write: model.safetensors: cannot write: No space left on device; the same "
                "command goes on from here");
  EXPECT_EQ(logged("start"), 1);
  EXPECT_EQ(count(read_study_results(options_.out), RunStatus::kPending), 3u);
}

TEST_F(StudyRun, LeavesARunAloneThatAProcessStillWorksOn) {
  const StudyPlan plan = read_study_plan(write("s.toml", "[grid]\nseed = [1, 2]\n"));
  std::filesystem::create_directories(options_.out);
  auto lock = RunLock::take(options_.out, run_id(plan.runs[0]));
  ASSERT_TRUE(lock);
  EXPECT_FALSE(RunLock::take(options_.out, run_id(plan.runs[0])));
  options_.on_finished = [&](const RunRecord& run, const StudyProgress&) {
    EXPECT_EQ(run.config.seed, lock ? 2u : 1u);
    lock.reset();  // the other process is gone
  };
  EXPECT_EQ(count(run_study(plan, options_), RunStatus::kDone), 2u);
}

TEST_F(StudyRun, ChangedStudyAddsRunsAndLeavesOutTheOthers) {
  run("[grid]\nseed = [1, 2]\n");
  const StudyResults results = run("[grid]\nseed = [2, 3]\n");
  EXPECT_EQ(logged("start"), 3);
  ASSERT_EQ(results.runs.size(), 2u);
  EXPECT_EQ(results.runs[0].config.seed, 2u);
  EXPECT_EQ(results.runs[1].config.seed, 3u);
}

TEST_F(StudyRun, FindsFinishedRunsAgainWithoutItsStore) {
  run("[grid]\nseed = [1, 2]\n");
  std::filesystem::remove(options_.out / "study.sqlite");
  EXPECT_EQ(count(run("[grid]\nseed = [1, 2]\n"), RunStatus::kDone), 2u);
  EXPECT_EQ(logged("start"), 2);
}

TEST_F(StudyRun, StopsWhenAskedAndGoesOnFromCheckpoints) {
  int polls = 0;
  options_.stop_signal = [&] { return ++polls > 10 ? SIGTERM : 0; };
  const std::string text = "[base]\ndata_dir = \"400\"\n[grid]\nseed = [1, 2, 3]\n";
  EXPECT_EQ(message_of<Interrupted>([&] { run(text); }),
            "stopped with 0 of 3 runs finished; the same command goes on from here");
  EXPECT_EQ(logged("done"), 0);
  EXPECT_EQ(count(read_study_results(options_.out), RunStatus::kPending), 3u);
  options_.stop_signal = {};
  EXPECT_EQ(count(run(text), RunStatus::kDone), 3u);
  EXPECT_EQ(logged("resume"), 2);
  EXPECT_EQ(logged("start"), 3);
}

TEST_F(StudyRun, StartsAfreshWhenACheckpointIsOfNoUse) {
  const StudyPlan plan = read_study_plan(write("s.toml", ""));
  const std::string id = run_id(plan.runs[0]);
  write("out/runs/" + id + "/config.toml", to_toml(plan.runs[0]));
  write("out/runs/" + id + "/checkpoint/nothing", "");
  EXPECT_EQ(run_study(plan, options_).runs[0].status, RunStatus::kDone);
  EXPECT_EQ(logged("resume"), 1);
  EXPECT_EQ(logged("start"), 1);
}

TEST_F(StudyRun, RefusesAProgramThatCannotBeStartedAndFreesTheRun) {
  options_.program = folder_ / "none";
  EXPECT_EQ(message_of<RunError>([&] { run(""); }),
            (folder_ / "none").string() + ": cannot be started: No such file or directory");
  EXPECT_EQ(read_study_results(options_.out).runs[0].status, RunStatus::kPending);
}

TEST_F(StudyRun, ReportsRunningJobsWithTheirProgress) {
  bool saw_jobs = false;
  options_.on_progress = [&](const StudyProgress& progress) {
    saw_jobs |= progress.jobs.size() == 2 && progress.done == 0 && progress.total == 2;
  };
  run("[base]\ndata_dir = \"20\"\n[grid]\nseed = [1, 2]\n");
  EXPECT_TRUE(saw_jobs);
}

}  // namespace
}  // namespace glidepath
