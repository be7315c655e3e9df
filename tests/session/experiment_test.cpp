// tests/session/experiment_test.cpp - runs of a program's own model, task, data and callbacks.
#include "glidepath/experiment.h"

#include <cmath>

#include <ATen/Context.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/nn/functional/loss.h>
#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/container/sequential.h>
#include <torch/nn/modules/dropout.h>
#include <torch/nn/modules/linear.h>
#include <torch/types.h>

#include "glidepath/error.h"
#include "glidepath/examples.h"
#include "glidepath/models.h"
#include "loop/digits_run.h"
#include "support/files.h"
#include "support/run_results.h"
#include "support/temporary_folder.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

using testing::HasSubstr;
using torch::Tensor;

/// y = A x + b with a little noise: what least squares finds is known.
struct Line {
  Tensor x, y, solution;  // [N, 3], [N, 2], [4, 2] with the offset last
};

Line line_of(std::int64_t count, std::uint64_t seed) {
  at::manual_seed(seed);
  Line line;
  line.x = torch::randn({count, 3});
  at::manual_seed(99);
  const Tensor slope = torch::randn({3, 2}), offset = torch::randn({2});
  at::manual_seed(seed + 1);
  line.y = torch::matmul(line.x, slope) + offset + 0.1 * torch::randn({count, 2});
  const Tensor with_one = torch::cat({line.x, torch::ones({count, 1})}, 1).to(torch::kFloat64);
  line.solution = torch::matmul(torch::pinverse(with_one), line.y.to(torch::kFloat64));
  return line;
}

Tensor squared_error(const Values& outputs, const Batch& batch) {
  return torch::mse_loss(outputs.front(), batch.targets.front());
}

class ExperimentTest : public testing::Test {
 protected:
  ExperimentTest() : temporary_("experiment"), folder_(temporary_.path()) {}

  Experiment regression() {
    const Line train = line_of(512, 1), test = line_of(128, 7);
    Experiment experiment;
    experiment.config = digits_run("60it");
    experiment.config.data = TrainConfig().data;
    experiment.config.model = TrainConfig().model;
    experiment.config.weight_decay = 0;
    experiment.config.base_lr = 0.1;
    at::manual_seed(5);
    module_ = torch::nn::Linear(3, 2);
    experiment.model = module_model(module_.ptr());
    experiment.task = make_task(squared_error);
    experiment.data = own_data(tensor_examples({train.x}, {train.y}), tensor_examples({test.x}, {test.y}));
    return experiment;
  }
  TrainOptions into(const std::string& name) {
    TrainOptions options;
    options.out = folder_ / name;
    return options;
  }
  std::string weights(const std::string& name) { return text_of(folder_ / name / "model.safetensors"); }
  std::string refusal(const Experiment& experiment, const TrainOptions& options = {}) {
    try {
      train(experiment, options);
    } catch (const InputError& error) {
      return error.what();
    }
    return "";
  }

  TemporaryFolder temporary_;
  fs::path folder_;
  torch::nn::Linear module_{nullptr};
};

// The closed form is least squares' own.
TEST_F(ExperimentTest, RegressionLandsOnTheLeastSquaresSolution) {
  const Experiment experiment = regression();
  const TrainResult result = train(experiment, into("a"));
  EXPECT_EQ(result.updates, 60);
  EXPECT_EQ(result.final_lr, 0);
  const Tensor found = torch::cat({module_->weight.detach().t(), module_->bias.detach().unsqueeze(0)});
  EXPECT_TRUE(torch::allclose(found.to(torch::kFloat64), line_of(512, 1).solution, 0, 0.01)) << found;
  EXPECT_NEAR(result.test_loss, 0.01, 0.004);  // the noise's variance
  EXPECT_TRUE(std::isnan(result.test_accuracy));
  const auto summary = summary_of(folder_ / "a");
  EXPECT_TRUE(summary.at("test_accuracy").is_null());
  EXPECT_EQ(summary.at("model"), "own");
  EXPECT_EQ(summary.at("data"), "own");
  // A multiply-add counts as 2; the first layer's input needs no gradient. 7.5 epochs of 512.
  EXPECT_EQ(summary.at("spent").at("flops"), 60 * 64 * (12.0 + 12.0));
}

