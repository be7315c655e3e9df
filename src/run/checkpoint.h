// src/run/checkpoint.h - the checkpoints of a run: written whole, verified when read, the last few kept.
#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "files/folder.h"
#include "glidepath/plateau.h"
#include "glidepath/safetensors.h"
#include "run/budget_state.h"
#include "run/data_record.h"

namespace glidepath {

/// How far the moments of one measure are.
struct MeasureState {
  std::int64_t done = 0;   ///< of the moments, in order
  std::int64_t step = -1;  ///< update of the last one; -1 before the first
};

/// What a run needs to go on where it stopped, beside the tensors (weights, momentum, loss window, torch's
/// generators). The loader needs no more than the step: its random numbers are keyed by seed and step.
struct RunState {
  std::int64_t step = 0;               ///< updates done
  double seconds = 0;                  ///< spent
  std::uint64_t metrics_bytes = 0;     ///< length of metrics.jsonl at this moment
  std::int64_t last_record = 0;        ///< update of the last "train" line there
  std::int64_t evaluations = 0;        ///< of the cadence, done
  std::int64_t evaluated_step = -1;    ///< update of the last evaluation; -1 before the first
  std::vector<MeasureState> measures;  ///< by place in the configuration's list
  bool trained = false;  ///< every update of the budget is done: only the result is to be written
  double lr = 0;         ///< of the last update
  double test_loss = 0;
  double test_accuracy = -1;
  Plateau::State plateau;
  BudgetState budget;
  std::int64_t rewinds = 0;  ///< times the run went back after it diverged, base_lr halved at each
  std::vector<std::int64_t> corrupt_train, corrupt_test;  ///< images met that cannot be decoded
  double flops = 0;                ///< spent, where the size of images follows progress; else 0
  std::int64_t rewind_step = -1;   ///< the update it would go back to, 0 the start; -1: none
  std::optional<DataRecord> data;  ///< what it trains on; none in checkpoints of earlier versions
};

/// The text that a checkpoint keeps of a state.
std::string run_state_text(const RunState& state);
/// Throws InputError for a text that save() does not write: a count that is none, a field that is missing.
RunState run_state_from(const std::string& text);
/// Reads a file of a CheckpointFolder. Throws InputError for one that is damaged, or not whole.
RunState read_checkpoint(const std::filesystem::path& file, TensorMap& tensors,
                         std::uint64_t most_bytes = std::numeric_limits<std::uint64_t>::max());

/// The folder checkpoint/ of a run: step-000000123.safetensors, each whole and with a SHA-256 of its content.
/// One file holds everything, so that one rename replaces weights, momentum and position together. A link in
/// the place of checkpoint/ is refused by every member (LinkInTheWay): nothing is written or deleted
/// elsewhere.
class CheckpointFolder {
 public:
  CheckpointFolder() = default;
  /// Keeps the last `keep` (>= 1) checkpoints; `on_warning` is told of files that cannot be read.
  CheckpointFolder(std::filesystem::path folder, std::int64_t keep,
                   std::function<void(const std::string&)> on_warning);

  /// No checkpoint of a run has more bytes than this; one that has is refused before it is read.
  void set_most_bytes(std::uint64_t bytes) { most_bytes_ = bytes; }

  /// Updates at which there is a checkpoint, the newest first.
  std::vector<std::int64_t> steps() const;
  bool empty() const { return steps().empty(); }
  std::filesystem::path file(std::int64_t step) const;

  /// Writes one and then deletes those too old to keep; the one at state.rewind_step stays.
  /// Throws RunError when the disk refuses; all that was there before is there still.
  void save(const TensorMap& tensors, const RunState& state) const;

  /// The run goes on from `state` alone: those after it are deleted once it is written, so that a run that is
  /// killed at any moment goes on from one or the other. Throws RunError when the disk refuses.
  void save_and_drop_later(const TensorMap& tensors, const RunState& state) const;

  /// Reads the newest one at or before `up_to` that is whole. Damaged ones are told of, get the ending
  /// ".damaged", and the one before them is read instead. Nothing when there is none, or none at or before
  /// `up_to`; throws InputError, and changes nothing, when there are some and none is whole.
  std::optional<RunState> load(TensorMap& tensors,
                               std::int64_t up_to = std::numeric_limits<std::int64_t>::max()) const;

  /// branch.safetensors, the state at which runs of longer budgets part from this one. As save().
  void save_branch(const TensorMap& tensors, const RunState& state) const;
  /// Nothing when none was kept, or when it is damaged, which is told of.
  std::optional<RunState> load_branch(TensorMap& tensors) const;

  /// Deletes those after `step`.
  void remove_after(std::int64_t step) const;

 private:
  std::filesystem::path branch_file() const { return folder_ / "branch.safetensors"; }
  std::optional<Folder> find() const;
  void write(const std::string& name, const TensorMap& tensors, const RunState& state) const;
  void put_aside(const std::filesystem::path& damaged) const;
  void tell(const std::string& warning) const;
  void prune(const RunState& state) const;

  std::filesystem::path folder_;
  std::int64_t keep_ = 1;
  std::uint64_t most_bytes_ = std::numeric_limits<std::uint64_t>::max();
  std::function<void(const std::string&)> on_warning_;
};

}  // namespace glidepath
