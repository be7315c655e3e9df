// tests/cli/surroundings_test.cpp - what a program is started with and in: closed descriptors, readers that
// go away, a folder that another process writes, cores that are not its own, variables of a launcher.
#include <algorithm>
#include <regex>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "cli/support.h"
#include "data/image_folder.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

using testing::AllOf;
using testing::HasSubstr;

const std::string kTrain =
    "glidepath train --data digits --model mlp --threads 1 --test-limit 50 --full 100ep --eval-every 1ep ";
const std::string kSmallStudy = R"([base]
data = "digits"
model = "mlp"
full = "10ep"
budget = "3it"
eval_every = "end"
threads = 1
[grid]
seed = [1, 2]
)";

class Surroundings : public CliTest {
 protected:
  std::string status(const std::string& run) const {
    return nlohmann::json::parse(read(fs::path(run) / "summary.json")).at("status");
  }
  /// Of every file below a folder, what is in it.
  std::string all_in(const std::string& folder) const {
    std::string text;
    for (const auto& entry : fs::recursive_directory_iterator(folder_ / folder)) {
      if (entry.is_regular_file()) text += text_of(entry.path());
    }
    return text;
  }
};

// The first file that a program opens gets the lowest number that is free: what is printed went into it.
TEST_F(Surroundings, ClosedDescriptorsGetNothingOfWhatIsPrintedIntoFiles) {
  ASSERT_EQ(shell(kTrain + "--budget 20it --seed 3 --out whole").exit_status, 0);
  int number = 0;
  for (const std::string closed : {"2>&-", ">&-", "<&-", "<&- >&- 2>&-", ">&- 2>&-"}) {
    SCOPED_TRACE(closed);
    const std::string run = "run" + std::to_string(number++);
    const ProcessResult result = shell(kTrain + "--budget 20it --seed 3 --out " + run + " " + closed);
    EXPECT_EQ(result.exit_status, 0) << result.err;
    EXPECT_EQ(status(run), "done");
    EXPECT_EQ(read(run + "/model.safetensors"), read("whole/model.safetensors"));
    EXPECT_EQ(all_in(run).find("of budget"), std::string::npos) << "progress is in one of its files";
  }
  // The texts that were looked for.
  EXPECT_THAT(shell(kTrain + "--budget 20it").err, HasSubstr("of budget"));
}

TEST_F(Surroundings, APackIsTheSameWithoutStandardStreams) {
  const ImageFolder images(8);
  const std::string pack = "glidepath data pack " + images.data() + " --out ";
  ASSERT_EQ(shell(pack + "a.pack").exit_status, 0);
  EXPECT_EQ(shell(pack + "b.pack <&- >&- 2>&-").exit_status, 0);
  EXPECT_EQ(read("b.pack"), read("a.pack"));
  EXPECT_NE(read("a.pack"), "");
}

TEST_F(Surroundings, ARunWhoseLogGoesAwayEndsAsItWould) {
  ASSERT_EQ(shell(kTrain + "--budget 60it --seed 3 --out whole").exit_status, 0);
  const char* const pipes[] = {"2>&1 | head -n 1", "2>&1 | true", "2>&1 >/dev/null | head -c 10", "| true"};
  int number = 0;
  for (const std::string pipe : pipes) {
    SCOPED_TRACE(pipe);
    const std::string run = "run" + std::to_string(number++);
    const ProcessResult result =
        shell("( " + kTrain + "--budget 60it --seed 3 --out " + run + "; echo $? > status ) " + pipe);
    EXPECT_EQ(read("status"), "0\n") << result.err;
    EXPECT_EQ(status(run), "done");
    EXPECT_EQ(read(run + "/model.safetensors"), read("whole/model.safetensors"));
  }
  EXPECT_EQ(shell("( " + kTrain + "--json --budget 3it --out json; echo $? > status ) | true").exit_status,
            0);
  EXPECT_EQ(read("status"), "0\n");
}