/// Stops a run after some updates, as a signal does.
TrainOptions stopped(TrainOptions options, const Experiment& experiment, int updates) {
  options.stop_signal = [left = updates, &experiment]() mutable {
    static_cast<void>(experiment);
    return left-- > 0 ? 0 : SIGTERM;
  };
  return options;
}

TEST_F(ExperimentTest, StoppedAndGoneOnWithHasTheSameBits) {
  train(regression(), into("whole"));
  const Experiment experiment = regression();
  EXPECT_THROW(train(experiment, stopped(into("cut"), experiment, 20)), Interrupted);
  TrainOptions on = into("cut");
  on.resume = true;
  train(regression(), on);
  EXPECT_FALSE(weights("whole").empty());
  EXPECT_TRUE(weights("cut") == weights("whole"));
  // Other data than it began with are not gone on with.
  Experiment other = regression();
  const Line line = line_of(512, 3);
  other.data = own_data(tensor_examples({line.x}, {line.y}), tensor_examples({line.x}, {line.y}));
  other.config.budget = "80it";
  EXPECT_THAT(refusal(other, on), HasSubstr("cut"));
}

// Its accuracy is no number, which a checkpoint has to be able to say.
TEST_F(ExperimentTest, ATaskThatKnowsNoAccuracyIsGoneOnWithAfterATest) {
  Experiment experiment = regression();
  experiment.config.eval_every = "10it";
  train(experiment, into("whole"));
  experiment = regression();
  experiment.config.eval_every = "10it";
  EXPECT_THROW(train(experiment, stopped(into("cut"), experiment, 40)), Interrupted);
  experiment = regression();
  experiment.config.eval_every = "10it";
  TrainOptions on = into("cut");
  on.resume = true;
  train(experiment, on);
  EXPECT_TRUE(weights("cut") == weights("whole"));
}

TEST_F(ExperimentTest, AScoreThatIsNoAccuracyChoosesTheBestWeightsAndIsGoneOnWith) {
  const auto made = [&] {
    Experiment experiment = regression();
    experiment.task = make_regression();
    experiment.config.eval_every = "10it";
    experiment.config.val = "10%";
    return experiment;
  };
  std::vector<double> seen;
  TrainOptions options = into("whole");
  options.on_evaluation = [&](const TrainStatus& status) {
    ASSERT_TRUE(status.score.has_value());
    EXPECT_EQ(status.score->name, "rmse");
    EXPECT_FALSE(status.score->higher_is_better);
    EXPECT_NEAR(status.score->value, std::sqrt(status.test_loss), 1e-7);
    seen.push_back(status.score->value);
  };
  const TrainResult whole = train(made(), options);
  EXPECT_EQ(whole.score, "test_rmse");
  const auto summary = summary_of(folder_ / "whole");
  EXPECT_EQ(summary.at("score"), "test_rmse");
  EXPECT_NEAR(summary.at("test_rmse").get<double>(), std::sqrt(whole.test_loss), 1e-7);
  EXPECT_LT(summary.at("test_mae").get<double>(), summary.at("test_rmse").get<double>());
  ASSERT_TRUE(whole.best.has_value());
  EXPECT_EQ(summary.at("best_val_rmse").get<double>(), *std::min_element(seen.begin(), seen.end()));
  EXPECT_NE(text_of(folder_ / "whole" / "metrics.jsonl").find("\"rmse\":"), std::string::npos);

  const Experiment experiment = made();
  EXPECT_THROW(train(experiment, stopped(into("cut"), experiment, 45)), Interrupted);
  TrainOptions on = into("cut");
  on.resume = true;
  const TrainResult result = train(made(), on);
  EXPECT_TRUE(weights("cut") == weights("whole"));
  ASSERT_EQ(result.metrics.size(), whole.metrics.size());
  for (std::size_t i = 0; i < result.metrics.size(); ++i)
    EXPECT_EQ(result.metrics[i].value, whole.metrics[i].value) << result.metrics[i].name;
}

