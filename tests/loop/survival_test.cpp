// tests/loop/survival_test.cpp - runs that are stopped, damaged or diverge, and what becomes of them.
#include <algorithm>
#include <cmath>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <vector>

#include <ATen/Context.h>
#include <ATen/core/grad_mode.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <torch/types.h>

#include "glidepath/error.h"
#include "glidepath/measure.h"
#include "glidepath/models.h"
#include "glidepath/train.h"
#include "loop/digits_run.h"
#include "loop/divergence.h"
#include "run/checkpoint.h"
#include "support/models.h"
#include "support/run_results.h"
#include "support/temporary_folder.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

using nlohmann::json;
using testing::HasSubstr;

class SurvivalTest : public testing::Test {
 protected:
  // Three updates a record, so that stops fall between records; plateau, so that what is observed matters.
  static TrainConfig digits() {
    TrainConfig config = digits_run("220it");
    config.schedule = "plateau(factor=0.5,patience=5%,threshold=0.05)";
    config.batch_size = 128;
    config.eval_every = "20it";
    config.checkpoint_every = "7it";
    return config;
  }
  TrainOptions options(const std::string& name) {
    TrainOptions options;
    options.out = folder_ / name;
    options.measurer = instruments();
    options.on_warning = [this](const std::string& text) { warnings_.push_back(text); };
    return options;
  }
  /// metrics.jsonl without its clock readings.
  static std::vector<json> metrics(const fs::path& run) {
    std::vector<json> list = records_of(run);
    for (json& record : list) EXPECT_EQ(record.erase("seconds"), 1U);
    return list;
  }
  static json summary(const fs::path& run) {
    json told = summary_of(run);
    for (const char* clock : {"seconds", "images_per_second", "peak_memory_mib"}) told.erase(clock);
    told.at("spent").erase("seconds");
    return told;
  }
  static void expect_same_run(const fs::path& a, const fs::path& b) {
    EXPECT_EQ(metrics(a), metrics(b));
    EXPECT_EQ(summary(a), summary(b));
    EXPECT_GT(text_of(a / "model.safetensors").size(), 1000U);
    EXPECT_TRUE(text_of(a / "model.safetensors") == text_of(b / "model.safetensors"));
  }
  static std::size_t count(const std::vector<json>& records, const std::string& kind) {
    std::size_t found = 0;
    for (const json& record : records) found += record.at("kind") == kind;
    return found;
  }

  const TemporaryFolder temporary_{"survival"};
  const fs::path& folder_ = temporary_.path();
  std::vector<std::string> warnings_;
};

// The signal is seen at the n-th look: after updates, between records, in the middle of evaluations.
TEST_F(SurvivalTest, ARunStoppedManyTimesHasTheSameMetricsAndBits) {
  TrainConfig config = digits();
  config.eval_batch_size = 100;  // several batches an evaluation
  train(config, options("whole"));
  ASSERT_GT(count(metrics(folder_ / "whole"), "train"), 100U);
  TrainOptions stopped = options("stopped");
  int stops = 0;
  while (true) {
    int looks = 0;
    const int last = 9 + 9 * (stops % 5);
    stopped.stop_signal = [&] { return ++looks == last ? SIGTERM : 0; };
    stopped.resume = stops > 0;
    try {
      train(config, stopped);
      break;
    } catch (const Interrupted& signal) {
      EXPECT_EQ(signal.exit_status(), 143);
      ASSERT_LT(++stops, 200);
    }
  }
  EXPECT_GT(stops, 8);
  expect_same_run(folder_ / "whole", folder_ / "stopped");
  EXPECT_THAT(warnings_, testing::IsEmpty());
}

TEST_F(SurvivalTest, ASignalBeforeTheFirstUpdateIsObeyed) {
  TrainOptions stopped = options("a");
  stopped.stop_signal = [] { return SIGUSR1; };
  try {
    train(digits(), stopped);
    FAIL();
  } catch (const Interrupted& signal) {
    EXPECT_EQ(signal.exit_status(), 128 + SIGUSR1);
    EXPECT_THAT(signal.what(), HasSubstr("stopped at update 0"));
  }
  stopped.stop_signal = nullptr;
  stopped.resume = true;
  EXPECT_EQ(train(digits(), stopped).updates, 220);
}