TEST_F(Surroundings, OtherCommandsEndWellWithoutAReader) {
  write("study.toml", kSmallStudy);
  const ImageFolder images(8);
  for (const std::string& command :
       {std::string("glidepath study study.toml --out s"),
        "glidepath data pack " + images.data() + " --out a.pack",
        std::string("glidepath launch -n 2 train --data digits --model mlp --budget 3it --out l"),
        std::string("glidepath watch s --terminal"), std::string("glidepath watch s --json")}) {
    SCOPED_TRACE(command);
    shell("( " + command + " 2>&1; echo $? > status ) | true");
    EXPECT_EQ(read("status"), "0\n");
  }
  EXPECT_THAT(shell("glidepath study study.toml --out s --json").out, HasSubstr("\"done\""));
  EXPECT_EQ(shell("glidepath data verify imagefolder:a.pack").exit_status, 0);
  EXPECT_EQ(status("l"), "done");
}

// A result that nobody reads is no reason to go on, and none for a complaint; a full disk is one.
TEST_F(Surroundings, AResultWithoutAReaderIsAQuietStop) {
  const ProcessResult result = shell(
      "( glidepath schedules --schedule linear --budget 1000000000000it --format csv; echo $? > status ) | "
      "head -n 1");
  EXPECT_EQ(result.out, "step,lr\n");
  EXPECT_EQ(result.err, "");
  EXPECT_EQ(read("status"), "0\n");
  const ProcessResult full = shell("glidepath schedules > /dev/full");
  EXPECT_EQ(full.exit_status, 1);
  EXPECT_THAT(full.err, HasSubstr("standard output: cannot be written"));
}

// Programs that are started have the signal as they would, without which they would not end either.
TEST_F(Surroundings, StartedProgramsHaveTheSignalOfABrokenPipe) {
  fs::create_directory(folder_ / "bin");  // with what train asks for the end of its job
  write("bin/squeue", "#!/bin/sh\ngrep SigIgn /proc/$$/status > " + folder_.string() + "/ignored\nexit 1\n");
  fs::permissions(folder_ / "bin/squeue", fs::perms::owner_all);
  shell("SLURM_JOB_ID=7 PATH=$PWD/bin:$PATH " + kTrain + "--budget slurm");
  const std::string ignored = read("ignored");
  ASSERT_NE(ignored, "");
  const auto mask = std::stoull(ignored.substr(ignored.find_first_of("0123456789abcdef", 8)), nullptr, 16);
  EXPECT_EQ(mask & (1ULL << (13 - 1)), 0U) << ignored;  // SIGPIPE
}

TEST_F(Surroundings, OfSeveralWritersOfOneFolderOneIsLetIn) {
  const ProcessResult result =
      shell("for i in 1 2 3; do ( " + kTrain +
            "--budget 800it --out r > $i.out 2> $i.err; echo $? >> ends ) & done; wait");
  ASSERT_EQ(result.exit_status, 0);
  std::string ends = read("ends");
  std::sort(ends.begin(), ends.end());
  EXPECT_EQ(ends, "\n\n\n022");
  EXPECT_EQ(status("r"), "done");
  const std::string told = read("1.err") + read("2.err") + read("3.err");
  const std::regex refusal(
      "glidepath train: --out r: another process is writing there \\(process [0-9]+ on \\S+, "
      "since [0-9]{4}-[0-9-]+ [0-9:]+\\); wait for its end, or stop it first\n");
  EXPECT_EQ(std::distance(std::sregex_iterator(told.begin(), told.end(), refusal), {}), 2) << told;
  EXPECT_FALSE(fs::exists(folder_ / "r/run.lock"));
}

TEST_F(Surroundings, ARunThatGoesOnIsNotResumedAndADeadOneIs) {
  const ProcessResult result =
      shell(kTrain +
            "--budget 100000it --checkpoint-every 5it --quiet --out q 2> q.err & p=$!; "
            "until ls q/checkpoint/step-* > /dev/null 2>&1; do sleep 0.02; done; "
            "glidepath train --resume q 2> second.err; echo $? > second; kill -9 $p; wait $p; "
            "( glidepath train --resume q; echo $? > third ) > third.out 2>&1 & "
            "until grep -q pid q/run.lock && [ -n \"$(find q/run.lock -newer second)\" ]; do sleep 0.05; "
            "done; sleep 1; kill "
            "-TERM $(sed 's/.*\"pid\":\\([0-9]*\\).*/\\1/' q/run.lock); wait");
  EXPECT_EQ(read("second"), "2\n");
  EXPECT_THAT(read("second.err"), AllOf(HasSubstr("--resume q: another process is writing there (process "),
                                        HasSubstr(", since 20")));
  EXPECT_EQ(read("third"), "143\n") << read("third.out");
  // Every line is whole and in order.
  std::int64_t step = 0;
  std::istringstream metrics(read("q/metrics.jsonl"));
  for (std::string line; std::getline(metrics, line);) {
    const auto record = nlohmann::json::parse(line);
    EXPECT_GE(record.at("step"), step);
    step = record.at("step");
  }
  EXPECT_GT(step, 0);
}

