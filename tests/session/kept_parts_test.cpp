// tests/session/kept_parts_test.cpp - the run state of checkpoints: all of it is checked before it is used.
#include "session/kept_parts.h"

#include <map>
#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <torch/types.h>

#include "glidepath/error.h"
#include "glidepath/measure.h"
#include "glidepath/safetensors.h"
#include "glidepath/train.h"
#include "loop/digits_run.h"
#include "support/temporary_folder.h"

namespace glidepath {
namespace {

/// Of a run that was trained.
std::string text_of_a_checkpoint() {
  const TemporaryFolder folder("kept");
  TrainOptions options;
  options.out = folder.path() / "run";
  TrainConfig config = digits_run("6it");
  config.measure = "weight-norm@every=2it";
  options.measurer = instruments();
  train(config, options);
  std::map<std::string, std::string> metadata;
  load_safetensors(options.out / "checkpoint/step-000000006.safetensors", &metadata);
  return metadata.at("run_state");
}

bool passes(const nlohmann::json& state) {
  try {
    check_state(StateMap::parse(state.dump()));
    return true;
  } catch (const InputError&) {
    return false;
  }
}

class KeptState : public testing::Test {
 protected:
  static void SetUpTestSuite() { written_ = nlohmann::json::parse(text_of_a_checkpoint()); }
  static nlohmann::json with(const std::string& key, const nlohmann::json& value) {
    nlohmann::json state = written_;
    state[key] = value;
    return state;
  }
  static nlohmann::json written_;
};
nlohmann::json KeptState::written_;

// As the versions before keyed states wrote it: the files have to stay what they are.
TEST_F(KeptState, IsTheTextThatItAlwaysWas) {
  EXPECT_EQ(start_state().text(),
            R"({"budget":{"budget":"","changes":[],"clock_begun":false,"clock_origin_progress":0.0,)"
            R"("clock_origin_seconds":0.0,"clock_progress":0.0,"origin_progress":0.0,"origin_step":0,)"
            R"("schedule_updates":0},"corrupt_test":[],"corrupt_train":[],"data":null,"evaluated_step":-1,)"
            R"("evaluations":0,"flops":0.0,"last_record":0,"lr":0.0,"measures":[],"metrics_bytes":0,)"
            R"("plateau_any":false,"plateau_best":0.0,"plateau_best_progress":0.0,"plateau_factor":1.0,)"
            R"("rewind_step":-1,"rewinds":0,"seconds":0.0,"step":0,"test_accuracy":-1.0,"test_loss":0.0,)"
            R"("trained":false})");
  EXPECT_TRUE(passes(written_));
  EXPECT_EQ(StateMap::parse(written_.dump()).text(), written_.dump());
}

// A part that is not in the list of for_each_kept() would have its keys in files and not here.
TEST_F(KeptState, EveryKeyOfARunIsOfTheList) {
  const auto keys = [](const nlohmann::json& state) {
    std::set<std::string> names;
    for (const auto& [key, value] : state.items()) names.insert(key);
    return names;
  };
  EXPECT_EQ(keys(written_), keys(nlohmann::json::parse(start_state().text())));
}

TEST_F(KeptState, EveryKeyIsCheckedBeforeAnythingChanges) {
  const std::set<std::string> newer = {"measures", "flops", "corrupt_train", "corrupt_test", "data"};
  for (const auto& [key, value] : written_.items()) {
    SCOPED_TRACE(key);
    EXPECT_FALSE(passes(with(key, "no such value")));
    nlohmann::json without = written_;
    without.erase(key);
    EXPECT_EQ(passes(without), newer.count(key) > 0);  // older versions wrote none
  }
}

TEST_F(KeptState, CountsAreCounts) {
  EXPECT_TRUE(passes(with("step", 9)));
  for (const char* key : {"step", "metrics_bytes", "last_record", "evaluations", "rewinds"}) {
    for (const nlohmann::json& value : {nlohmann::json(-1), nlohmann::json(2.5), nlohmann::json(1e300),
                                        nlohmann::json(9223372036854775808U), nlohmann::json("3")}) {
      SCOPED_TRACE(key + (" " + value.dump()));
      EXPECT_FALSE(passes(with(key, value)));
    }
  }
  for (const char* key : {"evaluated_step", "rewind_step"}) {
    EXPECT_TRUE(passes(with(key, -1)));
    EXPECT_FALSE(passes(with(key, -2)));
    EXPECT_FALSE(passes(with(key, 1e300)));
  }
  EXPECT_FALSE(passes(with("last_record", 7)));
  EXPECT_FALSE(passes(with("seconds", -1.0)));
  nlohmann::json budget = written_.at("budget");
  budget["origin_step"] = 1e300;
  EXPECT_FALSE(passes(with("budget", budget)));
}

// Of a task that knows no accuracy, or a loss that is not finite: both are null in a file.
TEST_F(KeptState, WhatWasTestedMayBeNoNumber) {
  for (const char* key : {"test_accuracy", "test_loss"}) EXPECT_TRUE(passes(with(key, nullptr))) << key;
  EXPECT_FALSE(passes(with("lr", nullptr)));
}

// The one before is gone on from, and nothing of the refused one is in the run.
TEST_F(KeptState, ARunDoesNotGoOnFromAStateThatIsRefused) {
  const TemporaryFolder folder("kept");
  TrainOptions options;
  options.out = folder.path() / "run";
  TrainConfig config = digits_run("8it");
  config.checkpoint_every = "2it";
  config.keep_checkpoints = 2;
  const TrainResult whole = train(config, options);
  std::filesystem::remove(options.out / "summary.json");
  const auto newest = options.out / "checkpoint/step-000000008.safetensors";
  std::map<std::string, std::string> metadata;
  const TensorMap tensors = load_safetensors(newest, &metadata);
  auto state = nlohmann::json::parse(metadata.at("run_state"));
  state["lr"] = "fast";
  save_safetensors(newest, tensors, {{"run_state", state.dump()}}, Checksum::kSha256);
  std::string told;
  options.resume = true;
  options.on_warning = [&](const std::string& warning) { told += warning; };
  EXPECT_EQ(train(config, options).test_loss, whole.test_loss);
  EXPECT_THAT(told, testing::HasSubstr("step-000000008.safetensors: holds no run state (\"lr\")"));
}

}  // namespace
}  // namespace glidepath
