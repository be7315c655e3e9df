// tests/loop/optimizer_run_test.cpp - whole runs with each optimizer.
#include <cmath>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <limits>

#include <ATen/Context.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include "glidepath/dry_run.h"
#include "glidepath/error.h"
#include "glidepath/safetensors.h"
#include "glidepath/train.h"
#include "loop/digits_run.h"
#include "loop/divergence.h"
#include "setup/run_setup.h"
#include "support/files.h"
#include "support/same_weights.h"
#include "support/stopped_run.h"
#include "support/temporary_folder.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

class OptimizerRun : public testing::TestWithParam<const char*> {
 protected:
  static TrainConfig digits() {
    TrainConfig config = digits_run("50%");
    config.optimizer = GetParam();
    // So few updates want a high one.
    config.base_lr = config.optimizer == "schedule-free-sgd" ? 2 : 0.01;
    return config;
  }

  const TemporaryFolder temporary_{"optimizer"};
  const fs::path& folder_ = temporary_.path();
};

TEST_P(OptimizerRun, LearnsDigits) { EXPECT_GT(train(digits(), {}).test_accuracy, 0.85); }

TEST_P(OptimizerRun, StoppedAndResumedHasTheSameBits) {
  TrainConfig config = digits();
  config.budget = "30it";
  TrainOptions whole, stopped;
  whole.out = folder_ / "whole";
  stopped.out = folder_ / "stopped";
  train(config, whole);
  EXPECT_GE(train_with_stops(config, stopped, 12, 19).stops, 2);
  expect_same_weights(whole.out, stopped.out);
  const auto checkpoint = load_safetensors(stopped.out / "checkpoint/step-000000030.safetensors");
  const auto model = load_safetensors(whole.out / "checkpoint/step-000000030.safetensors");
  ASSERT_EQ(model.size(), checkpoint.size());
  for (const auto& [name, tensor] : model) EXPECT_TRUE(torch::equal(tensor, checkpoint.at(name))) << name;
}

// The first update of plain SGD is as long as the rate times the gradient, so times the norm that it is cut
// to. PyTorch divides by the norm and a millionth more.
TEST(ClipNorm, AnUpdateIsAsLongAsTheGradientMayBe) {
  const TemporaryFolder temporary("clip");
  TrainConfig config = digits_run("1it");
  config.schedule = "const";
  config.momentum = 0;
  config.nesterov = false;
  config.weight_decay = 0;
  const auto weights = [&](const std::string& name) {
    TrainOptions options;
    options.out = temporary.path() / name;
    train(config, options);
    return load_safetensors(options.out / "model.safetensors");
  };
  config.base_lr = 1e-30;  // too small to change anything
  const TensorMap before = weights("start");
  config.base_lr = 1;
  const auto length = [&](const std::string& clip, const std::string& name) {
    config.clip_norm = clip;
    double squares = 0;
    for (const auto& [key, tensor] : weights(name))
      squares += (tensor - before.at(key)).to(torch::kFloat64).square().sum().item<double>();
    return std::sqrt(squares);
  };
  const double whole = length("none", "whole");
  EXPECT_GT(whole, 0.3);
  EXPECT_NEAR(length("0.25", "short"), 0.25, 1e-5);
  EXPECT_NEAR(length("0.01", "shorter"), 0.01, 1e-6);
  EXPECT_DOUBLE_EQ(length("1000", "long"), whole);  // none is made longer
}

// A share that is the same all the way is another value; one that changes is another run, with the same bits
// when it is resumed.
TEST(OptionSchedules, FollowProgress) {
  const TemporaryFolder temporary("shares");
  const auto trained = [&](const TrainConfig& config, const std::string& name) {
    TrainOptions options;
    options.out = temporary.path() / name;
    train(config, options);
    return options.out;
  };
  TrainConfig config = digits_run("30it");
  config.weight_decay = 0.25;
  config.momentum = 0.5;
  const fs::path half = trained(config, "half");
  config.weight_decay = 0.5;
  config.momentum = 0.8;
  config.weight_decay_schedule = "points(0:0.5,1:0.5)";
  config.momentum_schedule = "points(0:0.625,1:0.625)";
  expect_same_weights(half, trained(config, "shares"));

  set_config_value(config, "weight_decay_schedule", "cosine");
  set_config_value(config, "momentum_schedule", "points(0:0.5,30%:1,1:0.9)");
  const fs::path whole = trained(config, "whole");
  TrainOptions stopped;
  stopped.out = temporary.path() / "stopped";
  EXPECT_GE(train_with_stops(config, stopped, 12, 19).stops, 2);
  expect_same_weights(whole, stopped.out);
  EXPECT_FALSE(torch::equal(load_safetensors(whole / "model.safetensors").at("fc1.weight"),
                            load_safetensors(half / "model.safetensors").at("fc1.weight")));
}

// From half of the budget on fc1 stays as it is, and everything else goes on.
TEST(LrUntil, APartOfTheNetworkLandsEarlier) {
  const TemporaryFolder temporary("until");
  TrainConfig config = digits_run("20it");
  config.lr_until = "fc1.*=0.5";
  config.checkpoint_every = "5it";
  config.keep_checkpoints = 10;
  TrainOptions options;
  options.out = temporary.path() / "run";
  train(config, options);
  const auto at = [&](int step, const std::string& name) {
    const fs::path file = options.out / fmt::format("checkpoint/step-{:09}.safetensors", step);
    return load_safetensors(file).at("model." + name);
  };
  for (const char* name : {"fc1.weight", "fc1.bias"}) {
    EXPECT_FALSE(torch::equal(at(5, name), at(10, name))) << name;
    EXPECT_TRUE(torch::equal(at(10, name), at(20, name))) << name;
  }
  EXPECT_FALSE(torch::equal(at(10, "fc2.weight"), at(15, "fc2.weight")));
  EXPECT_FALSE(torch::equal(at(15, "fc2.weight"), at(20, "fc2.weight")));
}

