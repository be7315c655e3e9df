// src/run/checkpoint.h - the checkpoints of a run: written whole, verified when read, the last few kept.
#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "files/folder.h"
#include "glidepath/safetensors.h"
#include "run/state_map.h"

namespace glidepath {

/// What the folder of checkpoints looks at itself, whoever writes it.
struct CheckpointPlace {
  std::int64_t step = 0;          ///< updates done
  std::int64_t rewind_step = -1;  ///< the update a run that diverges would go back to, 0 the start; -1: none

  void fields(StateFields& fields) {
    fields.count("step", step);
    fields.count_or_none("rewind_step", rewind_step);
  }
};

/// Throws InputError for a state that no run has.
using StateCheck = std::function<void(const StateMap&)>;

/// Reads a file of a CheckpointFolder: its tensors (weights, momentum, loss window, torch's generators), and
/// what else a run needs to go on. Throws InputError for one that is damaged, or not whole, or that `check`
/// refuses.
StateMap read_checkpoint(const std::filesystem::path& file, TensorMap& tensors,
                         std::uint64_t most_bytes = std::numeric_limits<std::uint64_t>::max(),
                         const StateCheck& check = {});

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
  /// One whose state this refuses counts as damaged.
  void set_check(StateCheck check) { check_ = std::move(check); }

  /// Updates at which there is a checkpoint, the newest first.
  std::vector<std::int64_t> steps() const;
  bool empty() const { return steps().empty(); }
  std::filesystem::path file(std::int64_t step) const;

  /// Writes one and then deletes those too old to keep; the one at its rewind_step stays.
  /// Throws RunError when the disk refuses; all that was there before is there still.
  void save(const TensorMap& tensors, const StateMap& state) const;

  /// The run goes on from `state` alone: those after it are deleted once it is written, so that a run that is
  /// killed at any moment goes on from one or the other. Throws RunError when the disk refuses.
  void save_and_drop_later(const TensorMap& tensors, const StateMap& state) const;

  /// Reads the newest one at or before `up_to` that is whole. Damaged ones are told of, get the ending
  /// ".damaged", and the one before them is read instead. Nothing when there is none, or none at or before
  /// `up_to`; throws InputError, and changes nothing, when there are some and none is whole.
  std::optional<StateMap> load(TensorMap& tensors,
                               std::int64_t up_to = std::numeric_limits<std::int64_t>::max()) const;

  /// branch.safetensors, the state at which runs of longer budgets part from this one. As save().
  void save_branch(const TensorMap& tensors, const StateMap& state) const;
  /// Nothing when none was kept, or when it is damaged, which is told of.
  std::optional<StateMap> load_branch(TensorMap& tensors) const;

  /// Deletes those after `step`.
  void remove_after(std::int64_t step) const;

 private:
  std::filesystem::path branch_file() const { return folder_ / "branch.safetensors"; }
  std::optional<Folder> find() const;
  void write(const std::string& name, const TensorMap& tensors, const StateMap& state) const;
  void put_aside(const std::filesystem::path& damaged) const;
  void tell(const std::string& warning) const;
  void prune(std::int64_t rewind_step) const;

  std::filesystem::path folder_;
  std::int64_t keep_ = 1;
  std::uint64_t most_bytes_ = std::numeric_limits<std::uint64_t>::max();
  StateCheck check_;
  std::function<void(const std::string&)> on_warning_;
};

}  // namespace glidepath
