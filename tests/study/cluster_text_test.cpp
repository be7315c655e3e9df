// tests/study/cluster_text_test.cpp - settings, scripts and answers of Slurm as text, and what they say of a
// run.
#include <csignal>

#include <gmock/gmock.h>

#include "study/cluster/script.h"
#include "study/cluster/status.h"
#include "study/support.h"

namespace glidepath {
namespace {

using testing::HasSubstr;

std::string refusal(const std::string& key, const std::string& text) {
  return message_of<InputError>([&] {
    SlurmSettings settings;
    set_slurm_value(settings, key, text);
  });
}

TEST(SlurmSettings, TakesOurTimesAndThoseOfSlurm) {
  struct Case {
    const char *text, *expected;
  };
  for (const Case& c : {Case{"2h", "0-02:00:00"},
                        {"1h30m", "0-01:30:00"},
                        {"90s", "0-00:01:30"},
                        {"36h", "1-12:00:00"},
                        {"90", "90"},
                        {"02:00:00", "02:00:00"},
                        {"1-12:00:00", "1-12:00:00"}}) {
    SlurmSettings settings;
    set_slurm_value(settings, "time", c.text);
    EXPECT_EQ(settings.time, c.expected) << c.text;
  }
  const std::string tail = "must be a time of a minute or more, for example 2h or 1-12:00:00";
  for (const std::string text : {"30s", "2x", "10%", "", "5ep"})
    EXPECT_EQ(refusal("time", text), "time \"" + text + "\": " + tail);
}

// A study file may come from anywhere, and sbatch takes any beginning of an option's name for it.
TEST(SlurmSettings, TakesNoOptionThatSaysWhatRunsOrWhereFilesGo) {
  for (const char* text : {"--export=LD_PRELOAD=/x.so",
                           "--exp=ALL",
                           "-o/path",
                           "-o /path",
                           "--outp=/path",
                           "--output",
                           "--get-user-env",
                           "--uid=0",
                           "--uid",
                           "--container=/x",
                           "--propagate",
                           "--input=/etc/passwd",
                           "-i/x",
                           "--bb=x",
                           "--prolog=x",
                           "--wrap=id",
                           "--wra=id",
                           "-D/tmp",
                           "--chdi=/",
                           "-J x",
                           "-",
                           "--",
                           "--=x",
                           "-- ",
                           "--account",
                           "--exclusive=a b",
                           "--hold=1",
                           "--account=a --export=LD_PRELOAD=x",
                           "--account=a\t--uid=0",
                           "--account='a'",
                           "--account=\"a\"",
                           "--account=a#b",
                           "--account=$(id)",
                           "-A a --uid=0",
                           "--account = x"}) {
    EXPECT_NE(refusal("sbatch_option", text), "nothing was thrown") << text;
  }
  for (const auto& [given, taken] : std::vector<std::pair<std::string, std::string>>{
           {"--account=physics", "--account=physics"},
           {"-Aphysics", "--account=physics"},
           {"-A physics", "--account=physics"},
           {"--account physics", "--account=physics"},
           {"--exclusive", "--exclusive"},
           {"--exclusive=user", "--exclusive=user"},
           {"-C [rack1*2&rack2*4]", "--constraint=[rack1*2&rack2*4]"},
           {"--nice=-5", "--nice=-5"},
           {"--gres=gpu:a100:2", "--gres=gpu:a100:2"},
           {"-w node[1-3],node7", "--nodelist=node[1-3],node7"}}) {
    SlurmSettings settings;
    set_slurm_value(settings, "sbatch_option", given);
    EXPECT_THAT(settings.sbatch_options, testing::ElementsAre(taken));
  }
}

TEST(SlurmSettings, RefusesWhatNoSlurmTakes) {
  EXPECT_EQ(refusal("cpus", "0"), "cpus \"0\": must be a whole number in [1, 1000000]");
  EXPECT_EQ(refusal("gpus", "-1"), "gpus \"-1\": must be a whole number in [0, 1000000]");
  EXPECT_EQ(refusal("mem", "8 G"), "mem \"8 G\": must be an amount of memory, for example 8G");
  EXPECT_EQ(refusal("partition", "a b"), "partition \"a b\": must be a name of letters, digits, _, - and .");
  EXPECT_EQ(refusal("sbatch_option", "account=x"),
            "sbatch_option \"account=x\": must be an option of sbatch, for example --account=physics");
  EXPECT_EQ(refusal("sbatch_option", "--array=1-5"),
            "sbatch_option \"--array=1-5\": is set by glidepath study itself; leave it out");
  EXPECT_THAT(refusal("sbatch_option", "--comment=a\n#SBATCH --uid=0"),
              HasSubstr("the value of --comment must be one word"));
  EXPECT_EQ(refusal("tim", "1h"), "\"tim\": no such key; the nearest is time");
}

class SlurmFile : public FolderTest {};

TEST_F(SlurmFile, HasATableForSlurm) {
  const StudyPlan plan =
      read_study_plan(write("s.toml",
                            "[grid]\nseed = [1, 2]\n[slurm]\npartition = \"gpu\"\ntime = \"2h\"\n"
                            "cpus = 4\nsbatch_option = [\"--account=x\", \"--qos=low\"]\n"));
  EXPECT_EQ(plan.slurm.partition, "gpu");
  EXPECT_EQ(plan.slurm.time, "0-02:00:00");
  EXPECT_EQ(plan.slurm.cpus, 4);
  EXPECT_THAT(plan.slurm.sbatch_options, testing::ElementsAre("--account=x", "--qos=low"));
  EXPECT_EQ(plan.slurm.max_requeue, 10);
  const auto wrong = write("w.toml", "[grid]\nseed = [1, 2]\n[slurm]\ncpus = \"many\"\n");
  EXPECT_EQ(message_of<InputError>([&] { read_study_plan(wrong); }),
            wrong.string() + ":4: [slurm] cpus \"many\": must be a whole number in [1, 1000000]");
}

TEST(SlurmScript, AsksForWhatIsSetAndLeavesTheRestToTheCluster) {
  ScriptOptions options;
  options.job_name = "glidepath-a";
  options.study = "/shared/it's a study";
  options.array = "array-007";
  options.program = "/shared/bin/glidepath";
  options.working_folder = "/home/me";
  options.tasks = 12;
  options.cpus = 2;
  const std::string plain = job_script(options);
  EXPECT_THAT(plain, HasSubstr("#SBATCH --array=0-11\n"));
  EXPECT_THAT(plain, HasSubstr("#SBATCH --cpus-per-task=2\n"));
  EXPECT_THAT(plain, HasSubstr("#SBATCH --output=\"/shared/it's a study/cluster/array-007/log-%a.txt\"\n"));
  EXPECT_THAT(plain, HasSubstr("#SBATCH --requeue\n#SBATCH --signal=B:USR1@120\n"));
  EXPECT_THAT(plain, HasSubstr("study='/shared/it'\\''s a study'\n"));
  for (const char* absent : {"--partition", "--time", "--mem", "--gres", "GLIDEPATH_DATA"})
    EXPECT_THAT(plain, testing::Not(HasSubstr(absent)));

  options.slurm.partition = "gpu";
  options.slurm.time = "10";
  options.slurm.mem = "8G";
  options.slurm.gpus = 1;
  options.slurm.array_limit = 4;
  options.slurm.sbatch_options = {"--account=x"};
  options.data = "/shared/data";
  const std::string full = job_script(options);
  for (const char* present :
       {"--partition=gpu\n", "--time=10\n", "--mem=8G\n", "--gres=gpu:1\n", "--array=0-11%4\n",
        "#SBATCH --account=x\n", "export GLIDEPATH_DATA='/shared/data'\n"})
    EXPECT_THAT(full, HasSubstr(present));
  options.study = "/shared/100%";
  EXPECT_THAT(message_of<InputError>([&] { job_script(options); }), HasSubstr("sbatch takes no path with"));
}

TEST(SlurmScript, WarnsAFifthOfTheLimitBefore) {
  EXPECT_EQ(warning_seconds(""), 120);
  EXPECT_EQ(warning_seconds("1"), 12);
  EXPECT_EQ(warning_seconds("0-00:01:00"), 12);
  EXPECT_EQ(warning_seconds("05:00"), 60);
  EXPECT_EQ(warning_seconds("02:00:00"), 120);
  EXPECT_EQ(warning_seconds("1-0"), 120);
}

// Printed by Slurm 22.05.
TEST(SlurmAnswers, AreRead) {
  const Queue queue = parse_squeue(
      "slurm_load_jobs: a warning\n"
      "1|2|PENDING|JobArrayTaskLimit|a.sh\n"
      "1|0|RUNNING|None|a|b\n"
      "1|1|CANCELLED|BeginTime|a.sh\n"
      "4|N/A|COMPLETED|None|wrap\n");
  ASSERT_EQ(queue.size(), 3u);
  EXPECT_EQ(queue.at({"1", 2}).reason, "JobArrayTaskLimit");
  EXPECT_EQ(queue.at({"1", 0}).reason, "");
  EXPECT_EQ(queue.at({"1", 0}).job_name, "a|b");
  EXPECT_TRUE(is_in_queue(queue.at({"1", 2})));
  EXPECT_FALSE(is_in_queue(queue.at({"1", 1})));
  const Queue account =
      parse_sacct("1_0|COMPLETED\n1_1|CANCELLED by 1000\n1_[2-5%2]|PENDING\n1_0.batch|COMPLETED\n7|FAILED\n");
  ASSERT_EQ(account.size(), 2u);
  EXPECT_EQ(account.at({"1", 1}).state, "CANCELLED");
  EXPECT_EQ(parse_job_id("4711\n"), "4711");
  EXPECT_EQ(parse_job_id("4711;cluster\n"), "4711");
  EXPECT_EQ(parse_job_id("Submitted batch job 4711\n"), "");
  EXPECT_EQ(parse_job_id(""), "");
  EXPECT_EQ(parse_max_array_size("KillWait                = 30 sec\nMaxArraySize            = 1001\n"), 1001);
  EXPECT_EQ(parse_max_array_size("nothing"), std::nullopt);
}

TEST(SlurmStatus, IsJudgedFromFileQueueAndAccounting) {
  const auto note = [](const std::string& state, int signal = 0, const std::string& error = "") {
    TaskNote note;
    note.state = state;
    note.signal = signal;
    note.error = error;
    return note;
  };
  const auto in_queue = [](const std::string& state) { return QueueEntry{state, "", ""}; };
  struct Case {
    const char* what;
    std::optional<TaskNote> file;
    std::optional<QueueEntry> queue, account;
    TaskState expected;
  };
  const std::vector<Case> cases = {
      {"waits", {}, in_queue("PENDING"), {}, TaskState::kQueued},
      {"runs", note("running"), in_queue("RUNNING"), {}, TaskState::kRunning},
      {"second run of its task", {}, in_queue("RUNNING"), {}, TaskState::kQueued},
      {"preempted", note("interrupted", SIGTERM), in_queue("PENDING"), {}, TaskState::kPreempted},
      {"its node died", note("running"), in_queue("PENDING"), {}, TaskState::kPreempted},
      {"submitted again", note("submitted"), in_queue("PENDING"), {}, TaskState::kQueued},
      {"done while squeue lags", note("done"), in_queue("RUNNING"), {}, TaskState::kDone},
      {"diverged", note("diverged"), {}, {}, TaskState::kDiverged},
      {"failed", note("failed"), in_queue("FAILED"), {}, TaskState::kFailed},
      {"scancel before its start", {}, in_queue("CANCELLED"), {}, TaskState::kCancelled},
      {"scancel, forgotten by squeue", note("interrupted", SIGTERM), {}, {}, TaskState::kCancelled},
      {"scancel, known to accounting", {}, {}, in_queue("CANCELLED"), TaskState::kCancelled},
      {"time limit", note("running"), in_queue("TIMEOUT"), {}, TaskState::kLost},
      {"memory", note("running"), {}, in_queue("OUT_OF_MEMORY"), TaskState::kLost},
      {"limit of requeues", note("interrupted", SIGUSR1, "reached the time limit"), {}, {}, TaskState::kLost},
      {"nothing known", {}, {}, {}, TaskState::kLost}};
  for (const Case& c : cases) {
    RunEvidence run;
    run.has_array = run.is_queue_known = true;
    run.file = c.file;
    run.queue = c.queue;
    run.account = c.account;
    EXPECT_STREQ(to_string(judge(run).first), to_string(c.expected)) << c.what;
  }
  EXPECT_EQ(judge({}).first, TaskState::kMissing);
  RunEvidence cancelled;
  cancelled.has_array = cancelled.is_queue_known = cancelled.array_is_cancelled = true;
  EXPECT_EQ(judge(cancelled).first, TaskState::kCancelled);
  RunEvidence unknown;
  unknown.has_array = true;  // squeue does not answer
  EXPECT_EQ(judge(unknown).first, TaskState::kQueued);
  unknown.file = note("interrupted", SIGTERM);
  EXPECT_EQ(judge(unknown).first, TaskState::kPreempted);
}

}  // namespace
}  // namespace glidepath
