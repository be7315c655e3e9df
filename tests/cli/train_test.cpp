// tests/cli/train_test.cpp - whole runs of `glidepath train`, as a user starts, stops and reads them.
#include <algorithm>
#include <csignal>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "cli/support.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

using testing::HasSubstr;
using testing::Not;

class TrainCommand : public CliTest {
 protected:
  static constexpr const char* kDigits = "glidepath train --data digits --model mlp --full 10ep --threads 1 ";
  ProcessResult train(const std::string& options) const { return shell(kDigits + options); }
  nlohmann::json summary(const std::string& run) const {
    return nlohmann::json::parse(read(fs::path(run) / "summary.json"));
  }
};

TEST_F(TrainCommand, LeavesARunDirectoryThatRepeatsItself) {
  ASSERT_EQ(train("--budget 30it --seed 3 --out a").exit_status, 0);
  ASSERT_EQ(shell("glidepath train --config a/config.toml --out b").exit_status, 0);
  ASSERT_EQ(train("--budget 30it --seed 4 --out c").exit_status, 0);
  const std::string weights = read("a/model.safetensors");
  ASSERT_FALSE(weights.empty());
  EXPECT_TRUE(read("b/model.safetensors") == weights) << "config.toml does not repeat the run";
  EXPECT_FALSE(read("c/model.safetensors") == weights) << "the seed changes nothing";
  EXPECT_THAT(read("a/config.toml"), testing::AllOf(HasSubstr("seed = 3\n"), HasSubstr("libtorch = ")));
  EXPECT_TRUE(fs::exists(folder_ / "a/checkpoint/step-000000030.safetensors"));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_ / "a/tensorboard"), {}), 1);

  std::istringstream metrics(read("a/metrics.jsonl"));
  std::string last;
  for (std::string line; std::getline(metrics, line);) {
    last = line;
    EXPECT_TRUE(nlohmann::json::parse(line).at("progress").is_number());
  }
  EXPECT_EQ(nlohmann::json::parse(last).at("kind"), "eval");
  const auto told = summary("a");
  EXPECT_EQ(told.at("status"), "done");
  EXPECT_EQ(told.at("updates"), 30);
  EXPECT_EQ(told.at("final_lr"), 0);
  EXPECT_EQ(told.at("test_accuracy"), nlohmann::json::parse(last).at("accuracy"));
}

TEST_F(TrainCommand, MakesTheUpdatesOfBudgetsThatAreNoWholeEpochs) {
  // 1,438 images in batches of 128 are 12 updates an epoch.
  const std::pair<const char*, int> cases[] = {{"0.3ep", 4}, {"1.5ep", 18}, {"5%", 6}, {"7it", 7}};
  for (const auto& [budget, updates] : cases) {
    SCOPED_TRACE(budget);
    const ProcessResult result = train(std::string("--json --budget ") + budget);
    ASSERT_EQ(result.exit_status, 0);
    EXPECT_EQ(nlohmann::json::parse(result.out).at("updates"), updates);
  }
}

TEST_F(TrainCommand, PrintsOneJsonDocumentAndNothingElse) {
  const ProcessResult result = train("--json --budget 3it");
  EXPECT_EQ(result.exit_status, 0);
  EXPECT_EQ(result.err, "");
  EXPECT_EQ(std::count(result.out.begin(), result.out.end(), '\n'), 1);
  EXPECT_TRUE(nlohmann::json::parse(result.out).is_object());
}

TEST_F(TrainCommand, QuietPrintsNothing) {
  ProcessOptions on_terminal = in_folder();
  on_terminal.terminal = true;
  const ProcessResult result = run_shell(std::string(kDigits) + "--quiet --budget 3it", on_terminal);
  EXPECT_EQ(result.exit_status, 0);
  EXPECT_EQ(result.out + result.err, "");
}

TEST_F(TrainCommand, PlainTextInAPipe) {
  const ProcessResult result = train("--budget 30it --eval-every 10it");
  EXPECT_EQ(result.exit_status, 0);
  EXPECT_EQ((result.out + result.err).find_first_of("\r\x1b"), std::string::npos);
  EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 3) << "a line an evaluation";
  EXPECT_THAT(result.out, HasSubstr("30 updates"));
}