// Two threads on one core waited for each other: 61 images a second where one made 13,000.
TEST_F(Surroundings, UsesTheCoresOfItsMaskAlone) {
  if (shell("command -v taskset").exit_status != 0) GTEST_SKIP() << "taskset is not installed";
  const std::string run = "taskset -c 0 glidepath train --data digits --model mlp --budget 3it --json";
  EXPECT_EQ(nlohmann::json::parse(shell(run).out).at("threads"), 1);
  EXPECT_EQ(nlohmann::json::parse(shell(run + " --threads 2").out).at("threads"), 2);
  ProcessOptions options = in_folder();
  options.environment = {{"OMP_NUM_THREADS", "1"}};
  EXPECT_EQ(nlohmann::json::parse(
                run_shell("glidepath train --data digits --model mlp --budget 3it --json", options).out)
                .at("threads"),
            1);
}

// Its runs had the variables as well, took each other for ranks of one job, and waited or joined.
TEST_F(Surroundings, AStudyThatALauncherStartedHasRunsOfTheirOwn) {
  write("study.toml", kSmallStudy);
  ASSERT_EQ(shell("glidepath study study.toml --out alone --json > alone.json").exit_status, 0);
  const std::map<std::string, std::map<std::string, std::string>> launchers = {
      {"mpirun",
       {{"OMPI_COMM_WORLD_RANK", "0"}, {"OMPI_COMM_WORLD_SIZE", "2"}, {"OMPI_COMM_WORLD_LOCAL_SIZE", "2"}}},
      {"torchrun", {{"RANK", "0"}, {"WORLD_SIZE", "2"}, {"MASTER_ADDR", "127.0.0.1"}, {"MASTER_PORT", "1"}}},
      {"srun",
       {{"SLURM_PROCID", "0"},
        {"SLURM_STEP_NUM_TASKS", "2"},
        {"SLURM_STEP_NODELIST", "a"},
        {"SLURM_STEP_NUM_NODES", "1"}}}};
  for (const auto& [name, variables] : launchers) {
    SCOPED_TRACE(name);
    ProcessOptions options = in_folder();
    options.environment = variables;
    options.environment["SLURM_JOB_ID"] = "1";
    const ProcessResult result = run_shell("glidepath study study.toml --out " + name + " --quiet", options);
    ASSERT_EQ(result.exit_status, 0) << result.err;
    EXPECT_THAT(result.err,
                HasSubstr("note: " + name + " started this 2 times; each process works by itself"));
    const auto runs =
        nlohmann::json::parse(shell("glidepath study study.toml --out " + name + " --json").out).at("runs");
    const auto alone = nlohmann::json::parse(read("alone.json")).at("runs");
    ASSERT_EQ(runs.size(), 2U);
    for (std::size_t i = 0; i < runs.size(); ++i)
      EXPECT_EQ(runs[i].at("test_accuracy"), alone[i].at("test_accuracy"));
  }
}

TEST_F(Surroundings, ABatchOfOneImageIsTrainedOn) {
  const std::string run =
      "glidepath train --data digits --train-limit 17 --test-limit 20 --batch-size 16 --model resnet18 "
      "--width 0.125 --budget 2ep --full 2ep --threads 1 --precision fp32 --quiet --out ";
  for (const std::string format : {"true", "false"}) {
    const ProcessResult result = shell(run + format + " --channels-last " + format + " --measure grad-norm");
    EXPECT_EQ(result.exit_status, 0) << result.err;
    EXPECT_EQ(status(format), "done");
  }
  EXPECT_EQ(shell(run + "dry --dry-run").exit_status, 0);
}

}  // namespace
}  // namespace glidepath