TEST_F(ExperimentTest, ANamedTaskHasToFitTheTargets) {
  Experiment experiment = regression();
  experiment.task = nullptr;
  EXPECT_THAT(refusal(experiment), HasSubstr("task \"classify\": wants a class for each example"));
  experiment.config.task = "regress";
  EXPECT_EQ(train(experiment).score, "test_rmse");
  experiment.config.label_smoothing = 0.1;
  EXPECT_THAT(refusal(experiment), HasSubstr("label_smoothing \"0.1\": for task classify"));
  TrainConfig digits = digits_run("1it");
  digits.task = "segment";
  EXPECT_THAT(refusal({digits, {}, {}, {}, {}}), HasSubstr("task \"segment\": wants masks of classes"));
}

// What the program carries, handed in as one's own, is trained alike.
TEST_F(ExperimentTest, ABuiltInNetworkAsOnesOwnHasTheSameBits) {
  TrainConfig config = digits_run("2ep");
  config.model = "convnet";
  train(config, into("named"));
  Experiment experiment;
  experiment.config = config;
  ModelOptions options;
  options.name = "convnet";
  options.in_channels = 1;
  options.image_size = 8;
  at::manual_seed(config.seed);
  experiment.model = make_model(options);
  experiment.data = load_dataset("digits");
  experiment.task = make_classification();
  train(experiment, into("own"));
  EXPECT_TRUE(weights("own") == weights("named"));
}

// The start that a run goes back to is the weights that it was given, not those that diverged.
TEST_F(ExperimentTest, ADivergedRunGoesBackToTheWeightsThatItWasGiven) {
  Experiment experiment = regression();
  experiment.config.base_lr = 8;  // too much
  experiment.config.on_divergence = "rewind";
  const TrainResult result = train(experiment, into("wild"));
  EXPECT_GT(result.rewinds, 0);
  // So it is the run that begins with the rate it came down to.
  Experiment tame = regression();
  tame.config.base_lr = std::ldexp(experiment.config.base_lr, -static_cast<int>(result.rewinds));
  train(tame, into("tame"));
  EXPECT_TRUE(weights("wild") == weights("tame"));
}

struct Wavering : torch::nn::Module {
  Wavering() {
    fc = register_module("fc", torch::nn::Linear(64, 32));
    norm = register_module("norm", torch::nn::BatchNorm1d(32));
    drop = register_module("drop", torch::nn::Dropout(0.2));
    out = register_module("out", torch::nn::Linear(32, 10));
  }
  Tensor forward(const Tensor& x) { return out(drop(torch::relu(norm(fc(x.flatten(1)))))); }
  torch::nn::Linear fc{nullptr}, out{nullptr};
  torch::nn::BatchNorm1d norm{nullptr};
  torch::nn::Dropout drop{nullptr};
};

/// The carried digits as examples that are moved by a pixel at random while they are trained on.
Dataset moving_digits() {
  const Dataset digits = load_dataset("digits");
  const auto examples = [](const Split& split, bool moves) {
    const Tensor images = split.images.to(torch::kFloat32) / 16, labels = split.labels;
    return function_examples(split.size(), [=](std::int64_t number, KeyedRandom* random) {
      Tensor image = images[number];
      if (moves && random != nullptr) image = image.roll(static_cast<std::int64_t>(random->below(3)) - 1, 2);
      return Example{{image}, {labels[number]}};
    });
  };
  return own_data(examples(digits.train, true), examples(digits.test, false));
}

Experiment wavering(const std::string& budget) {
  Experiment experiment;
  experiment.config = digits_run(budget);
  experiment.config.val = "10%";
  experiment.config.eval_every = "1ep";
  experiment.config.data = "moving-digits";
  at::manual_seed(2);
  experiment.model = module_model(std::make_shared<Wavering>());
  experiment.data = moving_digits();
  return experiment;
}

