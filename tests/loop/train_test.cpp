// tests/loop/train_test.cpp - whole runs of the loop on the digits that the repository carries.
#include "glidepath/train.h"

#include <csignal>
#include <cstdlib>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <torch/types.h>

#include "glidepath/error.h"
#include "glidepath/safetensors.h"
#include "loop/digits_run.h"
#include "support/run_results.h"
#include "support/same_weights.h"
#include "support/temporary_folder.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

class TrainTest : public testing::Test {
 protected:
  static TrainConfig digits() { return digits_run("30it"); }
  TrainResult run(const TrainConfig& config, const std::string& name) {
    TrainOptions options;
    options.out = folder_ / name;
    return train(config, options);
  }

  const TemporaryFolder temporary_{"train"};
  const fs::path& folder_ = temporary_.path();
};

TEST_F(TrainTest, LearnsDigitsAndLandsOnZero) {
  TrainConfig config = digits();
  config.budget = "50%";
  const TrainResult result = run(config, "a");
  EXPECT_GT(result.test_accuracy, 0.85);
  EXPECT_EQ(result.final_lr, 0);
  EXPECT_NEAR(result.last_update_lr, config.base_lr / static_cast<double>(result.updates), 1e-15);
  EXPECT_EQ(result.updates, 5 * result.steps_per_epoch);
}

TEST_F(TrainTest, MakesExactlyTheUpdatesOfItsBudget) {
  for (const char* budget : {"1it", "7it", "0.3ep", "1.5ep", "3%"}) {
    SCOPED_TRACE(budget);
    TrainConfig config = digits();
    config.budget = budget;
    const TrainResult result = run(config, std::string("run-") + budget);
    const double epochs = std::string(budget).back() == '%' ? 0.3 : std::strtod(budget, nullptr);
    const bool counted = std::string(budget).find("it") != std::string::npos;
    const auto expected = counted ? static_cast<std::int64_t>(epochs)
                                  : std::llround(epochs * static_cast<double>(result.steps_per_epoch));
    EXPECT_EQ(result.updates, expected);
    EXPECT_EQ(records_of(folder_ / (std::string("run-") + budget), "train").back().at("step"), expected);
  }
}

TEST_F(TrainTest, FirstUpdateUsesBaseLrAndEveryUpdateItsProgress) {
  TrainConfig config = digits();
  config.budget = "20it";
  run(config, "a");
  const auto updates = records_of(folder_ / "a", "train");
  ASSERT_EQ(updates.size(), 20U);
  for (std::size_t i = 0; i < updates.size(); ++i) {
    EXPECT_DOUBLE_EQ(updates[i].at("lr").get<double>(), config.base_lr * (1 - static_cast<double>(i) / 20));
    EXPECT_EQ(updates[i].at("step"), i + 1);
  }
}

// No loss is lower than the best by 99.9 %, so the factor falls each time the patience is over.
TEST_F(TrainTest, PlateauFollowsTheLoss) {
  TrainConfig config = digits();
  config.schedule = "plateau(factor=0.5,patience=20%,threshold=0.999)";
  run(config, "a");
  const auto lines = records_of(folder_ / "a", "train");
  ASSERT_EQ(lines.size(), 30U);
  EXPECT_EQ(lines.front().at("lr"), config.base_lr);
  for (std::size_t i = 1; i < lines.size(); ++i) {
    const double before = lines[i - 1].at("lr"), after = lines[i].at("lr");
    EXPECT_TRUE(after == before || after == before / 2) << "update " << i;
  }
  EXPECT_LE(lines.back().at("lr").get<double>(), config.base_lr / 8);
}

TEST_F(TrainTest, RunDirectoryDescribesItself) {
  const TrainConfig config = digits();
  const TrainResult result = run(config, "a");
  EXPECT_EQ(read_run_config(folder_ / "a"), config);
  const auto told = summary_of(folder_ / "a");
  EXPECT_EQ(told.at("status"), "done");
  EXPECT_EQ(told.at("test_accuracy"), result.test_accuracy);
  EXPECT_EQ(told.at("updates"), 30);
  EXPECT_TRUE(fs::exists(folder_ / "a/checkpoint/step-000000030.safetensors"));
  EXPECT_EQ(records_of(folder_ / "a", "eval").back().at("accuracy"), result.test_accuracy);
  ASSERT_TRUE(fs::is_directory(folder_ / "a/tensorboard"));
  const std::string bytes = text_of(fs::directory_iterator(folder_ / "a/tensorboard")->path());
  for (const char* tag : {"train/loss", "train/lr", "eval/accuracy"})
    EXPECT_THAT(bytes, testing::HasSubstr(tag));
}

TEST_F(TrainTest, SameSeedGivesTheSameBitsAndAnotherSeedDoesNot) {
  TrainConfig config = digits();
  run(config, "a");
  run(config, "b");
  expect_same_weights(folder_ / "a", folder_ / "b");
  config.seed = 1;
  run(config, "c");
  const auto a = load_safetensors(folder_ / "a/model.safetensors"),
             c = load_safetensors(folder_ / "c/model.safetensors");
  EXPECT_FALSE(torch::equal(a.begin()->second, c.begin()->second));
}