// What is written last is the summary; without it the run is not done, and resuming does what is missing.
TEST_F(SurvivalTest, ARunKilledBeforeItsSummaryIsFinishedByResume) {
  train(digits(), options("a"));
  for (const bool model_too : {false, true}) {
    fs::copy(folder_ / "a", folder_ / "b",
             fs::copy_options::recursive | fs::copy_options::overwrite_existing);
    fs::remove(folder_ / "b/summary.json");
    if (model_too) fs::remove(folder_ / "b/model.safetensors");
    TrainOptions again = options("b");
    again.resume = true;
    train(digits(), again);
    expect_same_run(folder_ / "a", folder_ / "b");
  }
}

TEST_F(SurvivalTest, ADamagedCheckpointIsToldAndTheOneBeforeItContinuesToTheSameBits) {
  train(digits(), options("a"));
  fs::copy(folder_ / "a", folder_ / "b", fs::copy_options::recursive);
  std::vector<fs::path> checkpoints;
  for (const auto& entry : fs::directory_iterator(folder_ / "b/checkpoint")) checkpoints.push_back(entry);
  std::sort(checkpoints.begin(), checkpoints.end());
  ASSERT_EQ(checkpoints.size(), 2U);  // keep_checkpoints
  std::fstream(checkpoints.back(), std::ios::in | std::ios::out | std::ios::binary)
      .seekp(-3, std::ios::end)
      .put('x');
  for (const char* file : {"summary.json", "model.safetensors"}) fs::remove(folder_ / "b" / file);
  TrainOptions again = options("b");
  again.resume = true;
  train(digits(), again);
  ASSERT_EQ(warnings_.size(), 1U);
  EXPECT_THAT(warnings_[0], HasSubstr("SHA-256"));
  expect_same_run(folder_ / "a", folder_ / "b");
}

TEST_F(SurvivalTest, AFolderRemovedWhileRunningIsMadeAgainWithAllMetrics) {
  train(digits(), options("a"));
  TrainOptions removed = options("b");
  int looks = 0;
  removed.stop_signal = [&] {
    if (++looks == 150) fs::remove_all(folder_ / "b");
    return 0;
  };
  train(digits(), removed);
  expect_same_run(folder_ / "a", folder_ / "b");
  EXPECT_EQ(read_run_config(folder_ / "b"), digits());
}

TEST_F(SurvivalTest, DivergenceNamesUpdateRateAndLayerAndLeavesTheLastGoodCheckpoint) {
  TrainConfig config = digits();
  config.schedule = "linear";
  config.base_lr = 40;
  config.momentum = 0;
  config.nesterov = false;
  config.checkpoint_every = "1it";
  try {
    train(config, options("a"));
    FAIL() << "a learning rate of 40 must not end well";
  } catch (const RunError& error) {
    EXPECT_THAT(error.what(),
                testing::MatchesRegex("diverged: the loss is [a-z ]+ at update [0-9]+ \\(lr .*\\); the "
                                      "first that is not finite is .*; give a lower.*"));
  }
  const json told = summary(folder_ / "a");
  EXPECT_EQ(told.at("status"), "diverged");
  EXPECT_EQ(told.at("divergence").at("update"), told.at("updates"));
  EXPECT_NE(told.at("divergence").at("first_not_finite"), "");
  TensorMap tensors;
  const CheckpointFolder checkpoints(folder_ / "a/checkpoint", 2, {});
  const auto state = checkpoints.load(tensors);
  ASSERT_TRUE(state.has_value());
  EXPECT_LT(state->get<CheckpointPlace>().step, told.at("updates").get<std::int64_t>());
  for (const auto& [name, tensor] : tensors) {
    if (!tensor.is_floating_point()) continue;
    EXPECT_TRUE(torch::isfinite(tensor).all().item<bool>()) << name;
  }
}

