// src/study/cluster/folder.h - what DIR/cluster holds: the plan, a few files for each run, a folder for each
// array.
#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "files/folder.h"
#include "glidepath/cluster.h"

namespace glidepath {

/// What a run's task says of it in DIR/cluster/runs/ID.json. Only the holder of the run's lock writes it.
struct TaskNote {
  /// "submitted", "running", "interrupted" (saved, by a signal), "requeued" (by itself at the time limit),
  /// "done", "diverged", "failed".
  std::string state;
  std::string error;  ///< one line; empty: none
  std::string job;    ///< 4711_3
  std::string host;
  std::int64_t attempts = 0;           ///< how often a task took it up
  std::int64_t requeues = 0;           ///< how often it put itself back since it was submitted
  int signal = 0;                      ///< that interrupted it
  std::string started_at, changed_at;  ///< UTC
  bool has_ended() const { return state == "done" || state == "diverged" || state == "failed"; }
};

class ClusterFolder {
 public:
  /// `study` is the study's folder.
  explicit ClusterFolder(const std::filesystem::path& study) : study_(study), path_(study / "cluster") {}
  const std::filesystem::path& study() const { return study_; }
  const std::filesystem::path& path() const { return path_; }
  /// Made where it is missing. Throws LinkInTheWay.
  Folder open() const;
  std::filesystem::path run_directory(const std::string& id) const { return study_ / "runs" / id; }
  std::filesystem::path lock_file(const std::string& id) const { return path_ / "runs" / (id + ".lock"); }

  /// The plan, and the configuration of each run.
  void save_plan(const StudyPlan& plan, const std::vector<std::string>& ids) const;
  struct Plan {
    StudyPlan plan;                ///< without the configurations of its runs
    std::vector<std::string> ids;  ///< of its runs
  };
  /// Throws InputError when there is none, or a damaged one.
  Plan read_plan() const;
  /// Throws InputError when it is missing or another run's: changed since it was submitted.
  TrainConfig read_config(const std::string& id) const;

  /// Nothing where no task has taken the run up.
  std::optional<TaskNote> read_state(const std::string& id) const;
  void write_state(const std::string& id, const TaskNote& state) const;

  struct Array {
    std::string name;                             ///< "array-001"
    std::string job_name;                         ///< tells it from all others in the queue
    std::string job_id;                           ///< empty: not known to be submitted
    std::vector<std::vector<std::string>> tasks;  ///< the runs of each
    bool cancelled = false;
  };
  /// In the order in which they were made.
  std::vector<Array> arrays() const;
  /// Throws InputError when there is no such task.
  std::vector<std::string> read_task(const std::string& array, std::int64_t index) const;
  /// A new folder with its tasks and its script, not submitted yet.
  void write_array(const Array& array, const std::string& script) const;
  void record_job(const Array& array) const;
  void remove_array(const std::string& name) const;
  void mark_cancelled(const std::string& array) const;
  std::filesystem::path task_log(const std::string& array, std::int64_t index) const;

 private:
  std::filesystem::path study_, path_;
};

/// Now, as 2026-01-31T12:00:00Z.
std::string utc_timestamp();

}  // namespace glidepath
