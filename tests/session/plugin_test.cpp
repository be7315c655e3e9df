// tests/session/plugin_test.cpp - a model, a task and data from a shared library.
#include "glidepath/plugin.h"

#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "glidepath/error.h"
#include "glidepath/evaluate.h"
#include "loop/digits_run.h"
#include "support/files.h"
#include "support/run_results.h"
#include "support/temporary_folder.h"

namespace glidepath {
namespace {

TrainConfig line_run() {
  TrainConfig config = digits_run("40it");
  config.plugin = GLIDEPATH_LINE_PLUGIN;
  config.data = TrainConfig().data;
  config.model = TrainConfig().model;
  config.batch_size = 16;
  config.base_lr = 0.1;
  return config;
}

TEST(Plugin, BringsModelTaskAndDataOfARun) {
  const TemporaryFolder folder("plugin");
  TrainOptions options;
  options.out = folder.path() / "a";
  const TrainResult result = train(line_run(), options);
  EXPECT_EQ(result.score, "test_rmse");
  EXPECT_LT(result.test_loss, 0.05);  // the points lie on a line
  const auto summary = summary_of(folder.path() / "a");
  EXPECT_EQ(summary.at("model"), "own");
  EXPECT_EQ(summary.at("data"), "own");

  options.out = folder.path() / "b";
  train(line_run(), options);
  EXPECT_TRUE(text_of(folder.path() / "a" / "model.safetensors") ==
              text_of(folder.path() / "b" / "model.safetensors"));

  const auto tested = evaluate_run(folder.path() / "a");
  EXPECT_NEAR(tested.at(0).loss, result.test_loss, 1e-6);
  EXPECT_EQ(tested.at(0).metrics.at(0).name, "rmse");
  EXPECT_TRUE(tested.at(0).classes.empty());
}

TEST(Plugin, OfAnotherContentIsAnotherRuns) {
  const TemporaryFolder folder("other-plugin");
  TrainConfig config = line_run();
  config.plugin = (folder.path() / "line.so").string();
  std::filesystem::copy_file(GLIDEPATH_LINE_PLUGIN, config.plugin);
  TrainOptions options;
  options.out = folder.path() / "a";
  options.stop_signal = [left = 25]() mutable { return left-- > 0 ? 0 : SIGTERM; };
  EXPECT_THROW(train(config, options), Interrupted);
  std::filesystem::remove(config.plugin);  // not written over: it is loaded
  std::ofstream(config.plugin) << "another";
  options.resume = true;
  const auto refusal_of = [](const auto& act) {
    try {
      act();
    } catch (const InputError& error) {
      return std::string(error.what());
    }
    return std::string("taken");
  };
  const std::string begun = read_run_config(options.out).plugin_sha256;
  const std::string refused =
      "line.so: its SHA-256 is " +
      // printf another | sha256sum
      std::string("ae448ac86c4e8e4dec645729708ef41873ae79c6dff84eff73360989487f08e5") +
      ", and this run's is " + begun;
  EXPECT_THAT(refusal_of([&] { train(config, options); }), testing::HasSubstr(refused));
  EXPECT_THAT(refusal_of([&] { evaluate_run(options.out); }), testing::HasSubstr(refused));
  EXPECT_THAT(refusal_of([&] { train(read_run_config(options.out), options); }),
              testing::HasSubstr("--resume " + options.out.string() + ": "));
}

TEST(Plugin, WhatIsNoneIsRefused) {
  const TemporaryFolder folder("no-plugin");
  const auto refusal_of = [](const std::filesystem::path& file) {
    Experiment experiment;
    try {
      extend_by_plugin(file, experiment);
    } catch (const InputError& error) {
      return std::string(error.what());
    }
    return std::string("taken");
  };
  EXPECT_THAT(refusal_of(folder.path() / "none.so"),
              testing::HasSubstr("none.so: no such file; give a shared library"));
  std::ofstream(folder.path() / "text.so") << "not a library";
  EXPECT_THAT(refusal_of(folder.path() / "text.so"), testing::HasSubstr("text.so: cannot be loaded: "));
  EXPECT_THAT(refusal_of(GLIDEPATH_OTHER_LIBRARY),
              testing::HasSubstr("is no plug-in; it lacks GLIDEPATH_PLUGIN"));
  EXPECT_THAT(refusal_of(GLIDEPATH_OLD_PLUGIN),
              testing::HasSubstr(
                  "was built for interface 0, LibTorch 1.0, and this program is interface 2, LibTorch "));
}

}  // namespace
}  // namespace glidepath