// Weights are made to overflow in one layer, so which one is first is known.
TEST(FirstNotFinite, FindsTheLayerWhoseOutputIsFirst) {
  for (const char* name : {"mlp", "convnet", "resnet8"}) {
    for (const bool bf16 : {false, true}) {
      SCOPED_TRACE(testing::Message() << name << " bf16 " << bf16);
      ModelOptions options;
      options.name = name;
      options.width = 0.25;
      options.in_channels = 1;
      options.image_size = 8;
      ComputePlan plan;
      plan.bf16 = bf16 && cpu_has_bf16();
      at::manual_seed(1);
      // Large, so that a layer of the largest weights overflows whatever comes before it.
      const Batch batch{(100 * torch::randn({4, 1, 8, 8})).to(plan.bf16 ? torch::kBFloat16 : torch::kFloat32),
                        torch::zeros({4}, torch::kInt64)};
      const std::vector<std::string> layers =
          std::string(name) == "mlp"       ? std::vector<std::string>{"fc1", "fc2", "fc3"}
          : std::string(name) == "convnet" ? std::vector<std::string>{"conv1", "conv2", "fc"}
                                           : std::vector<std::string>{"conv1", "layer2.0.conv1", "fc"};
      for (const std::string& layer : layers) {
        at::manual_seed(1);
        const auto model = make_model(options);
        {
          const at::NoGradGuard no_grad;
          EXPECT_EQ(first_not_finite(*model, {}, batch, plan), "the loss itself");  // all is well
          torch::Tensor weights = tensor_named(model->named_parameters(), layer + ".weight");
          weights.fill_(3e38F);
          EXPECT_EQ(first_not_finite(*model, {}, batch, plan), "the output of " + layer);
          weights.fill_(std::numeric_limits<float>::quiet_NaN());
          EXPECT_THAT(first_not_finite(*model, {}, batch, plan),
                      HasSubstr("the weight " + layer + ".weight ("));
        }
      }
      const auto model = make_model(options);
      const Batch bad{
          torch::full({4, 1, 8, 8}, std::numeric_limits<float>::infinity(), batch.images().options()),
          batch.labels()};
      EXPECT_EQ(first_not_finite(*model, {}, bad, plan), "the images of the batch");
    }
  }
}

// Signals fall into measures, between an evaluation and a measure, and between the two halves of a pair.
TEST_F(SurvivalTest, ARunThatIsMeasuredAndStoppedManyTimesHasTheSameMetricsAndBits) {
  TrainConfig config = digits();
  config.model = "convnet";  // with statistics that a measure must not leave behind
  config.width = 0.25;
  config.budget = "60it";
  config.schedule = "linear";
  set_config_value(config, "measure",
                   "grad-norm@every=10it,weight-norm@points=7,grad-norm-online(peek=5)@every=20it");
  train(config, options("whole"));
  EXPECT_EQ(count(metrics(folder_ / "whole"), "measure"), 13U);  // 7 moments and 8 - 2 more
  TrainOptions stopped = options("stopped");
  int stops = 0;
  while (true) {
    int looks = 0;
    const int last = 13 + 3 * (stops % 5);
    stopped.stop_signal = [&] { return ++looks == last ? SIGTERM : 0; };
    stopped.resume = stops > 0;
    try {
      train(config, stopped);
      break;
    } catch (const Interrupted&) {
      ASSERT_LT(++stops, 200);
    }
  }
  EXPECT_GT(stops, 5);
  expect_same_run(folder_ / "whole", folder_ / "stopped");
}