// Dropout's generator, moved images, batch norm of vectors, held out examples, the best weights.
TEST_F(ExperimentTest, RandomExamplesAndDropoutGoOnWithTheSameBits) {
  const TrainResult whole = train(wavering("4ep"), into("whole"));
  EXPECT_GT(whole.test_accuracy, 0.9);
  EXPECT_EQ(whole.val_images, 144);
  EXPECT_EQ(whole.bn_images, 1294);  // all that are trained on
  ASSERT_TRUE(whole.best.has_value());
  const Experiment experiment = wavering("4ep");
  EXPECT_THROW(train(experiment, stopped(into("cut"), experiment, 45)), Interrupted);
  TrainOptions on = into("cut");
  on.resume = true;
  const TrainResult result = train(wavering("4ep"), on);
  EXPECT_TRUE(weights("cut") == weights("whole"));
  EXPECT_EQ(result.test_accuracy, whole.test_accuracy);
}

class Counter : public Callback {
 public:
  void on_start(RunView& run) override { begun_at = run.step(); }
  bool is_due(RunView& run) override { return run.step() == 10 && acted == 0; }
  void act(RunView& run) override {
    ++acted;
    run.record({{"weight_sum", run.model().parameters().front().sum().item<double>()}});
  }
  void after_update(RunView& run) override {
    ++updates;
    last_lr = run.lr();
    EXPECT_EQ(run.step(), updates);
    EXPECT_TRUE(std::isfinite(run.loss()));
  }
  void at_end(RunView& run) override { progress = run.progress(); }

  std::int64_t begun_at = -1;
  int acted = 0, updates = 0;
  double last_lr = 1, progress = 0;
};

TEST_F(ExperimentTest, CallbacksSeeTheRunAndChangeNothing) {
  train(regression(), into("plain"));
  Experiment experiment = regression();
  const auto counter = std::make_shared<Counter>();
  experiment.callbacks = {counter};
  const TrainResult result = train(experiment, into("watched"));
  EXPECT_EQ(counter->begun_at, 0);
  EXPECT_EQ(counter->acted, 1);
  EXPECT_EQ(counter->updates, 60);
  EXPECT_EQ(counter->progress, 1);
  EXPECT_EQ(counter->last_lr, result.last_update_lr);
  EXPECT_TRUE(weights("watched") == weights("plain"));
  const auto lines = records_of(folder_ / "watched", "measure");
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0].at("step"), 10);
  EXPECT_TRUE(lines[0].at("weight_sum").is_number());
}

TEST_F(ExperimentTest, WhatCannotBeTrainedIsRefused) {
  Experiment no_model = regression();
  no_model.model = nullptr;
  EXPECT_EQ(refusal(no_model),
            "model \"resnet18\": takes images float32 [C, H, H] with labels or numbers; the examples of data "
            "\"own\" are float32 [3] with float32 [2]; programs give others a model, Experiment::model");
  Experiment sized = regression();
  sized.config.train_res = "32..64";
  EXPECT_THAT(refusal(sized), HasSubstr("train_res \"32..64\": for image folders alone"));
  Experiment large = regression();
  large.config.batch_size = 1000;
  EXPECT_THAT(refusal(large), HasSubstr("batch_size \"1000\": must be at most the 512 training"));
  TrainConfig named;
  named.model = "own";
  named.data = "digits";
  EXPECT_THAT(refusal({named, {}, {}, {}, {}}), HasSubstr("model \"own\": a program's own"));
  named.model = "mlp";
  named.data = "own";
  EXPECT_THAT(refusal({named, {}, {}, {}, {}}), HasSubstr("data \"own\": a program's own"));
}

TEST_F(ExperimentTest, ADryRunTellsOfOnesOwnModel) {
  const DryRun dry = dry_run(regression());
  EXPECT_EQ(dry.updates, 60);
  EXPECT_EQ(dry.flops, 60 * 64 * 24.0);
}

}  // namespace
}  // namespace glidepath
