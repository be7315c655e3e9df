// tests/session/script_run_test.cpp - a TorchScript program trained under a budget.
#include <csignal>
#include <filesystem>
#include <fstream>
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

std::filesystem::path copied_script(const TemporaryFolder& folder) {
  const auto net = folder.path() / "net.pt";
  std::filesystem::copy_file(std::string(GLIDEPATH_TEST_DATA) + "/nn/script.pt", net);
  return net;
}

// What a run needs is in its folder: the program is gone, another has its name, and it goes on to the same
// bits.
TEST(ScriptRun, KeepsItsProgram) {
  const TemporaryFolder folder("script-kept");
  const auto net = copied_script(folder);
  TrainConfig config = scripted_run("40it");
  config.model = "script:" + net.string();
  TrainOptions options;
  options.out = folder.path() / "whole";
  const TrainResult whole = train(config, options);
  EXPECT_TRUE(text_of(options.out / "model.pt") == text_of(net));
  EXPECT_EQ(read_run_config(options.out).model_sha256.size(), 64U);

  options.out = folder.path() / "cut";
  options.stop_signal = [left = 25]() mutable { return left-- > 0 ? 0 : SIGTERM; };
  EXPECT_THROW(train(config, options), Interrupted);
  options.stop_signal = nullptr;
  std::filesystem::copy_file(std::string(GLIDEPATH_TEST_DATA) + "/nn/script_own.pt", net,
                             std::filesystem::copy_options::overwrite_existing);
  std::string noted;
  options.on_note = [&](const std::string& line) { noted += line; };
  options.resume = true;
  options.resume_from = options.out;
  options.out = folder.path() / "moved";
  train(config, options);
  EXPECT_THAT(noted, testing::HasSubstr("net.pt has SHA-256 "));
  EXPECT_TRUE(text_of(options.out / "model.safetensors") ==
              text_of(folder.path() / "whole" / "model.safetensors"));
  EXPECT_TRUE(text_of(options.out / "model.pt") == text_of(folder.path() / "whole" / "model.pt"));

  std::filesystem::remove(net);
  options.out = folder.path() / "cut";
  options.resume_from.clear();
  train(read_run_config(options.out), options);
  EXPECT_TRUE(text_of(options.out / "model.safetensors") ==
              text_of(folder.path() / "whole" / "model.safetensors"));
  EXPECT_NEAR(evaluate_run(folder.path() / "whole").at(0).loss, whole.test_loss, 1e-6);
}

// As earlier versions left them: without a copy, and without a hash.
TEST(ScriptRun, OfAnEarlierVersionIsGoneOnWith) {
  const TemporaryFolder folder("script-old");
  const auto net = copied_script(folder);
  TrainConfig config = scripted_run("40it");
  config.model = "script:" + net.string();
  TrainOptions options;
  options.out = folder.path() / "old";
  options.stop_signal = [left = 25]() mutable { return left-- > 0 ? 0 : SIGTERM; };
  EXPECT_THROW(train(config, options), Interrupted);
  std::filesystem::remove(options.out / "model.pt");
  std::string text = text_of(options.out / "config.toml");
  for (const char* key : {"model_sha256", "plugin_sha256"}) {
    const auto at = text.find(key);
    text.erase(at, text.find('\n', at) - at + 1);
  }
  std::ofstream(options.out / "config.toml", std::ios::trunc) << text;
  options.stop_signal = nullptr;
  options.resume = true;
  EXPECT_NO_THROW(train(read_run_config(options.out), options));
  EXPECT_NO_THROW(evaluate_run(options.out));
}

}  // namespace
}  // namespace glidepath
