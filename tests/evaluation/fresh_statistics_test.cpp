// tests/evaluation/fresh_statistics_test.cpp - batch norm's statistics estimated anew, against torch's own
// average.
#include "evaluation/fresh_statistics.h"

#include <csignal>
#include <fstream>

#include <ATen/Context.h>
#include <ATen/core/grad_mode.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <torch/nn/modules/batchnorm.h>
#include <torch/types.h>

#include "glidepath/error.h"
#include "glidepath/evaluate.h"
#include "glidepath/safetensors.h"
#include "glidepath/train.h"
#include "loop/digits_run.h"
#include "nn/network.h"
#include "support/models.h"
#include "support/run_results.h"
#include "support/temporary_folder.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

ModelOptions seeded_options() {
  at::manual_seed(3);
  ModelOptions options;
  options.name = "resnet8";
  options.width = 0.5;
  return options;
}

std::shared_ptr<Model> resnet() { return make_model(seeded_options()); }
std::shared_ptr<Network> network() { return make_network(seeded_options()); }

std::vector<Batch> batches_of(const std::vector<std::int64_t>& sizes) {
  at::manual_seed(4);
  std::vector<Batch> batches;
  for (const std::int64_t size : sizes)
    batches.push_back({2 * torch::randn({size, 3, 32, 32}) + 1, torch::zeros({size}, torch::kInt64)});
  return batches;
}

// momentum = none is torch's cumulative average, which torch's update_bn() uses: of batches, which are as
// large here.
TEST(FreshStatistics, AreTorchsCumulativeAverage) {
  const auto model = resnet();
  const auto theirs = network();
  for (const auto& module : theirs->modules(false)) {
    if (auto* norm = module->as<torch::nn::BatchNorm2d>()) {
      norm->reset_running_stats();
      norm->options.momentum(c10::nullopt);
    }
  }
  const at::NoGradGuard no_grad;
  FreshStatistics fresh(*model);
  for (const Batch& batch : batches_of({16, 16, 16})) {
    fresh.add(batch, ComputePlan());
    theirs->forward(batch.images());
  }
  const auto ours = model->named_buffers();
  const auto wanted = theirs->named_buffers();
  for (const auto& buffer : wanted) {
    if (buffer.key().find("running") == std::string::npos) continue;
    EXPECT_TRUE(torch::allclose(tensor_named(ours, buffer.key()), buffer.value(), 1e-4, 1e-5))
        << buffer.key();
  }
}

TEST(FreshStatistics, CountEveryImageTheSame) {
  const auto model = resnet();
  FreshStatistics fresh(*model);
  const std::vector<Batch> batches = batches_of({30, 2});
  const at::NoGradGuard no_grad;
  for (const Batch& batch : batches) fresh.add(batch, ComputePlan());
  // The first norm's mean is the mean of the first convolution's output over all 32 images.
  const auto conv = tensor_named(model->named_parameters(), "conv1.weight");
  const torch::Tensor all = torch::cat({batches[0].images(), batches[1].images()});
  const torch::Tensor means = torch::conv2d(all, conv, {}, 1, 1).mean({0, 2, 3});
  EXPECT_TRUE(torch::allclose(tensor_named(model->named_buffers(), "bn1.running_mean"), means, 1e-4, 1e-5));
}

TEST(FreshStatistics, LeaveTheModelAsItWas) {
  const auto model = resnet();
  std::map<std::string, torch::Tensor> before;
  for (const auto& [name, tensor] : state_dict(*model)) before[name] = tensor.clone();
  {
    FreshStatistics fresh(*model);
    fresh.add(batches_of({8}).front(), ComputePlan());
    fresh.add({torch::empty({0, 3, 32, 32}), torch::empty({0}, torch::kInt64)}, ComputePlan());
    EXPECT_FALSE(torch::equal(state_dict(*model).at("bn1.running_mean"), before.at("bn1.running_mean")));
  }
  for (const auto& [name, tensor] : state_dict(*model))
    EXPECT_TRUE(torch::equal(tensor, before.at(name))) << name;
  EXPECT_TRUE(has_running_statistics(*model));
}

class FreshStatisticsRun : public testing::Test {
 protected:
  nlohmann::json run(const std::string& name, const std::string& estimate,
                     const std::string& saved = "fresh") {
    TrainConfig config = digits_run("24it");
    config.model = "resnet8";
    config.width = 0.25;
    config.base_lr = 0.4;
    config.schedule = "const";
    config.bn_estimate = estimate;
    config.saved_statistics = saved;
    TrainOptions options;
    options.out = folder_ / name;
    train(config, options);
    config_ = config;
    return summary_of(folder_ / name);
  }
  double accuracy_of(const std::string& name) {
    return evaluate_weights(config_, folder_ / name / "model.safetensors").accuracy;
  }