TEST_F(SurvivalTest, AnotherBudgetMovesTheMomentsThatAreLeft) {
  TrainConfig config = digits();
  config.budget = "40it";
  config.schedule = "linear";
  set_config_value(config, "measure", "weight-norm@points=4,grad-norm-online(peek=5)@points=2");
  const auto steps = [&](const std::string& run) {
    std::vector<std::int64_t> list;
    for (const json& record : metrics(folder_ / run)) {
      if (record.at("kind") == "measure" && record.count("weight_norm") > 0)
        list.push_back(record.at("step"));
    }
    return list;
  };
  TrainOptions cut = options("a");
  int looks = 0;
  cut.stop_signal = [&] { return ++looks == 25 ? SIGTERM : 0; };
  EXPECT_THROW(train(config, cut), Interrupted);
  const auto before = steps("a");
  ASSERT_THAT(before, testing::ElementsAre(0, 10, 20));
  cut.stop_signal = nullptr;
  cut.resume = true;
  config.budget = "80it";
  train(config, cut);
  auto after = steps("a");
  EXPECT_EQ(after.back(), 80);
  EXPECT_TRUE(std::is_sorted(after.begin(), after.end()));
  EXPECT_EQ(std::adjacent_find(after.begin(), after.end()), after.end()) << "none twice";
  EXPECT_TRUE(std::equal(before.begin(), before.end(), after.begin()));
  // Back to where both budgets agree: a linear run to its start.
  config.budget = "20it";
  cut.replan = Replan::kRewind;
  cut.resume_from = cut.out;
  cut.out = folder_ / "b";
  train(config, cut);
  EXPECT_THAT(steps("b"), testing::ElementsAre(0, 5, 10, 15, 20));
}

class RewindTest : public SurvivalTest {
 protected:
  static TrainConfig diverging() {
    TrainConfig config = digits();
    config.schedule = "linear";
    config.budget = "60it";
    config.eval_every = "15it";
    config.momentum = 0;
    config.nesterov = false;
    config.base_lr = 5;  // diverges after the first evaluation
    config.on_divergence = "rewind";
    return config;
  }
};

TEST_F(RewindTest, GoesBackWithHalfTheRateAndTellsSo) {
  const TrainResult result = train(diverging(), options("a"));
  EXPECT_GE(result.rewinds, 1);
  EXPECT_EQ(result.updates, 60);
  const auto lines = metrics(folder_ / "a");
  // The last line of its kind: the lines after the point that a run goes back to are taken out.
  const auto told = std::find_if(lines.rbegin(), lines.rend(),
                                 [](const json& record) { return record.at("kind") == "rewind"; });
  ASSERT_NE(told, lines.rend());
  EXPECT_EQ(told->at("rewinds"), result.rewinds);
  EXPECT_EQ(told->at("step").get<std::int64_t>() % 15, 0);
  EXPECT_GT(told->at("step"), 0);
  EXPECT_GT(told->at("diverged_at"), told->at("step"));
  EXPECT_EQ(told->at("base_lr"), std::ldexp(5, -static_cast<int>(result.rewinds)));
  EXPECT_EQ(count(lines, "train"), 60U);
  EXPECT_EQ(summary(folder_ / "a").at("rewinds"), result.rewinds);
  EXPECT_EQ(warnings_.size(), static_cast<std::size_t>(result.rewinds));
}

TEST_F(RewindTest, StoppedAnywhereItEndsWithTheSameBits) {
  TrainConfig config = diverging();
  set_config_value(config, "measure", "grad-norm(images=256)@points=3,grad-norm-online(peek=5)@points=6");
  train(config, options("whole"));
  EXPECT_EQ(metrics(folder_ / "whole").front().at("kind"), "measure");
  EXPECT_GE(count(metrics(folder_ / "whole"), "measure"), 7U);
  for (const int every : {4, 7, 11}) {
    TrainOptions stopped = options("stopped-" + std::to_string(every));
    for (stopped.resume = false;; stopped.resume = true) {
      int looks = 0;
      stopped.stop_signal = [&] { return ++looks == 1 + every ? SIGTERM : 0; };
      try {
        train(config, stopped);
        break;
      } catch (const Interrupted&) {
      }
    }
    expect_same_run(folder_ / "whole", stopped.out);
  }
}

TEST_F(RewindTest, GivesUpAfterFive) {
  TrainConfig config = diverging();
  config.base_lr = 1e30;
  EXPECT_THROW(train(config, options("a")), RunError);
  EXPECT_EQ(summary(folder_ / "a").at("status"), "diverged");
  EXPECT_EQ(summary(folder_ / "a").at("rewinds"), 5);
}

}  // namespace
}  // namespace glidepath
