// tests/study/resume_test.cpp - studies killed at any moment, and two studies on one folder.
#include <chrono>
#include <csignal>
#include <ctime>
#include <map>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include "study/store/store.h"
#include "study/support.h"

namespace glidepath {
namespace {

constexpr const char* kStudy =
    "[base]\ndata_dir = \"15\"\n[grid]\nschedule = [\"linear\", \"const\", \"cosine\"]\n"
    "budget = [\"1%\", \"10%\", \"100%\"]\nseed = [1, 2]\n";

class KilledStudy : public FolderTest {
 protected:
  KilledStudy() {
    study_ = write("s.toml", kStudy);
    ::setenv("FAKE_TRAINER_LOG", (folder_ / "log").c_str(), 1);
  }

  pid_t start(const std::string& out, const char* jobs = "3") const {
    const std::string folder = (folder_ / out).string();
    const pid_t pid = ::fork();
    if (pid == 0) {
      ::execl(STUDY_DRIVER, STUDY_DRIVER, study_.c_str(), folder.c_str(), FAKE_TRAINER, jobs, nullptr);
      ::_exit(127);
    }
    return pid;
  }
  static int wait(pid_t pid) {
    int status = 0;
    ::waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  std::map<std::string, int> log_counts(const std::string& wanted) const {
    std::istringstream words(text_of(folder_ / "log"));
    std::map<std::string, int> counts;
    for (std::string what, run; words >> what >> run;) counts[run] += what == wanted;
    return counts;
  }
  int starts() const {
    int count = 0;
    for (const auto& [run, times] : log_counts("start")) count += times;
    return count;
  }
  /// Whether it comes true, however busy the machine is.
  template <typename Condition>
  static bool soon(const Condition& is_true) {
    const auto patience = std::chrono::steady_clock::now() + std::chrono::minutes(1);
    while (!is_true()) {
      if (std::chrono::steady_clock::now() > patience) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return true;
  }
  void expect_each_run_done_once(int per_run) const {
    const auto done = log_counts("done");
    EXPECT_EQ(done.size(), 18u);
    for (const auto& [run, count] : done) EXPECT_LE(count, per_run) << run << " was repeated";
    for (const auto& [run, count] : log_counts("overlap")) EXPECT_EQ(count, 0) << run << " ran twice at once";
  }

  std::filesystem::path study_;
};

TEST_F(KilledStudy, EndsWithTheSameTableAsAnUninterruptedOne) {
  ASSERT_EQ(wait(start("whole")), 0);
  const std::string table = text_of(folder_ / "whole" / "table.md");
  std::filesystem::remove(folder_ / "log");

  int kills = 0;
  for (int milliseconds = 1; milliseconds < 200; milliseconds += 7) {
    const pid_t pid = start("killed");
    std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds % 61));
    ::kill(pid, SIGKILL);
    kills += wait(pid) == 128 + SIGKILL;
  }
  EXPECT_GT(kills, 5);
  ASSERT_EQ(wait(start("killed")), 0);
  EXPECT_EQ(text_of(folder_ / "killed" / "table.md"), table);
  expect_each_run_done_once(1);
  for (const RunRecord& run : read_study_results(folder_ / "killed").runs)
    EXPECT_EQ(run.status, RunStatus::kDone);
}

TEST_F(KilledStudy, LeavesNoRunBehind) {
  write("s.toml", "[grid]\ndata = [\"hang\"]\nseed = [1, 2, 3]\n");
  const pid_t study = start("out");
  std::vector<pid_t> runs;
  const auto all_have_begun = [&] {
    runs.clear();
    if (starts() < 3) return false;
    for (const auto& entry : std::filesystem::directory_iterator(folder_ / "out" / "runs")) {
      pid_t run = 0;
      if (std::ifstream(entry.path() / "fake.pid") >> run) runs.push_back(run);
    }
    return runs.size() == 3;
  };
  ASSERT_TRUE(soon(all_have_begun));
  ::kill(study, SIGKILL);
  wait(study);
  for (const pid_t run : runs) {
    // Nobody may have buried it yet: what counts is that it runs no more.
    const auto runs_no_more = [&] {
      const std::string stat = text_of("/proc/" + std::to_string(run) + "/stat");
      return stat.empty() || stat.find(") Z") != std::string::npos;
    };
    EXPECT_TRUE(soon(runs_no_more)) << run;
    ::kill(run, SIGKILL);
  }
}

TEST_F(KilledStudy, StopsForSignalsWithTheirExitStatus) {
  for (const int signal : {SIGINT, SIGTERM}) {
    const int before = starts();
    const pid_t pid = start("out", "1");
    ASSERT_TRUE(soon([&] { return starts() > before; }));
    ::kill(pid, signal);
    EXPECT_EQ(wait(pid), 128 + signal);
    for (const RunRecord& run : read_study_results(folder_ / "out").runs)
      EXPECT_NE(run.status, RunStatus::kRunning);
  }
  EXPECT_EQ(wait(start("out")), 0);
  expect_each_run_done_once(1);
}

TEST_F(KilledStudy, SharesItsRunsWithASecondProcess) {
  const pid_t first = start("shared"), second = start("shared");
  EXPECT_EQ(wait(first), 0);
  EXPECT_EQ(wait(second), 0);
  expect_each_run_done_once(1);
  std::int64_t attempts = 0;
  for (const RunRecord& run : read_study_results(folder_ / "shared").runs) attempts += run.attempts;
  EXPECT_EQ(attempts, 18);
}

TEST_F(KilledStudy, SecondProcessTakesOverWhatAKilledOneLeaves) {
  const pid_t first = start("shared", "2"), second = start("shared", "2");
  std::this_thread::sleep_for(std::chrono::milliseconds(40));
  ::kill(first, SIGKILL);
  wait(first);
  EXPECT_EQ(wait(second), 0);
  for (const RunRecord& run : read_study_results(folder_ / "shared").runs)
    EXPECT_EQ(run.status, RunStatus::kDone);
  expect_each_run_done_once(1);
}

// What another machine claimed cannot be seen to be gone: its runs are free when it no longer renews them.
TEST_F(KilledStudy, TakesOverTheRunsOfAnotherMachineWhenTheirLeaseHasRunOut) {
  const StudyPlan plan = read_study_plan(study_);
  std::vector<std::string> ids;
  for (const TrainConfig& run : plan.runs) ids.push_back(run_id(run));
  {
    // Claimed so long ago that the lease ends in two seconds.
    StudyStore store(folder_ / "out", [] {
      return static_cast<std::int64_t>(std::time(nullptr)) - StudyStore::kLeaseSeconds + 2;
    });
    store.save_plan(plan, ids);
    const Owner far_away{"another machine", 1, 1};
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(store.claim(far_away, ids, [](const auto&) { return 0; }));
  }
  EXPECT_EQ(wait(start("out")), 0);
  expect_each_run_done_once(1);
  std::int64_t attempts = 0;
  for (const RunRecord& run : read_study_results(folder_ / "out").runs) {
    EXPECT_EQ(run.status, RunStatus::kDone);
    attempts += run.attempts;
  }
  EXPECT_EQ(attempts, 18 + 3);
}

}  // namespace
}  // namespace glidepath
