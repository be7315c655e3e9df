// tests/study/cluster_study_test.cpp - submission, tasks, status and collection with stand-ins for Slurm's
// programs and for train. The real ones are in tests/cluster.
#include <chrono>
#include <csignal>

#include <gmock/gmock.h>

#include "glidepath/cluster.h"
#include "study/store/run_lock.h"
#include "study/support.h"

namespace glidepath {
namespace {

using testing::HasSubstr;

class ClusterStudy : public FolderTest {
 protected:
  ClusterStudy() {
    options_.out = folder_ / "out";
    options_.program = FAKE_TRAINER;
    ::setenv("PATH", (folder_ / "bin").c_str(), 1);
    ::setenv("FAKE_TRAINER_LOG", (folder_ / "log").c_str(), 1);
    answer("squeue", "");
    answer("sbatch", "4711");
    answer("scancel", "");
    answer("scontrol", "MaxArraySize            = 1001");
  }
  ~ClusterStudy() override {
    ::setenv("PATH", path_.c_str(), 1);
    for (const char* name : {"FAKE_TRAINER_LOG", "SLURM_ARRAY_JOB_ID", "SLURM_ARRAY_TASK_ID"})
      ::unsetenv(name);
  }

  /// A program of Slurm that notes its arguments in calls.txt and says this.
  void answer(const std::string& program, const std::string& out, int status = 0,
              const std::string& err = "") const {
    write(program + ".out", out.empty() ? "" : out + "\n");
    write(program + ".err", err);
    const std::string at = "'" + (folder_ / program).string();
    const auto file = write("bin/" + program, "#!/bin/sh\necho " + program + " \"$@\" >> '" +
                                                  (folder_ / "calls.txt").string() + "'\n/bin/cat " + at +
                                                  ".out'\n/bin/cat " + at + ".err' >&2\nexit " +
                                                  std::to_string(status) + "\n");
    std::filesystem::permissions(file, std::filesystem::perms::owner_all);
  }
  std::string calls() const { return text_of(folder_ / "calls.txt"); }
  StudyPlan plan(const std::string& text) const { return read_study_plan(write("s.toml", text)); }
  Submission submit(const std::string& text) { return submit_study(plan(text), options_); }
  std::string refusal(const std::string& text) {
    return message_of<RunError>([&] { submit(text); });
  }
  void run_task(std::int64_t index, int signal = 0, std::int64_t max_requeue = 10,
                const char* array = "array-001") {
    ClusterTask task{options_.out, array, index, max_requeue, FAKE_TRAINER};
    const auto begin = std::chrono::steady_clock::now();
    run_cluster_task(task, [=] {
      return std::chrono::steady_clock::now() - begin > std::chrono::milliseconds(150) ? signal : 0;
    });
  }
  TaskStatus first_task() const { return cluster_status(options_.out).tasks.at(0); }