TEST_F(TrainCommand, ALogGetsSomeThirtyLinesHoweverOftenItIsTested) {
  const ProcessResult result = train("--budget 300it --eval-every 1it --test-limit 10");
  EXPECT_EQ(result.exit_status, 0);
  const auto lines = std::count(result.err.begin(), result.err.end(), '\n');
  EXPECT_GE(lines, 25);
  EXPECT_LE(lines, 32);
  EXPECT_THAT(result.err, HasSubstr("100.0 % of budget"));
}

TEST_F(TrainCommand, LineOfANarrowTerminalLeavesFieldsOutWhole) {
  ProcessOptions options = in_folder();
  options.terminal = true;
  options.terminal_columns = 60;
  const ProcessResult result = run_shell(std::string(kDigits) + "--budget 200it", options);
  EXPECT_EQ(result.exit_status, 0);
  EXPECT_THAT(result.err, testing::AllOf(HasSubstr("loss "), Not(HasSubstr("img/s"))));
}

TEST_F(TrainCommand, ADryRunSaysThatItMeasures) {
  const ProcessResult piped = train("--budget 10% --dry-run");
  EXPECT_EQ(piped.exit_status, 0);
  EXPECT_EQ(piped.err, "reading the data set, then measuring an evaluation and up to 10 updates\n");
  EXPECT_THAT(piped.out, HasSubstr("nothing was written"));
  EXPECT_EQ(train("--budget 10% --dry-run --json").err, "");
  ProcessOptions options = in_folder();
  options.terminal = true;
  const ProcessResult shown = run_shell(std::string(kDigits) + "--budget 10% --dry-run", options);
  EXPECT_THAT(shown.err, testing::AllOf(HasSubstr("measuring an evaluation"),
                                        HasSubstr("measuring update 3 of up to 10")));
}

TEST_F(TrainCommand, CtrlCIsAcknowledgedAtOnce) {
  ProcessOptions options = in_folder();
  options.signal_after = "% of budget";
  options.signal = SIGINT;
  const ProcessResult result =
      run_shell(std::string("exec ") + kDigits + "--budget 100000ep --eval-every 1it --out a", options);
  EXPECT_EQ(result.exit_status, 130);
  EXPECT_THAT(result.err, HasSubstr("\nstopping after this update; Ctrl-C again ends at once\n"));
  EXPECT_THAT(result.err, HasSubstr("go on with: glidepath train --resume a"));
}

TEST_F(TrainCommand, LiveLineOnATerminal) {
  ProcessOptions options = in_folder();
  options.terminal = true;
  options.environment = {{"NO_COLOR", ""}};
  const std::string line = std::string(kDigits) + "--budget 30it";
  for (const int columns : {80, 120}) {
    SCOPED_TRACE(columns);
    options.terminal_columns = columns;
    const ProcessResult result = run_shell(line, options);
    EXPECT_EQ(result.exit_status, 0);
    EXPECT_THAT(result.err,
                testing::MatchesRegex("(.|\n|\r)*%.*loss [0-9.]+ .*acc [0-9.]+ %.*lr [0-9.e-]+ .*s left.*"));
    EXPECT_THAT(result.err, HasSubstr("\x1b[36m"));
  }
  options.environment = {{"NO_COLOR", "1"}};
  const ProcessResult plain = run_shell(line, options);
  EXPECT_THAT(plain.err,
              testing::AllOf(HasSubstr("\r"), Not(HasSubstr("\x1b[36m")), Not(HasSubstr("\x1b[0m"))));
}

TEST_F(TrainCommand, SignalSavesAndResumeGoesOnToTheSameBits) {
  const std::string line =
      "glidepath train --data digits --full 10ep --threads 1 --budget 60it --eval-every 5it --model convnet "
      "--width 0.25 ";
  ASSERT_EQ(shell(line + "--quiet --out whole").exit_status, 0);
  const std::pair<int, int> cases[] = {{SIGINT, 130}, {SIGTERM, 143}};
  for (const auto& [signal, status] : cases) {
    SCOPED_TRACE(signal);
    const std::string run = "stopped-" + std::to_string(signal);
    ProcessOptions stopping = in_folder();
    stopping.signal = signal;
    stopping.signal_after = "of budget";  // the first evaluation's line
    const ProcessResult stopped = run_shell("exec " + line + "--out " + run, stopping);
    ASSERT_EQ(stopped.exit_status, status) << "a run this short may end before the signal is seen\n"
                                           << stopped.err;
    EXPECT_THAT(stopped.err, HasSubstr("go on with: glidepath train --resume " + run));
    EXPECT_TRUE(!fs::is_empty(folder_ / run / "checkpoint"));
    EXPECT_FALSE(fs::exists(folder_ / run / "summary.json"));
    ASSERT_EQ(shell("glidepath train --quiet --resume " + run).exit_status, 0);
    EXPECT_TRUE(read(run + "/model.safetensors") == read("whole/model.safetensors"));
    EXPECT_EQ(summary(run).at("test_accuracy"), summary("whole").at("test_accuracy"));
    EXPECT_EQ(summary(run).at("updates"), 60);
  }
}

