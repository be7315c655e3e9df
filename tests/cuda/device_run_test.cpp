// tests/cuda/device_run_test.cpp - whole runs on a GPU: they learn, repeat their bits, and go on from
// checkpoints.
#include <csignal>
#include <filesystem>

#include <nlohmann/json.hpp>

#include "compute/cuda_graph.h"
#include "glidepath/error.h"
#include "glidepath/safetensors.h"
#include "glidepath/train.h"
#include "gpu.h"
#include "support/run_results.h"
#include "support/same_weights.h"
#include "support/temporary_folder.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

class DeviceRun : public GpuTest {
 protected:
  static TrainConfig digits() {
    TrainConfig config;
    config.data = "digits";
    config.model = "resnet8";
    config.width = 0.5;
    config.full = "10ep";
    config.budget = "4ep";
    config.batch_size = 64;
    config.base_lr = 0.05;
    config.device = "cuda";
    config.threads = 1;
    config.eval_every = "1ep";
    return config;
  }
  TrainResult run(const TrainConfig& config, const std::string& name, bool resume = false, int looks = 0) {
    TrainOptions options;
    options.out = folder_ / name;
    options.resume = resume;
    options.on_warning = [this](const std::string& text) { warnings_.push_back(text); };
    int looked = 0;
    if (looks > 0) options.stop_signal = [&looked, looks] { return ++looked == looks ? SIGTERM : 0; };
    return train(config, options);
  }
  nlohmann::json summary(const std::string& name) { return summary_of(folder_ / name); }
  void expect_same_weights(const std::string& a, const std::string& b) {
    glidepath::expect_same_weights(folder_ / a, folder_ / b);
  }

  const TemporaryFolder temporary_{"gpu"};
  const fs::path& folder_ = temporary_.path();
  std::vector<std::string> warnings_;
};

TEST_F(DeviceRun, LearnsDigitsInEveryPrecision) {
  for (const char* precision : {"fp32", "tf32", "fp16", "bf16", "auto"}) {
    SCOPED_TRACE(precision);
    if (std::string(precision) == "bf16" && !gpu_has_bf16(gpu())) continue;
    TrainConfig config = digits();
    config.precision = precision;
    const TrainResult result = run(config, precision);
    EXPECT_GT(result.test_accuracy, 0.85);
    EXPECT_EQ(result.final_lr, 0);
    EXPECT_EQ(result.updates, 4 * result.steps_per_epoch);
    const auto told = summary(precision);
    EXPECT_EQ(told.at("device"), "cuda:0");
    EXPECT_EQ(told.at("precision"), std::string(precision) != "auto" ? precision
                                    : gpu_has_bf16(gpu())            ? "bf16"
                                                                     : "fp16");
  }
  EXPECT_TRUE(warnings_.empty()) << warnings_.front();
}

TEST_F(DeviceRun, WhereTheImagesLieAndHowKernelsAreLaunchedChangesNoBit) {
  TrainConfig config = digits();
  config.data_on_device = "false";
  config.cuda_graphs = "false";
  run(config, "plain");
  config.data_on_device = "true";
  run(config, "on_device");
  expect_same_weights("plain", "on_device");
  if (!CudaGraph::is_built()) GTEST_SKIP() << "this build has no CUDA graphs; the rest was tested";
  config.cuda_graphs = "true";
  run(config, "graphs");
  expect_same_weights("plain", "graphs");
  config.data_on_device = "false";
  run(config, "graphs_and_copies");
  expect_same_weights("plain", "graphs_and_copies");
  EXPECT_TRUE(warnings_.empty()) << warnings_.front();
}

TEST_F(DeviceRun, StoppedAnywhereItEndsWithTheSameBits) {
  for (const char* precision : {"fp32", "fp16"}) {
    TrainConfig config = digits();
    config.budget = "60it";
    config.precision = precision;
    config.eval_every = "20it";
    const std::string whole = std::string("whole-") + precision,
                      stopped = std::string("stopped-") + precision;
    run(config, whole);
    int stops = 0;
    while (true) {
      try {
        run(config, stopped, stops > 0, 14);
        break;
      } catch (const Interrupted&) {
        ASSERT_LT(++stops, 100);
      }
    }
    EXPECT_GT(stops, 2);
    expect_same_weights(whole, stopped);
    EXPECT_EQ(summary(whole).at("test_loss"), summary(stopped).at("test_loss"));
  }
}

TEST_F(DeviceRun, CheckpointsHoldNothingThatNeedsAGpu) {
  TrainConfig config = digits();
  config.device = "auto";
  config.precision = "fp32";
  config.budget = "40it";
  EXPECT_THROW(run(config, "a", false, 20), Interrupted);
  const auto checkpoint = folder_ / "a" / "checkpoint";
  for (const auto& entry : fs::directory_iterator(checkpoint)) {
    const auto tensors = load_safetensors(entry.path());
    EXPECT_EQ(tensors.count("generator.device"), 1U);
    for (const auto& [name, tensor] : tensors) EXPECT_TRUE(tensor.is_cpu()) << name;
  }
  EXPECT_EQ(run(config, "a", true).updates, 40);
}

TEST_F(DeviceRun, ATimeBudgetIsNotOverrun) {
  TrainConfig config = digits();
  config.full = "1h";
  config.budget = "20s";
  const TrainResult result = run(config, "a");
  EXPECT_LE(result.seconds, 21);
  EXPECT_GT(result.updates, 0);
  EXPECT_LT(result.last_update_lr, 0.05 * config.base_lr);
}

TEST_F(DeviceRun, ADivergedRunIsTold) {
  TrainConfig config = digits();
  config.base_lr = 1e30;
  config.precision = "fp32";
  EXPECT_THROW(run(config, "a"), RunError);
}

}  // namespace
}  // namespace glidepath
