// tests/loop/loss_scale_run_test.cpp - whole runs with a scaled loss, on the CPU, where scaling is exact.
#include <cmath>
#include <csignal>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <torch/types.h>

#include "glidepath/error.h"
#include "glidepath/safetensors.h"
#include "glidepath/train.h"
#include "loop/digits_run.h"
#include "run/checkpoint.h"
#include "support/run_results.h"
#include "support/temporary_folder.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

class LossScaleTest : public testing::Test {
 protected:
  static TrainConfig digits() {
    TrainConfig config = digits_run("40it");
    config.base_lr = 0.001;
    config.device = "cpu";
    config.loss_scale = "dynamic";
    config.checkpoint_every = "100%";
    return config;
  }
  TrainResult run(const TrainConfig& config, const std::string& name, bool resume = false, int looks = 0) {
    TrainOptions options;
    options.out = folder_ / name;
    options.resume = resume;
    int looked = 0;
    if (looks > 0) options.stop_signal = [&looked, looks] { return ++looked == looks ? SIGTERM : 0; };
    return train(config, options);
  }
  nlohmann::json summary(const std::string& name) { return summary_of(folder_ / name); }
  TensorMap weights(const std::string& name) {
    return load_safetensors(folder_ / name / "model.safetensors");
  }
  static void expect_same(const TensorMap& a, const TensorMap& b) {
    ASSERT_EQ(a.size(), b.size());
    ASSERT_GT(a.size(), 0U);
    for (const auto& [name, tensor] : a) EXPECT_TRUE(torch::equal(tensor, b.at(name))) << name;
  }
  /// A run stopped after a few updates. Its scale is then set to the largest power of two there is, and its
  /// last layer multiplied, so that gradients before it exceed the few units which that scale leaves.
  void begin_with_overflow(const std::string& name) {
    EXPECT_THROW(run(digits(), name, false, 9), Interrupted);
    const CheckpointFolder checkpoints(folder_ / name / "checkpoint", 2, {});
    TensorMap tensors;
    const auto state = checkpoints.load(tensors);
    ASSERT_TRUE(state.has_value());
    ASSERT_LT(state->get<CheckpointPlace>().step, 20);
    tensors.at("loss_scaler")[0] = std::ldexp(1.0, 127);
    tensors.at("model.fc3.weight").mul_(100);
    checkpoints.save(tensors, *state);
  }

  const TemporaryFolder temporary_{"scale"};
  const fs::path& folder_ = temporary_.path();
};

// A power of two changes no digit of a gradient.
TEST_F(LossScaleTest, ChangesNothingWhereNothingOverflows) {
  TrainConfig plain = digits();
  plain.loss_scale = "none";
  run(plain, "plain");
  run(digits(), "scaled");
  expect_same(weights("plain"), weights("scaled"));
  EXPECT_EQ(summary("scaled").at("skipped_updates"), 0);
  EXPECT_EQ(summary("plain").at("skipped_updates"), 0);
}

TEST_F(LossScaleTest, AnOverflowSpendsAnUpdateAndIsNoDivergence) {
  begin_with_overflow("a");
  const TrainResult result = run(digits(), "a", true);
  const std::int64_t skipped = summary("a").at("skipped_updates");
  EXPECT_GT(skipped, 0);
  EXPECT_LT(skipped, 20);
  EXPECT_EQ(result.updates, 40);
  EXPECT_EQ(result.final_lr, 0);
  EXPECT_NEAR(result.last_update_lr, 0.001 / 40, 1e-15);
  EXPECT_TRUE(std::isfinite(result.test_loss));
  for (const auto& [name, tensor] : weights("a")) {
    if (!tensor.is_floating_point()) continue;
    EXPECT_TRUE(torch::isfinite(tensor).all().item<bool>()) << name;
  }
}

TEST_F(LossScaleTest, ARunStoppedAmongOverflowsHasTheSameBits) {
  begin_with_overflow("whole");
  begin_with_overflow("stopped");
  run(digits(), "whole", true);
  int stops = 0;
  while (true) {
    try {
      run(digits(), "stopped", true, 5);
      break;
    } catch (const Interrupted&) {
      ASSERT_LT(++stops, 100);
    }
  }
  EXPECT_GT(stops, 5);
  expect_same(weights("whole"), weights("stopped"));
  EXPECT_EQ(summary("whole").at("skipped_updates"), summary("stopped").at("skipped_updates"));
  EXPECT_EQ(summary("whole").at("test_loss"), summary("stopped").at("test_loss"));
}

TEST_F(LossScaleTest, ALossThatIsNoNumberIsStillADivergence) {
  TrainConfig config = digits();
  config.base_lr = 1e30;
  try {
    run(config, "a");
    ADD_FAILURE() << "no error";
  } catch (const RunError& error) {
    EXPECT_THAT(error.what(), testing::StartsWith("diverged: "));
  }
}

}  // namespace
}  // namespace glidepath