  const std::string path_ = std::getenv("PATH");
  SubmitOptions options_;
};

const std::string kFour = "[grid]\nschedule = [\"linear\", \"const\"]\nseed = [1, 2]\n";

TEST_F(ClusterStudy, CollectsWhatTheLocalExecutorFinds) {
  options_.slurm.runs_per_task = 3;
  const Submission submission = submit(kFour);
  ASSERT_EQ(submission.arrays.size(), 1u);
  EXPECT_EQ(submission.arrays[0].tasks, 2u);
  EXPECT_EQ(submission.arrays[0].job_id, "4711");
  EXPECT_EQ(submission.submitted, 4u);
  EXPECT_THAT(calls(),
              HasSubstr("sbatch --parsable " + (submission.arrays[0].folder / "job.sbatch").string()));
  run_task(0);
  run_task(1);
  EXPECT_EQ(cluster_status(options_.out).count(TaskState::kDone), 4u);
  EXPECT_FALSE(std::filesystem::exists(options_.out / "study.sqlite"));

  const StudyResults collected = collect_study(options_.out);
  StudyOptions local;
  local.out = folder_ / "local";
  local.program = FAKE_TRAINER;
  const StudyResults expected = run_study(plan(kFour), local);
  ASSERT_EQ(collected.runs.size(), 4u);
  EXPECT_EQ(collected.axes, expected.axes);
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(collected.runs[i].id, expected.runs[i].id);
    EXPECT_EQ(collected.runs[i].status, RunStatus::kDone);
    EXPECT_EQ(collected.runs[i].test_accuracy, expected.runs[i].test_accuracy);
    EXPECT_EQ(collected.runs[i].attempts, 1);
    EXPECT_EQ(read_curve(options_.out, collected.runs[i].id).size(), 2u);
  }
  EXPECT_EQ(submit(kFour).submitted, 0u);
  EXPECT_EQ(collect_study(options_.out, folder_ / "elsewhere").runs[0].directory,
            collected.runs[0].directory);
  EXPECT_TRUE(std::filesystem::exists(folder_ / "elsewhere" / "study.sqlite"));
}

TEST_F(ClusterStudy, TellsFailureFromDivergence) {
  const std::string text = "[grid]\ndata = [\"diverge\", \"fail\", \"ok\", \"out-of-memory\"]\n";
  submit(text);
  run_task(0);
  EXPECT_THAT(message_of<RunError>([&] { run_task(1); }), HasSubstr("the disk is on fire"));
  run_task(2);
  EXPECT_THAT(message_of<RunError>([&] { run_task(3); }), HasSubstr("out of memory, more --mem helps"));
  const ClusterStatus status = cluster_status(options_.out);
  EXPECT_EQ(status.tasks[0].state, TaskState::kDiverged);
  EXPECT_EQ(status.tasks[1].state, TaskState::kFailed);
  EXPECT_EQ(status.tasks[1].reason, "the disk is on fire");
  EXPECT_EQ(status.tasks[2].state, TaskState::kDone);
  const StudyResults results = collect_study(options_.out);
  EXPECT_EQ(results.runs[0].status, RunStatus::kDiverged);
  EXPECT_EQ(results.runs[1].status, RunStatus::kFailed);
  EXPECT_EQ(results.runs[1].error, "the disk is on fire");
  EXPECT_EQ(submit(text).submitted, 0u);
  options_.retry_failed = true;
  EXPECT_EQ(submit(text).submitted, 2u);
  EXPECT_EQ(collect_study(options_.out).runs[1].status, RunStatus::kPending);
}

TEST_F(ClusterStudy, GoesOnFromTheCheckpointAfterASignal) {
  const std::string text = "[base]\ndata_dir = \"1000\"\n[grid]\nseed = [1]\n";
  submit(text);
  EXPECT_THROW(run_task(0, SIGTERM), Interrupted);
  answer("squeue", "4711|0|PENDING|BeginTime|x");
  EXPECT_EQ(first_task().state, TaskState::kPreempted);
  EXPECT_EQ(submit(text).submitted, 0u);
  run_task(0);
  EXPECT_EQ(first_task().state, TaskState::kDone);
  EXPECT_EQ(first_task().attempts, 2);
  EXPECT_THAT(text_of(folder_ / "log"), HasSubstr("resume"));
}

TEST_F(ClusterStudy, PutsItselfBackBeforeTheTimeLimit) {
  ::setenv("SLURM_ARRAY_JOB_ID", "4711", 1);
  ::setenv("SLURM_ARRAY_TASK_ID", "0", 1);
  submit("[base]\ndata = \"hang\"\n[grid]\nseed = [1]\n");
  EXPECT_THROW(run_task(0, SIGUSR1, 1), Interrupted);
  EXPECT_THAT(calls(), HasSubstr("scontrol requeue 4711_0\n"));
  answer("scontrol", "", 1, "slurm_requeue error: Requested operation is presently disabled");
  EXPECT_THROW(run_task(0, SIGUSR1, 1), Interrupted) << "a second time is not asked for";
  EXPECT_EQ(first_task().state, TaskState::kLost);
  EXPECT_THAT(first_task().reason, HasSubstr("reached the time limit 2 times (--max-requeue)"));
  EXPECT_THAT(message_of<RunError>([&] { run_task(0, SIGUSR1, 5); }),
              HasSubstr("scontrol requeue: slurm_requeue error: Requested operation is presently disabled"));
}

TEST_F(ClusterStudy, QuotesWhatSlurmRefuses) {
  answer("sbatch", "", 1, "sbatch: error: invalid partition specified: gpu\nsbatch: error: more\n");
  EXPECT_EQ(refusal(kFour), "sbatch: error: invalid partition specified: gpu");
  EXPECT_FALSE(is_cluster_study(options_.out));
  answer("sbatch", "Submitted!");
  EXPECT_THAT(refusal(kFour), HasSubstr("sbatch: its answer \"Submitted!\" is no job id"));
  std::filesystem::remove(folder_ / "bin" / "sbatch");
  EXPECT_EQ(refusal(kFour), "sbatch: not found; is this a machine of the cluster?");
  answer("sbatch", "12");
  EXPECT_EQ(submit(kFour).submitted, 4u);
  answer("squeue", "", 1, "slurm_load_jobs error: Unable to contact slurm controller\n");
  EXPECT_THAT(refusal(kFour), HasSubstr("Unable to contact slurm controller; without it nobody knows"));
  const ClusterStatus status = cluster_status(options_.out);
  EXPECT_THAT(status.warning, HasSubstr("Unable to contact slurm controller"));
  EXPECT_EQ(status.count(TaskState::kQueued), 4u);
}

TEST_F(ClusterStudy, FindsASubmissionWhoseAnswerGotLost) {
  answer("sbatch", "", 1, "sbatch: error: Socket timed out on send/recv operation");
  EXPECT_THAT(refusal(kFour), HasSubstr("Socket timed out"));
  const std::string script = text_of(options_.out / "cluster" / "array-001" / "job.sbatch");
  const auto at = script.find("--job-name=") + 11;
  answer("squeue", "99|0|PENDING|Resources|" + script.substr(at, script.find('\n', at) - at));
  const Submission again = submit_study(plan("[grid]\nseed = [1]\n"), options_);
  (void)again;
  EXPECT_TRUE(is_cluster_study(options_.out));
  EXPECT_THAT(text_of(options_.out / "cluster" / "array-001" / "job.json"), HasSubstr("\"99\""));
}

TEST_F(ClusterStudy, SplitsWhatIsLargerThanAnArrayAndKeepsItsLimit) {
  answer("scontrol", "MaxArraySize            = 3");
  options_.slurm.array_limit = 2;
  const Submission submission = submit(kFour);
  ASSERT_EQ(submission.arrays.size(), 2u);
  EXPECT_EQ(submission.arrays[0].tasks, 3u);
  EXPECT_EQ(submission.arrays[1].tasks, 1u);
  EXPECT_THAT(calls(), HasSubstr("sbatch --parsable --dependency=afterany:4711 "));
}

TEST_F(ClusterStudy, DryRunSubmitsNothingAndLeavesNoTrace) {
  options_.dry_run = true;
  EXPECT_EQ(submit(kFour).submitted, 4u);
  EXPECT_EQ(submit(kFour).arrays[0].folder.filename(), "array-002");
  EXPECT_THAT(calls(), testing::Not(HasSubstr("sbatch")));
  EXPECT_FALSE(is_cluster_study(options_.out));
}

TEST_F(ClusterStudy, CancelsWhatIsInTheQueueAndSubmitsItAgain) {
  submit(kFour);
  run_task(0);
  EXPECT_TRUE(cancel_study(options_.out).empty()) << "nothing is in the queue";
  answer("squeue", "4711|1|RUNNING|None|x\n4711|2|PENDING|None|x\n12|0|RUNNING|None|other");
  EXPECT_THAT(cancel_study(options_.out), testing::ElementsAre("4711"));
  EXPECT_THAT(calls(), HasSubstr("scancel 4711\n"));
  answer("squeue", "");
  EXPECT_EQ(cluster_status(options_.out).count(TaskState::kCancelled), 3u);
  answer("sbatch", "4712");
  EXPECT_EQ(submit(kFour).submitted, 3u);
}

TEST_F(ClusterStudy, SaysWhyARunIsLost) {
  submit(kFour);
  EXPECT_THAT(first_task().reason, HasSubstr("left the queue without a result, and wrote no"));
  EXPECT_THAT(first_task().reason, HasSubstr("do the nodes share that folder?"));
  write("out/cluster/array-001/log-0.txt", "/bin/glidepath: not to be seen from node n1\n");
  EXPECT_THAT(first_task().reason,
              HasSubstr("its log ends with: /bin/glidepath: not to be seen from node n1"));
  answer("squeue", "4711|0|TIMEOUT|None|x");
  EXPECT_THAT(first_task().reason, HasSubstr("ran into its time limit; give more --time"));
  EXPECT_EQ(first_task().state, TaskState::kLost);
  EXPECT_EQ(submit(kFour).submitted, 4u);
}

TEST_F(ClusterStudy, RefusesARunThatWasChangedSinceItWasSubmitted) {
  submit(kFour);
  const TaskStatus task = first_task();
  const std::string name = "out/cluster/runs/" + task.run_id + ".toml";
  std::string text = text_of(folder_ / name);
  text.replace(text.find("seed = "), 8, "seed = 5");
  write(name, text);
  EXPECT_THAT(message_of<InputError>([&] { run_task(0); }), HasSubstr("changed since it was submitted"));
  EXPECT_THAT(message_of<InputError>([&] { run_task(9); }), HasSubstr("has no task 9; it has 4"));
}

TEST_F(ClusterStudy, IsNotSubmittedWhereALocalStudyIsAtWork) {
  const StudyPlan four = plan(kFour);
  std::filesystem::create_directories(options_.out);
  const auto lock = RunLock::take(options_.out, run_id(four.runs[2]));
  ASSERT_TRUE(lock);
  EXPECT_EQ(message_of<InputError>([&] { submit(kFour); }),
            options_.out.string() + ": a local study works on run " + run_id(four.runs[2]) +
                " there; let it end, or stop it first");
  EXPECT_FALSE(is_cluster_study(options_.out));
}

TEST_F(ClusterStudy, RefusesTooFewCoresAndAFolderWithoutAStudy) {
  options_.slurm.cpus = 1;
  EXPECT_EQ(message_of<InputError>([&] { submit("[base]\nthreads = 4\n[grid]\nseed = [1]\n"); }),
            "cpus \"1\": the runs have threads = 4; give at least as many");
  EXPECT_THAT(message_of<InputError>([&] { cluster_status(folder_ / "none"); }),
              HasSubstr("no study was submitted"));
}

}  // namespace
}  // namespace glidepath