// In training a run with an average has the bits of one without, and the average those of one not stopped.
TEST(Averages, StoppedAndResumedHaveTheSameBits) {
  for (const std::string average : {"ema(10%)", "lawa(3,10%)"}) {
    SCOPED_TRACE(average);
    const TemporaryFolder temporary("averages");
    TrainConfig config = digits_run("30it");
    TrainOptions plain, whole, stopped;
    plain.out = temporary.path() / "plain";
    whole.out = temporary.path() / "whole";
    stopped.out = temporary.path() / "stopped";
    train(config, plain);
    config.average = average;
    const TrainResult result = train(config, whole);
    ASSERT_TRUE(result.average);
    EXPECT_GT(result.average->test_accuracy, 0.2);
    train_with_stops(config, stopped, 12, 19);
    expect_same_weights(whole.out, stopped.out);
    expect_same_weights(whole.out, plain.out);
    EXPECT_FALSE(fs::exists(plain.out / "average.safetensors"));
    const auto averaged = load_safetensors(whole.out / "average.safetensors");
    const auto found = load_safetensors(stopped.out / "average.safetensors");
    const auto last = load_safetensors(whole.out / "model.safetensors");
    ASSERT_EQ(averaged.size(), found.size());
    bool differs = false;
    for (const auto& [name, tensor] : averaged) {
      EXPECT_TRUE(torch::equal(tensor, found.at(name))) << name;
      differs = differs || !torch::equal(tensor, last.at(name));
    }
    EXPECT_TRUE(differs);
  }
}

TEST_P(OptimizerRun, StateThatIsNotFiniteIsNamed) {
  at::manual_seed(1);
  ModelOptions options;
  options.name = "mlp";
  options.in_channels = 1;
  options.image_size = 8;
  const auto model = make_model(options);
  const auto optimizer = make_optimizer(digits(), named_parameters(*model));
  EXPECT_EQ(first_not_finite(*model, optimizer->state()), "");
  for (auto& [name, tensor] : optimizer->state()) {
    if (name == "steps") continue;
    tensor.reshape(-1)[0] = std::numeric_limits<float>::infinity();
    const std::size_t dot = name.find('.');
    EXPECT_EQ(first_not_finite(*model, optimizer->state())
                  .find("the " + name.substr(0, dot) + " of " + name.substr(dot + 1) + " (1 of "),
              0U)
        << name;
    tensor.zero_();
  }
}

TEST(Optimizers, AreThoseThatAConfigurationMayName) {
  TrainConfig config;
  for (const std::string& name : optimizer_names())
    EXPECT_NO_THROW(set_config_value(config, "optimizer", name));
}

INSTANTIATE_TEST_SUITE_P(Each, OptimizerRun,
                         testing::Values("adagrad", "rmsprop", "adam", "amsgrad", "adamw", "muon",
                                         "schedule-free-sgd", "schedule-free-adamw"),
                         [](const auto& info) {
                           std::string name = info.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

// A run whose options depend on its budget has the bits of one that is given what they come to.
TEST(BudgetScaleRun, HasTheBitsOfItsClosedForm) {
  const TemporaryFolder folder("budget-scale");
  TrainConfig scaled = digits_run("20%");  // of ten epochs
  scaled.optimizer = "adamw";
  scaled.base_lr = 0.002;
  scaled.weight_decay = 0.01;
  scaled.base_lr_scale = "budget^-0.32";
  scaled.weight_decay_scale = "timescale";
  TrainConfig plain = scaled;
  plain.base_lr_scale = plain.weight_decay_scale = "off";
  plain.base_lr = 0.002 * std::pow(0.2, -0.32);
  plain.weight_decay = 0.01 / (0.2 * std::pow(0.2, -0.32));
  TrainOptions options;
  std::string noted;
  options.on_note = [&](const std::string& line) { noted += line; };
  options.out = folder.path() / "scaled";
  options.stop_signal = [left = 30]() mutable { return left-- > 0 ? 0 : SIGTERM; };
  EXPECT_THROW(train(scaled, options), Interrupted);
  options.stop_signal = nullptr;
  options.resume = true;
  train(scaled, options);
  EXPECT_THAT(noted, testing::HasSubstr("at 20 % of the full budget base_lr is 0.002 * 1.674 = 0.003347"));
  options.resume = false;
  options.out = folder.path() / "plain";
  train(plain, options);
  EXPECT_TRUE(text_of(folder.path() / "scaled" / "model.safetensors") ==
              text_of(folder.path() / "plain" / "model.safetensors"));

  const DryRun dry = dry_run(scaled);
  EXPECT_EQ(dry.base_lr, plain.base_lr);
  EXPECT_EQ(dry.weight_decay, plain.weight_decay);
  EXPECT_EQ(dry.learning_rates.front(), plain.base_lr);

  scaled.budget = "40%";
  options.resume = true;
  options.resume_from = folder.path() / "scaled";
  options.out = folder.path() / "more";
  try {
    train(scaled, options);
    FAIL() << "taken";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(),
                testing::HasSubstr("is for the budget 20% that it has; for 40% start a new run"));
  }
}

}  // namespace
}  // namespace glidepath
