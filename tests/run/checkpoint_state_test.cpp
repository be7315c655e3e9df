// tests/run/checkpoint_state_test.cpp - the state in a checkpoint that anybody may have written.
#include <cstdlib>
#include <filesystem>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <torch/types.h>

#include "glidepath/error.h"
#include "run/budget_state.h"
#include "run/checkpoint.h"
#include "support/temporary_folder.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

class CheckpointState : public testing::Test {
 protected:
  /// Reads a checkpoint whose state has `value` for `key`.
  RunState load(const std::string& key, const nlohmann::json& value) const {
    nlohmann::json state = {{"step", 3},
                            {"seconds", 1.5},
                            {"metrics_bytes", 10},
                            {"last_record", 2},
                            {"evaluations", 1},
                            {"evaluated_step", -1},
                            {"trained", false},
                            {"rewinds", 0},
                            {"rewind_step", -1},
                            {"lr", 0.1},
                            {"plateau_factor", 1.0},
                            {"plateau_best", 0.5},
                            {"plateau_best_progress", 0.25},
                            {"plateau_any", true},
                            {"budget", to_json(BudgetState())},
                            {"test_loss", 0.5},
                            {"test_accuracy", 0.5}};
    state[key] = value;
    save_safetensors(folder_ / "file", {}, {{"run_state", state.dump()}}, Checksum::kSha256);
    TensorMap tensors;
    return read_checkpoint(folder_ / "file", tensors);
  }

  const TemporaryFolder temporary_{"state"};
  const fs::path& folder_ = temporary_.path();
};

TEST_F(CheckpointState, CountsAreCounts) {
  EXPECT_EQ(load("step", 9).step, 9);
  for (const char* key : {"step", "metrics_bytes", "last_record", "evaluations", "rewinds"}) {
    for (const nlohmann::json& value : {nlohmann::json(-1), nlohmann::json(2.5), nlohmann::json(1e300),
                                        nlohmann::json(9223372036854775808U), nlohmann::json("3")}) {
      SCOPED_TRACE(key + (" " + value.dump()));
      EXPECT_THROW(load(key, value), InputError);
    }
  }
  for (const char* key : {"evaluated_step", "rewind_step"}) {
    EXPECT_NO_THROW(load(key, -1));
    EXPECT_THROW(load(key, -2), InputError);
    EXPECT_THROW(load(key, 1e300), InputError);
  }
  EXPECT_THROW(load("last_record", 4), InputError);
  EXPECT_THROW(load("seconds", -1.0), InputError);
  auto budget = to_json(BudgetState());
  budget["origin_step"] = 1e300;
  EXPECT_THROW(load("budget", budget), InputError);
}

}  // namespace
}  // namespace glidepath
