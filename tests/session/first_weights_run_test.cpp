// tests/session/first_weights_run_test.cpp - whole runs that begin with another run's weights.
#include <csignal>
#include <filesystem>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include "glidepath/error.h"
#include "glidepath/safetensors.h"
#include "glidepath/train.h"
#include "loop/digits_run.h"
#include "support/same_weights.h"
#include "support/stopped_run.h"
#include "support/temporary_folder.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class FirstWeightsRun : public testing::Test {
 protected:
  FirstWeightsRun() : temporary_("first_weights"), first_(temporary_.path() / "first") {
    TrainConfig config = digits_run("3ep");
    config.model = "convnet";
    config.width = 0.25;
    config.seed = 7;
    TrainOptions options;
    options.out = first_;
    accuracy_ = train(config, options).test_accuracy;
    config_ = config;
    config_.seed = 8;
    config_.init = first_.string();
    config_.budget = "12it";
    config_.base_lr = 0.01;
  }
  fs::path at(const std::string& name) const { return temporary_.path() / name; }
  TensorMap weights(const fs::path& run) const { return load_safetensors(run / "model.safetensors"); }

  TemporaryFolder temporary_;
  fs::path first_;
  TrainConfig config_;
  double accuracy_ = 0;
};

TEST_F(FirstWeightsRun, GoesOnFromAnotherRunAndKeepsWhatIsFrozen) {
  config_.freeze = "conv1.*,bn1.*";
  std::vector<std::string> notes;
  TrainOptions options;
  options.out = at("second");
  options.verbose = true;
  options.on_note = [&](const std::string& note) { notes.push_back(note); };
  const TrainResult result = train(config_, options);
  EXPECT_GT(result.test_accuracy, accuracy_ - 0.03);  // twelve gentle updates of weights that had learnt
  ASSERT_FALSE(notes.empty());
  EXPECT_EQ(notes.front(), "begins with the weights of " + (first_ / "model.safetensors").string());
  EXPECT_THAT(notes, testing::Contains("  conv1.weight [8, 1, 3, 3]: of the file"));

  TrainConfig from_file = config_;
  from_file.init = (first_ / "model.safetensors").string();
  options.out = at("third");
  train(from_file, options);
  expect_same_weights(at("second"), at("third"));

  const TensorMap before = weights(first_), after = weights(options.out);
  for (const auto& [name, tensor] : before) {
    const bool is_frozen = name.rfind("conv1.", 0) == 0 || name.rfind("bn1.", 0) == 0;
    EXPECT_EQ(torch::equal(tensor, after.at(name)), is_frozen) << name;
  }
}

// The weights that it began with may be gone by then.
TEST_F(FirstWeightsRun, GoesOnToTheSameBitsWithoutThem) {
  config_.freeze = "conv1.*,bn1.*";
  TrainOptions whole, stopped;
  whole.out = at("whole");
  stopped.out = at("stopped");
  train(config_, whole);
  int looked = 0;
  stopped.stop_signal = [&] { return ++looked == 6 ? SIGTERM : 0; };
  EXPECT_THROW(train(config_, stopped), Interrupted);
  fs::rename(first_, at("moved"));
  stopped.stop_signal = {};
  stopped.resume = true;
  train(config_, stopped);
  expect_same_weights(whole.out, stopped.out);
}

// Seeds decide what comes after: order of the examples. Without --init they decide the weights as well.
TEST_F(FirstWeightsRun, ACheckpointServesToo) {
  TrainOptions options;
  options.out = at("from_result");
  train(config_, options);
  fs::path checkpoint;
  for (const auto& entry : fs::directory_iterator(first_ / "checkpoint")) {
    if (entry.path().extension() == ".safetensors") checkpoint = std::max(checkpoint, entry.path());
  }
  config_.init = checkpoint.string();
  config_.saved_statistics = "running";
  options.out = at("from_checkpoint");
  train(config_, options);
  // The result has fresh statistics of batch norm, the checkpoint running ones; training uses neither.
  EXPECT_TRUE(torch::equal(weights(at("from_result")).at("conv1.weight"),
                           weights(at("from_checkpoint")).at("conv1.weight")));
}

TEST_F(FirstWeightsRun, WhatDoesNotFitIsToldBeforeAnythingIsWritten) {
  TrainOptions options;
  options.out = at("none");
  const auto refused = [&](const TrainConfig& config) -> std::string {
    try {
      train(config, options);
    } catch (const InputError& error) {
      EXPECT_FALSE(fs::exists(options.out));
      return error.what();
    }
    return "nothing was refused";
  };
  const std::string file = (first_ / "model.safetensors").string();
  config_.width = 0.5;
  EXPECT_EQ(refused(config_), file + ": weights: \"bn1.bias\" has the shape [8], this model's is [16]");
  config_.width = 0.25;
  config_.freeze = "conv7.*";
  EXPECT_THAT(refused(config_), StartsWith("freeze \"conv7.*\": fits none of the model's "));
  config_.freeze = "*";
  EXPECT_THAT(refused(config_), StartsWith("freeze: all "));
  config_.freeze = "";
  config_.init = at("nowhere").string();
  EXPECT_THAT(refused(config_), StartsWith(at("nowhere").string() + ": "));
  config_.init = temporary_.path().string();
  EXPECT_THAT(refused(config_), HasSubstr("no run there (config.toml is missing)"));
}

}  // namespace
}  // namespace glidepath
