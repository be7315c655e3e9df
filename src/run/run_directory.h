// src/run/run_directory.h - the files of a run: configuration, metrics, checkpoints, weights, summary.
#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>
#include <torch/types.h>

#include "glidepath/safetensors.h"
#include "glidepath/train_config.h"
#include "run/checkpoint.h"
#include "run/data_record.h"
#include "run/disk_trouble.h"
#include "run/metrics_file.h"
#include "run/tensorboard.h"
#include "system/folder_lock.h"

namespace glidepath {

constexpr const char* kModelFile = "model.safetensors";
constexpr const char* kAverageModelFile = "average.safetensors";  // of the weights on the way
constexpr const char* kBestModelFile = "best.safetensors";        // where the best weights are not the last

/// What a checkpoint keeps of the directory that it is in.
struct DirectoryState {
  std::int64_t metrics_bytes = 0;  ///< length of metrics.jsonl
  std::optional<DataRecord> data;  ///< what it trains on; none in checkpoints of earlier versions

  void fields(StateFields& fields);
};

/// A run directory open for writing. With an empty path nothing is written and every call succeeds.
///
/// One process at a time writes it, on whatever machine: a second one is refused.
///
/// Once a run goes, a disk that refuses is a warning (DiskTrouble): metrics wait in memory, the last
/// checkpoint stays, and a folder that was removed is made again. Only what must not be lost, the result or
/// the state at a signal, is an error, and only when the system's temporary folder refuses it too.
class RunDirectory {
 public:
  RunDirectory() = default;
  /// What a run is of.
  struct Subject {
    TrainConfig config;
    DataRecord data;
    std::vector<std::string> class_names;
  };
  /// A new run: makes the folder and writes classes.json and config.toml. Throws InputError if a run is there
  /// already, RunError when the disk refuses.
  static RunDirectory create(const std::filesystem::path& path, const Subject& subject, DiskTrouble trouble);
  /// A run to go on with: checks that its configuration is the same, but for its budget, and that its data
  /// are. Throws InputError otherwise, and for a run that has finished and is not given another budget.
  static RunDirectory reopen(const std::filesystem::path& path, const Subject& subject, DiskTrouble trouble);
  /// Likewise, for a run that goes on in another folder: this one is read alone, and may have finished.
  static RunDirectory reopen_to_leave(const std::filesystem::path& path, const Subject& subject,
                                      DiskTrouble trouble);

  bool writes() const { return !path_.empty(); }
  /// Where the run is; another folder than at first once it had to be saved elsewhere.
  const std::filesystem::path& path() const { return path_; }

  /// See CheckpointFolder::set_most_bytes.
  void limit_checkpoints(std::uint64_t most_bytes) { checkpoints_.set_most_bytes(most_bytes); }
  /// See CheckpointFolder::set_check.
  void check_checkpoints(StateCheck check) { checkpoints_.set_check(std::move(check)); }

  /// Whether what its disk refuses at the end is saved in the system's temporary folder; true at first.
  void set_rescue(bool rescue) { rescue_ = rescue; }

  /// One line of metrics.jsonl, and the same numbers as TensorBoard scalars: kind/loss, kind/accuracy,
  /// kind/lr; of measures every one.
  void append_metrics(const nlohmann::ordered_json& record);
  /// Shortens the metrics to what they were at a checkpoint, and tells TensorBoard so.
  void go_on_from(const StateMap& state);
  /// Likewise, to none: the run begins.
  void start_over() { cut_metrics(0, 0); }

  /// Puts a DirectoryState of now.
  void describe(StateMap& state) const;

  /// False when the disk refused.
  bool save_checkpoint(const TensorMap& tensors, StateMap state);
  /// Saves the state of a run that is about to stop. Throws RunError when no disk takes it.
  void save_checkpoint_somewhere(const TensorMap& tensors, StateMap state);
  bool has_checkpoint() const { return writes() && !checkpoints_.empty(); }
  /// See CheckpointFolder::load.
  std::optional<StateMap> load_checkpoint(
      TensorMap& tensors, std::int64_t up_to = std::numeric_limits<std::int64_t>::max()) const;
  /// Where there is no checkpoint: throws InputError when the folder shows that the run has had one, or has
  /// ended. It would be trained anew over what it has left.
  void require_unsaved() const;
  /// From here on everything goes to a new folder, the metrics so far among it; the one before stays as it
  /// is. Throws InputError if a run is there already, RunError when the disk refuses.
  void go_elsewhere(const std::filesystem::path& path);
  /// The state of a run whose budget was changed: no later checkpoint of the budget before is gone on from,
  /// and what it left as its result is removed. Throws RunError when the disk refuses.
  void save_changed(const TensorMap& tensors, StateMap state);
  /// The state at which runs of longer budgets part from this one: kept for --replan rewind. A refusal of the
  /// disk is a warning.
  void save_branch(const TensorMap& tensors, StateMap state);
  /// Nothing when none was kept.
  std::optional<StateMap> load_branch(TensorMap& tensors) const;
  /// Writes config.toml anew, with the budgets that the run had before. Throws RunError.
  void rewrite_config(const TrainConfig& config, const std::vector<std::string>& budgets_before);
  void remove_checkpoints_after(std::int64_t step) const {
    if (writes()) checkpoints_.remove_after(step);
  }

  /// What a finished run leaves: the last metrics, the models by their files and, last of all, summary.json,
  /// whose presence says that the rest is there. Throws RunError when no disk takes them.
  void save_result(const std::map<std::string, TensorMap>& models,
                   const std::map<std::string, std::string>& metadata,
                   const std::function<nlohmann::ordered_json()>& summary);
  /// The summary alone, of a run that ended without a result. A refusal of the disk is a warning.
  void save_summary(const nlohmann::ordered_json& summary);

 private:
  struct Point {
    std::string tag;  // empty: the run goes on from `step`
    std::int64_t step;
    double value, wall_seconds;
  };

  void lock(const std::string& what);
  bool holds_run() const;
  void make_and_lock();
  void open(const std::filesystem::path& path, const Subject& subject);
  void write_beginning() const;
  void keep_model() const;
  void make_sure_it_is_there() const;
  void require_ours() const;
  void cut_metrics(std::int64_t step, std::uint64_t bytes);
  void prepare(StateMap& state);
  void save(const TensorMap& tensors, StateMap state);
  void mark_saved() const;
  void write_board();
  void here_or_elsewhere(const std::string& what, const std::function<void()>& write);

  std::filesystem::path path_;
  std::filesystem::path path_before_;  // where it was when this process came
  TrainConfig config_;
  std::string config_text_, classes_text_;
  DataRecord data_;
  std::int64_t keep_checkpoints_ = 1;
  bool rescue_ = true;
  std::unique_ptr<FolderLock> lock_;  // none where nothing is written, or the disk refuses one
  DiskTrouble trouble_;
  CheckpointFolder checkpoints_;
  MetricsFile metrics_;
  std::unique_ptr<TensorBoardWriter> board_;
  std::vector<Point> points_;  // for TensorBoard, not yet written
};

}  // namespace glidepath
