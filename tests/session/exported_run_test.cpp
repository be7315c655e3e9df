// tests/session/exported_run_test.cpp - programs of torch.export trained under a budget.
#include <csignal>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "glidepath/error.h"
#include "glidepath/evaluate.h"
#include "glidepath/measure.h"
#include "glidepath/train.h"
#include "loop/digits_run.h"
#include "support/files.h"
#include "support/run_results.h"
#include "support/temporary_folder.h"

namespace glidepath {
namespace {

TrainConfig exported_run(const std::string& program, const std::string& budget) {
  TrainConfig config = digits_run(budget);
  config.model = std::string("pt2:") + GLIDEPATH_TEST_DATA + "/pt2/" + program;
  config.eval_every = "10it";
  return config;
}

// Its dropout draws the same numbers after a stop.
TEST(ExportedRun, LearnsAndIsTestedAndIsGoneOnWithToTheSameBits) {
  const TemporaryFolder folder("exported-run");
  TrainOptions options;
  options.out = folder.path() / "whole";
  const TrainResult whole = train(exported_run("digits.pt2", "60it"), options);
  EXPECT_GT(whole.test_accuracy, 0.5);
  EXPECT_EQ(whole.bn_images, 1438);

  options.out = folder.path() / "cut";
  options.stop_signal = [left = 35]() mutable { return left-- > 0 ? 0 : SIGTERM; };
  EXPECT_THROW(train(exported_run("digits.pt2", "60it"), options), Interrupted);
  options.stop_signal = nullptr;
  options.resume = true;
  train(exported_run("digits.pt2", "60it"), options);
  EXPECT_TRUE(text_of(folder.path() / "cut" / "model.safetensors") ==
              text_of(folder.path() / "whole" / "model.safetensors"));

  const auto tested = evaluate_run(folder.path() / "whole");
  EXPECT_NEAR(tested.at(0).loss, whole.test_loss, 1e-6);
}

TEST(ExportedRun, IsTrainedForTheLossThatItGives) {
  const TemporaryFolder folder("exported-own");
  TrainConfig config = exported_run("mixed.pt2", "100it");
  config.task = "own";
  config.val = "100";
  config.measure = "grad-norm@every=30it";
  TrainOptions options;
  options.out = folder.path() / "own";
  options.measurer = instruments();
  const TrainResult result = train(config, options);
  EXPECT_LT(result.test_loss, 2.25);  // where it began: log 10
  const auto tested = evaluate_run(folder.path() / "own");
  EXPECT_NEAR(tested.at(0).loss, result.test_loss, 1e-6);
}

std::string refusal_of(const TrainConfig& config) {
  const TemporaryFolder folder("exported-refused");
  TrainOptions options;
  options.out = folder.path() / "run";
  try {
    train(config, options);
  } catch (const InputError& error) {
    EXPECT_FALSE(std::filesystem::exists(options.out));
    return error.what();
  }
  return "taken";
}

TEST(ExportedRun, WhatDoesNotFitIsToldBeforeAnythingIsWritten) {
  using testing::HasSubstr;
  EXPECT_THAT(refusal_of(exported_run("mixed.pt2", "9it")),
              HasSubstr("mixed.pt2: task \"classify\": the model gives [] for targets [1]"));
  TrainConfig config = exported_run("digits.pt2", "9it");
  config.task = "own";
  EXPECT_THAT(refusal_of(config),
              HasSubstr("digits.pt2: of x its forward gives Float [1, 10] first, and task"));
  EXPECT_THAT(refusal_of(exported_run("resnet.pt2", "9it")),
              HasSubstr("resnet.pt2: its input \"x\" is Float [s77, 3, 32, 32], and is given Float ["));
}

}  // namespace
}  // namespace glidepath
