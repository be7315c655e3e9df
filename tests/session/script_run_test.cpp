// tests/session/script_run_test.cpp - a TorchScript program trained under a budget.
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

TrainConfig scripted_run(const std::string& budget) {
  TrainConfig config = digits_run(budget);
  config.model = std::string("script:") + GLIDEPATH_TEST_DATA + "/nn/script.pt";
  config.eval_every = "10it";
  return config;
}

TEST(ScriptRun, LearnsAndIsTestedAndIsGoneOnWithToTheSameBits) {
  const TemporaryFolder folder("script-run");
  TrainOptions options;
  options.out = folder.path() / "whole";
  std::string noted;
  options.on_note = [&](const std::string& line) { noted += line; };
  const TrainResult whole = train(scripted_run("60it"), options);
  EXPECT_LT(whole.test_loss, 2.3);  // where it began: log 10
  EXPECT_EQ(whole.bn_images, 1438);
  EXPECT_THAT(noted, testing::HasSubstr("train only programs of people whom you trust"));

  options.out = folder.path() / "cut";
  options.stop_signal = [left = 35]() mutable { return left-- > 0 ? 0 : SIGTERM; };
  EXPECT_THROW(train(scripted_run("60it"), options), Interrupted);
  options.stop_signal = nullptr;
  options.resume = true;
  train(scripted_run("60it"), options);
  EXPECT_TRUE(text_of(folder.path() / "cut" / "model.safetensors") ==
              text_of(folder.path() / "whole" / "model.safetensors"));

  const auto tested = evaluate_run(folder.path() / "whole");
  EXPECT_NEAR(tested.at(0).loss, whole.test_loss, 1e-6);
}

TEST(ScriptRun, IsTrainedForItsOwnLossAndToldInItsOwnMetrics) {
  const TemporaryFolder folder("script-own");
  TrainConfig config = scripted_run("300it");
  config.model = std::string("script:") + GLIDEPATH_TEST_DATA + "/nn/script_own.pt";
  config.task = "own";
  config.val = "100";
  config.measure = "grad-norm@every=30it";
  TrainOptions options;
  options.out = folder.path() / "own";
  options.measurer = instruments();
  const TrainResult result = train(config, options);
  EXPECT_EQ(result.score, "test_top2_accuracy");
  const auto summary = summary_of(folder.path() / "own");
  EXPECT_GT(summary.at("test_top2_accuracy").get<double>(), 0.2);  // by chance
  EXPECT_LT(summary.at("test_loss").get<double>(), 0.9);           // where it began
  EXPECT_TRUE(summary.contains("best_val_top2_accuracy"));
  const auto tested = evaluate_run(folder.path() / "own");
  EXPECT_NEAR(tested.at(0).loss, result.test_loss, 1e-6);
  EXPECT_EQ(tested.at(0).metrics.at(1).name, "margin_error");
}

}  // namespace
}  // namespace glidepath