  const TemporaryFolder temporary_{"fresh"};
  const fs::path& folder_ = temporary_.path();
  TrainConfig config_;
};

// Few updates at a high rate, which never falls: the running statistics are of other weights than these.
TEST_F(FreshStatisticsRun, TestWithBothAndSaveTheChosen) {
  const auto off = run("off", "off"), fresh = run("fresh", "512"), running = run("running", "512", "running");
  EXPECT_EQ(off.at("bn_images"), 0);
  EXPECT_EQ(off.at("test_accuracy"), off.at("test_accuracy_running"));
  EXPECT_EQ(fresh.at("bn_images"), 512);
  EXPECT_EQ(fresh.at("test_accuracy_running"), off.at("test_accuracy"));
  EXPECT_GT(fresh.at("test_accuracy").get<double>(), off.at("test_accuracy").get<double>());
  EXPECT_EQ(running.at("test_accuracy"), fresh.at("test_accuracy"));
  // The saved model is the one that was tested.
  EXPECT_EQ(accuracy_of("fresh"), fresh.at("test_accuracy"));
  EXPECT_EQ(accuracy_of("running"), off.at("test_accuracy"));
  EXPECT_TRUE(text_of(folder_ / "running/model.safetensors") == text_of(folder_ / "off/model.safetensors"));
}

// At every look of its last part: the estimate, both evaluations, and between them.
TEST_F(FreshStatisticsRun, ASignalOnTheWayLosesNothing) {
  const auto whole = run("whole", "512");
  TrainOptions options;
  options.out = folder_ / "stopped";
  int looks_left = 24, stops = 0;
  options.stop_signal = [&] { return --looks_left == 0 ? SIGTERM : 0; };
  while (true) {
    try {
      train(config_, options);
      break;
    } catch (const Interrupted&) {
      ASSERT_LT(++stops, 60);
      options.resume = true;
      looks_left = 1 + stops % 29;
    }
  }
  EXPECT_GT(stops, 8);
  EXPECT_TRUE(text_of(folder_ / "whole/model.safetensors") == text_of(folder_ / "stopped/model.safetensors"));
  EXPECT_EQ(summary_of(folder_ / "stopped").at("test_loss"), whole.at("test_loss"));
}

TEST_F(FreshStatisticsRun, TakeNoMoreThanThereIsAndNothingWithoutNorms) {
  EXPECT_EQ(run("all", "1000000").at("bn_images"), 1438);
  TrainConfig config = digits_run("8it");
  TrainOptions options;
  options.out = folder_ / "mlp";
  config.model = "mlp";
  train(config, options);
  EXPECT_EQ(summary_of(folder_ / "mlp").at("bn_images"), 0);
}

// Of a budget in time the tests with running statistics may take 1 %. The clock goes on by itself, a look at
// a time: an evaluation takes 0.05 s for the 250 images of its first batch, so 0.07 s.
TEST_F(FreshStatisticsRun, LeaveTheOtherTestOutWhereTimeIsShort) {
  for (const bool is_short : {true, false}) {
    TrainConfig config = digits_run(is_short ? "5s" : "20s");
    config.model = "resnet8";
    config.width = 0.25;
    config.bn_estimate = "64";
    TrainOptions options;
    options.out = folder_ / config.budget;
    options.clock = [seconds = 0.0]() mutable { return seconds += 0.05; };
    const TrainResult result = train(config, options);
    const auto summary = summary_of(options.out);
    EXPECT_EQ(summary.contains("test_accuracy_running"), !is_short);
    EXPECT_EQ(result.test_accuracy_running >= 0, !is_short);
    const auto evaluations = records_of(options.out, "eval");
    ASSERT_EQ(evaluations.size(), 1U);  // the curve has an end in any case
    EXPECT_EQ(evaluations.back().at("step"), summary.at("updates"));
    EXPECT_EQ(evaluations.back().at("accuracy"),
              summary.at(is_short ? "test_accuracy" : "test_accuracy_running"));
  }
}

// Runs of earlier versions know nothing of it, and go on as they were.
TEST_F(FreshStatisticsRun, ConfigurationsThatWereWrittenWithoutTheKeyHaveNone) {
  EXPECT_EQ(parse_train_config("model = \"resnet8\"\n", "x").bn_estimate, "4096");
  EXPECT_EQ(parse_train_config("model = \"resnet8\"\n", "x", ConfigOrigin::kWritten).bn_estimate, "off");
  EXPECT_EQ(parse_train_config("bn_estimate = \"64\"\n", "x", ConfigOrigin::kWritten).bn_estimate, "64");
}

}  // namespace
}  // namespace glidepath
