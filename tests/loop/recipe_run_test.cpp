// tests/loop/recipe_run_test.cpp - whole runs of what recipes are made of, on CIFAR-10.
#include <filesystem>

#include <gtest/gtest.h>
#include <torch/types.h>

#include "glidepath/error.h"
#include "glidepath/safetensors.h"
#include "glidepath/train.h"
#include "loop/digits_run.h"
#include "support/cifar.h"
#include "support/same_weights.h"
#include "support/stopped_run.h"
#include "support/temporary_folder.h"

namespace glidepath {
namespace {

TrainConfig airbench() {
  TrainConfig config;
  config.model = "airbench";
  config.width = 0.125;
  config.train_limit = 2000;
  config.test_limit = 400;
  config.batch_size = 100;
  config.budget = "40it";
  config.optimizer = "muon";
  config.base_lr = 0.24;
  config.lr_scale = "*.norm?.bias=2,whiten.bias=2,head.weight=30";
  config.weight_decay = 4e-5;
  config.weight_decay_of = "head.*=3e-6";
  config.muon_weights = "normalised";
  config.muon_momentum = 0.6;
  config.muon_steps = 3;
  config.momentum = 0.85;
  config.label_smoothing = 0.2;
  config.crop_padding = "2";
  config.crop_fill = "reflect";
  config.flip = "alternating";
  config.test_augment = "flip-shift";
  config.average = "ema(10%)";
  config.bn_estimate = "200";
  config.precision = "fp32";
  config.eval_every = "end";
  return config;
}

TEST(RecipeRun, LearnsAndGoesOnToTheSameBits) {
  if (!has_cifar()) GTEST_SKIP() << "GLIDEPATH_DATA names no folder with CIFAR-10";
  const TemporaryFolder temporary("recipe");
  TrainOptions whole, stopped;
  whole.out = temporary.path() / "whole";
  stopped.out = temporary.path() / "stopped";
  const TrainResult result = train(airbench(), whole);
  EXPECT_GT(result.test_accuracy, 0.3);
  ASSERT_TRUE(result.over_views && result.average && result.average_over_views);
  EXPECT_GT(result.over_views->test_accuracy, 0.3);
  EXPECT_GT(result.average_over_views->test_accuracy, 0.3);
  EXPECT_NE(result.over_views->test_loss, result.test_loss);
  EXPECT_NE(result.average_over_views->test_loss, result.average->test_loss);
  // More looks than the tests at the end take, which are begun anew.
  const StoppedRun run = train_with_stops(airbench(), stopped, 32, 9);
  EXPECT_EQ(run.result.over_views->test_loss, result.over_views->test_loss);
  EXPECT_GT(run.stops, 0);
  expect_same_weights(whole.out, stopped.out);
}

TEST(RecipeRun, ACropThatCannotBeReflectedIsRefused) {
  TrainConfig config = digits_run("2it");
  config.crop_padding = "8";
  config.crop_fill = "reflect";
  try {
    train(config, {});
    FAIL();
  } catch (const InputError& error) {
    EXPECT_STREQ(error.what(),
                 "crop_padding \"8\": must be below 8, the side of the images, to reflect them");
  }
}

// Each made small: what it says is read, and goes together.
TEST(RecipeRun, EveryFileOfRecipesTrains) {
  if (!has_cifar()) GTEST_SKIP() << "GLIDEPATH_DATA names no folder with CIFAR-10";
  int recipes = 0;
  for (const auto& file : std::filesystem::directory_iterator(GLIDEPATH_SOURCE_DIR "/recipes")) {
    if (file.path().extension() != ".toml") continue;
    SCOPED_TRACE(file.path());
    TrainConfig config = read_train_config(file.path());
    EXPECT_NO_THROW(check_config(config));
    config.width = 0.125;
    config.train_limit = 500;
    config.test_limit = 100;
    config.batch_size = 100;
    config.budget = "4it";
    config.bn_estimate = "100";
    config.base_lr = 1e-4;  // its other rates are for batches that are twenty times as large
    EXPECT_EQ(train(config).updates, 4);
    ++recipes;
  }
  EXPECT_GT(recipes, 0);
}

}  // namespace
}  // namespace glidepath