TEST_F(TrainCommand, Cifar10) {
  const char* data = std::getenv("GLIDEPATH_DATA");
  if (data == nullptr || *data == '\0') GTEST_SKIP() << "GLIDEPATH_DATA does not name CIFAR-10's folder";
  const std::string line =
      "glidepath train --data cifar10 --model resnet8 --width 0.25 --train-limit 1000 --batch-size 100 "
      "--budget 3it "
      "--eval-every end --eval-batch-size 1000 --json ";
  const ProcessResult result = shell(line + "--out a");
  ASSERT_EQ(result.exit_status, 0) << result.err;
  EXPECT_EQ(nlohmann::json::parse(result.out).at("updates"), 3);
  EXPECT_DOUBLE_EQ(nlohmann::json::parse(result.out).at("epochs").get<double>(), 0.3);
  EXPECT_EQ(summary("a").at("steps_per_epoch"), 10);
}

// Who names nothing of the method gets a recipe with a budget in time, and the paper's protocol otherwise.
TEST_F(TrainCommand, RecipesForWhoeverNamesNoMethod) {
  const char* data = std::getenv("GLIDEPATH_DATA");
  if (data == nullptr || *data == '\0') GTEST_SKIP() << "GLIDEPATH_DATA does not name CIFAR-10's folder";
  const std::string small = "glidepath train --train-limit 2000 --test-limit 100 ";
  const ProcessResult left = shell(small + "--budget 12s --threads 2 --out a");
  ASSERT_EQ(left.exit_status, 0) << left.err;
  EXPECT_THAT(left.err, HasSubstr("recipe cifar10-1m: airbench at width "));
  EXPECT_THAT(left.err, HasSubstr("; --recipe plain for the paper's protocol\n"));
  EXPECT_EQ(summary("a").at("model"), "airbench");
  EXPECT_EQ(summary("a").at("budget"), "12s");

  const std::pair<std::string, std::string> cases[] = {
      {"--budget 1h --recipe plain --width 0.25 --dry-run", ""},
      {"--budget 1h --width 0.25 --dry-run", ""},
      {"--budget 1m --recipe auto --threads 8 --width 0.25 --dry-run",
       "recipe cifar10-5m: airbench at width "},
      {"--budget 1h --recipe auto --width 0.25 --dry-run", "recipe cifar10-60m: airbench at width "},
      {"--budget 5m --recipe fast --threads 2 --width 0.25 --dry-run",
       "recipe cifar10-5m: airbench at width "},
      {"--budget 10it --recipe fast --width 0.25 --dry-run",
       "recipe cifar10-94: airbench at width 0.25, muon, batches of 2000\n"}};
  for (const auto& [options, told] : cases) {
    SCOPED_TRACE(options);
    const ProcessResult dry = shell(small + options);
    ASSERT_EQ(dry.exit_status, 0) << dry.err;
    EXPECT_EQ(dry.err.rfind("recipe ", 0), told.empty() ? std::string::npos : 0) << dry.err;
    EXPECT_THAT(dry.err, HasSubstr(told));
  }
}

// Each in a process of its own, as what is told is the most that the process has had. Everything but the
// update is small.
TEST_F(TrainCommand, MicroBatchesTakeLessMemory) {
  const auto peak = [&](const std::string& options) {
    const ProcessResult result = shell(
        "glidepath train --data digits --model resnet20 --width 2 --precision fp32 --threads 1 --batch-size "
        "1024 --budget 1it --eval-every end --eval-batch-size 16 --bn-estimate off --json " +
        options);
    EXPECT_EQ(result.exit_status, 0) << result.err;
    return nlohmann::json::parse(result.out).at("peak_memory_mib").get<double>();
  };
  const double whole = peak(""), pieces = peak("--micro-batch 32");
  // Of an image the activations of 19 layers, most of them of 32 channels of 8 x 8 floats, and their norms':
  // 0.2 MiB and more.
  EXPECT_LT(pieces, whole - 100) << whole;
}

}  // namespace
}  // namespace glidepath