TEST_F(TrainTest, StoppedAndResumedRunHasTheSameBits) {
  TrainConfig config = digits();
  config.model = "convnet";
  config.width = 0.25;
  run(config, "whole");
  for (const int stop_after : {1, 13, 29}) {
    SCOPED_TRACE(stop_after);
    TrainOptions options;
    options.out = folder_ / ("stopped-" + std::to_string(stop_after));
    int asked = 0;
    options.stop_signal = [&] { return ++asked == stop_after ? SIGTERM : 0; };
    try {
      train(config, options);
      FAIL() << "the run was not stopped";
    } catch (const Interrupted& stopped) {
      EXPECT_EQ(stopped.exit_status(), 143);
      EXPECT_THAT(stopped.what(), testing::HasSubstr("--resume"));
    }
    EXPECT_FALSE(fs::exists(options.out / "summary.json"));
    options.stop_signal = nullptr;
    options.resume = true;
    train(config, options);
    expect_same_weights(folder_ / "whole", options.out);
    EXPECT_EQ(summary_of(options.out).at("test_accuracy"), summary_of(folder_ / "whole").at("test_accuracy"));
    EXPECT_EQ(summary_of(options.out).at("train_loss"), summary_of(folder_ / "whole").at("train_loss"));
    EXPECT_EQ(records_of(options.out, "train").back().at("step"), 30);
  }
}

TEST_F(TrainTest, ClockBudgetEndsOnTimeByItsOwnClock) {
  TrainConfig config = digits();
  config.budget = "20s";
  TrainOptions options;
  options.out = folder_ / "a";
  double seconds = 0;  // every look at the clock costs 5 ms, so speed is the test's to decide
  options.clock = [&] { return seconds += 0.005; };
  const TrainResult result = train(config, options);
  EXPECT_LE(result.seconds, 20.0);
  EXPECT_GT(result.seconds, 18.0);
  EXPECT_LT(result.last_update_lr / config.base_lr, 0.02);
  EXPECT_GT(result.updates, 100);
}

TEST_F(TrainTest, AClockBudgetThatIsOverBeforeItLandedIsToldOf) {
  TrainConfig config = digits();
  config.budget = "20s";
  TrainOptions options;
  std::vector<std::string> warnings;
  options.on_warning = [&](const std::string& text) { warnings.push_back(text); };
  double seconds = 0;
  options.clock = [&] { return seconds += seconds < 8 ? 0.005 : 30; };  // stands still
  const TrainResult result = train(config, options);
  ASSERT_EQ(warnings.size(), 1U);
  EXPECT_THAT(warnings[0],
              testing::StartsWith(fmt::format(
                  "the budget 20s was over before the schedule had landed: the last of {} updates "
                  "used lr {:.4g}, not 0; give more time",
                  result.updates, result.last_update_lr)));
  warnings.clear();
  seconds = 0;
  options.clock = [&] { return seconds += 0.005; };
  train(config, options);
  EXPECT_THAT(warnings, testing::IsEmpty());
}

TEST_F(TrainTest, EvaluationCadence) {
  struct Case {
    const char* every;
    std::size_t evaluations;
  };
  for (const Case& c : {Case{"end", 1}, {"10it", 3}, {"25%", 4}, {"7it", 5}}) {
    SCOPED_TRACE(c.every);
    TrainConfig config = digits();
    config.eval_every = c.every;
    run(config, std::string("run-") + c.every);
    EXPECT_EQ(records_of(folder_ / (std::string("run-") + c.every), "eval").size(), c.evaluations);
  }
}

TEST_F(TrainTest, RefusesAFolderThatHoldsARunAndLeavesItAlone) {
  run(digits(), "a");
  const auto before = fs::last_write_time(folder_ / "a/summary.json");
  try {
    run(digits(), "a");
    FAIL();
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("holds a run already"));
  }
  EXPECT_EQ(fs::last_write_time(folder_ / "a/summary.json"), before);
}

TEST_F(TrainTest, WrongInputTouchesNothing) {
  TrainConfig config = digits();
  config.model = "resnet17";
  EXPECT_THROW(run(config, "a"), InputError);
  config = digits();
  config.train_limit = 100'000;
  EXPECT_THROW(run(config, "a"), InputError);
  EXPECT_FALSE(fs::exists(folder_ / "a"));
}

TEST_F(TrainTest, DivergenceIsAClearFailure) {
  TrainConfig config = digits();
  config.base_lr = 1e30;
  try {
    run(config, "a");
    FAIL() << "a learning rate of 1e30 must not end well";
  } catch (const RunError& error) {
    EXPECT_THAT(error.what(),
                testing::AllOf(testing::StartsWith("diverged: the loss is"), testing::HasSubstr("update")));
  }
  EXPECT_EQ(summary_of(folder_ / "a").at("status"), "diverged");
}

TEST_F(TrainTest, ResumeWithAnotherConfigurationIsRefused) {
  run(digits(), "a");
  TrainConfig config = digits();
  config.base_lr = 0.2;
  TrainOptions options;
  options.out = folder_ / "a";
  options.resume = true;
  try {
    train(config, options);
    FAIL();
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("base_lr = 0.05, not 0.2"));
  }
}

}  // namespace
}  // namespace glidepath
