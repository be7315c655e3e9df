// src/train/run_directory.h - the files of a run: configuration, metrics, checkpoint, weights, summary.
#pragma once
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>
#include <torch/types.h>

#include "glidepath/plateau.h"
#include "glidepath/safetensors.h"
#include "glidepath/train_config.h"
#include "train/budget_state.h"
#include "train/tensorboard.h"

namespace glidepath {

/// What a run needs to go on where it stopped, beside the weights and momentum.
struct RunState {
  std::int64_t step = 0;
  double seconds = 0;               ///< spent
  std::uint64_t metrics_bytes = 0;  ///< length of metrics.jsonl at this moment
  double lr = 0;                    ///< of the last update
  double test_loss = 0;
  double test_accuracy = -1;
  Plateau::State plateau;
  BudgetState budget;
};

/// A run directory open for writing. With an empty path nothing is written and every call succeeds.
/// Throws RunError naming the file when the disk refuses.
class RunDirectory {
 public:
  /// A new run: makes the folder and writes config.toml. Throws InputError if a run is there already.
  static RunDirectory create(const std::filesystem::path& path, const TrainConfig& config);
  /// A run to go on with: checks that its configuration is the same, but for its budget. Throws InputError
  /// otherwise.
  static RunDirectory reopen(const std::filesystem::path& path, const TrainConfig& config);

  bool writes() const { return !path_.empty(); }
  const std::filesystem::path& path() const { return path_; }

  /// One line of metrics.jsonl, and the same numbers as TensorBoard scalars: kind/loss, kind/accuracy,
  /// kind/lr.
  void append_metrics(const nlohmann::ordered_json& record);
  /// Shortens metrics.jsonl to what it was at a checkpoint, and tells TensorBoard so.
  void go_on_from(const RunState& state);

  void save_checkpoint(const TensorMap& tensors, RunState state);
  bool has_checkpoint() const;
  RunState load_checkpoint(TensorMap& tensors) const;
  /// The state at which runs of longer budgets part from this one: kept for --replan rewind.
  void save_branch(const TensorMap& tensors, RunState state);
  /// Nothing when none was kept.
  std::optional<RunState> load_branch(TensorMap& tensors) const;

  /// Writes config.toml anew, with the budgets that the run had before.
  void rewrite_config(const TrainConfig& config, const std::vector<std::string>& budgets_before);

  void save_model(const TensorMap& tensors, const std::map<std::string, std::string>& metadata);
  void save_summary(const nlohmann::ordered_json& summary);

 private:
  void open_metrics(std::uint64_t bytes);
  void save_state(const char* name, const TensorMap& tensors, RunState state);
  RunState load_state(const char* name, TensorMap& tensors) const;

  struct Closer {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  std::filesystem::path path_;
  std::unique_ptr<std::FILE, Closer> metrics_;
  std::unique_ptr<TensorBoardWriter> board_;
};

/// CRC-32 of weights, momentum and position: a damaged disk or copy must not go unnoticed into the rest of a
/// run. 8 hex digits.
std::string checkpoint_checksum(const TensorMap& tensors, const std::string& run_state);

/// Writes a text file whole or not at all: temporary name, fsync, rename. Throws RunError.
void write_file_atomically(const std::filesystem::path& file, const std::string& text);

}  // namespace glidepath
