// include/glidepath/study.h - a grid of training runs: planned, executed in parallel, stored, resumed.
#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "glidepath/train_config.h"

namespace glidepath {

/// What the tasks of a study ask of Slurm: the [slurm] table of a study file, or the command line
/// (docs/cluster.md). What is left empty is the cluster's own default.
struct SlurmSettings {
  std::string partition;
  std::string time;                ///< limit of one task, as Slurm has it: D-HH:MM:SS
  std::string mem;                 ///< of one task: "8G"
  std::int64_t cpus = 0;           ///< of one task; 0: as many as the runs have threads
  std::int64_t gpus = 0;           ///< of one task
  std::int64_t array_limit = 0;    ///< tasks that may run at a time; 0: no limit
  std::int64_t runs_per_task = 1;  ///< runs that a task does one after the other
  std::int64_t max_requeue = 10;   ///< how often a run that reaches the time limit is put back into the queue
  std::vector<std::string> sbatch_options;  ///< more options of sbatch: "--account=physics"
};

/// The keys of a [slurm] table; set_slurm_value knows them.
const std::vector<std::string>& slurm_keys();

/// Sets one of them from text; sbatch_option adds to its list. Throws InputError beginning with the key and
/// the value.
void set_slurm_value(SlurmSettings& settings, const std::string& key, const std::string& text);

/// Published results that those of a study are drawn beside; without any, `accuracy` is empty.
struct StudyReference {
  std::string source;           ///< whose they are and what was trained
  std::vector<double> budgets;  ///< percent of the full budget, rising
  /// Schedule and test accuracies in percent, one for each budget.
  std::vector<std::pair<std::string, std::vector<double>>> accuracy;
};

/// What a study's tables and figures show, and how.
struct TableOptions {
  std::string rows = {};     ///< an axis; empty: schedule, or else the first axis
  std::string columns = {};  ///< an axis; empty: budget, or else the next axis
  /// What cells are of: test_accuracy, test_loss, or one of score_names(); empty: the score of the runs'
  /// task.
  std::string score = {};
  /// What rows and the lines of figures are called instead: by their names ("step-d2"), as tables have them.
  std::map<std::string, std::string> labels = {};
};

/// A study file: `name`, `title`, a [base] table of train options shared by all runs, and a [grid] table of
/// train options that are lists; the runs are the product of the lists, or with several [[grid]] tables the
/// union of their products. See docs/studies.md.
struct StudyPlan {
  std::string name;
  std::string title;
  /// Grid keys in the file's order: e.g. schedule, budget, seed. Of a union, the keys that tell its runs
  /// apart.
  std::vector<std::string> axes;
  /// The union of several products: a table's rows are then what axes but columns and seed have in common.
  bool is_union = false;
  std::vector<std::string> figures;  ///< of figure_ids(): what a report draws; empty: what the runs allow
  /// The product. Seeds are outermost, and within a seed the cheap budgets come first, so that a stopped
  /// study has whole tables, and the left columns of the next one.
  std::vector<TrainConfig> runs;
  /// The values of each axis, in the file's order: rows and columns of a table follow it.
  std::map<std::string, std::vector<std::string>> values;
  std::string source_toml;        ///< the file's text, kept in the store
  StudyReference reference = {};  ///< the [reference] table
  TableOptions table = {};        ///< kept with the study: reports show the same; [labels] is of the file
  SlurmSettings slurm = {};       ///< the [slurm] table
};

/// The figures that a report can draw: "1" to "5", "A" to "D" as the paper (Li et al., ICLR 2020) numbers
/// them, and "estimate", the online estimate of the gradient norm against the exact one.
const std::vector<std::string>& figure_ids();

/// What the command line changes in a study file.
struct PlanChanges {
  std::string profile;  ///< name of a [profile.NAME] table; empty: the file's default_profile, or none
  /// Train options that replace those of [base], [grid] and the profile: key and text. A text that starts
  /// with
  /// `[` is a TOML list and makes the key an axis: {"seed", "[1, 2]"}.
  std::vector<std::pair<std::string, std::string>> set;
};

/// Reads a study file. Runs get `threads = 1` unless the file says otherwise: a study uses the cores by
/// running several runs side by side, which is faster for small networks and keeps results free of the
/// machine's size. Throws InputError with file, line and key: unknown keys, wrong types, empty lists, values
/// twice in a list, more than 100,000 runs, values that do not go together.
StudyPlan read_study_plan(const std::filesystem::path& file, const PlanChanges& changes = {});

/// The identity of a run: a hash of every config value that affects its result. 16 hex digits. Two spellings
/// of one schedule or budget (60m, 1h) are one run. A value equal to its default leaves the hash as it is, so
/// that a later version with more options still knows the runs of this one.
std::string run_id(const TrainConfig& config);

/// A run whose loss became infinite or NaN has diverged: a result, and not a failure that another try may
/// mend.
enum class RunStatus { kPending, kRunning, kDone, kDiverged, kFailed };
/// "pending", "running", "done", "diverged", "failed".
const char* to_string(RunStatus status);

/// A run and what came of it. The numbers are NaN or 0 until it is done; of one that diverged only the
/// updates and the seconds mean something.
struct RunRecord {
  std::string id;
  TrainConfig config;
  RunStatus status = RunStatus::kPending;
  std::string error;  ///< one line, when failed or diverged
  double test_accuracy =
      0;  ///< in [0, 1], after the last update; NaN of a finished run that has a loss alone
  double test_loss = 0;
  double train_loss = 0;  ///< mean over the last epoch (or the whole run when shorter)
  double train_accuracy = 0;
  std::map<std::string, double> scores;  ///< what else a run was tested with: those of score_names() it has
  std::int64_t updates = 0;
  double epochs = 0;
  double seconds = 0;  ///< of the whole run: loading, training, evaluation, writing
  double images_per_second = 0;
  double peak_memory_mib = 0;
  std::int64_t attempts = 0;        ///< how often a study took it up
  std::filesystem::path directory;  ///< the run directory: config.toml, metrics.jsonl, summary.json, ...
};

/// What a finished run without an accuracy (of a regression, of a language model) is shown by, lower being
/// better: its test loss, or where it has none its training loss. NaN of other runs.
double shown_loss(const RunRecord& run);

/// Numbers of a run's summary.json beside test_accuracy and test_loss, by their names there: with running
/// statistics of batch norm, on held out images, of the best weights on these. Accuracies are in [0, 1].
const std::vector<std::string>& score_names();

struct StudyResults {
  std::string name, title;
  std::vector<std::string> axes;
  std::map<std::string, std::vector<std::string>> values;  ///< of each axis, in the plan's order
  std::vector<RunRecord> runs;                             ///< in the plan's order
  bool is_union = false;                                   ///< as in StudyPlan, with figures
  std::vector<std::string> figures;
  StudyReference reference = {};
  TableOptions table = {};

  /// What it is called where people read: its title, or else its name.
  const std::string& heading() const { return title.empty() ? name : title; }
};

/// Reads DIR/study.sqlite; a study may be running on it. Throws InputError when DIR holds no study.
StudyResults read_study_results(const std::filesystem::path& dir);

/// The same, or, where DIR holds no study but is a run's folder or holds some, these runs as the results of a
/// study whose axes are what they differ in. Throws InputError when DIR holds neither, for a config.toml that
/// is none, and for two runs of the same options.
StudyResults read_results(const std::filesystem::path& dir);

/// One line of a run's metrics.jsonl. What a line does not have (an evaluation has no lr) and what was not
/// finite is NaN.
struct CurvePoint {
  std::string kind;  ///< "train" or "eval"
  std::int64_t step = 0;
  double progress = 0;
  double lr = 0;
  double loss = 0;
  double accuracy = 0;  ///< in [0, 1]
};

/// The curve of a finished run, in the order it was written; empty for a run that has not finished.
/// Throws InputError when DIR holds no study or the study has no such run.
std::vector<CurvePoint> read_curve(const std::filesystem::path& dir, const std::string& run_id);

/// One value of a measure that a run took while it trained (its option `measure`).
struct MeasurePoint {
  std::string name;  ///< as in metrics.jsonl: grad_norm, weight_norm, effective_lr_median, ...
  std::int64_t step = 0;
  double progress = 0;
  double lr = 0;
  double value = 0;
};

/// The measures of a finished run, in the order they were written; empty for a run without measures.
/// Throws InputError when DIR holds no study or the study has no such run.
std::vector<MeasurePoint> read_measures(const std::filesystem::path& dir, const std::string& run_id);

/// How far a study is; given to the callbacks of StudyOptions.
struct StudyProgress {
  struct Job {
    TrainConfig config;
    double progress = 0;  ///< spent / budget of the run, in [0, 1]
    double seconds = 0;   ///< since it was started
  };
  std::size_t total = 0;  ///< runs of the plan
  std::size_t done = 0;   ///< of them, those of earlier sessions included
  std::size_t diverged = 0;
  std::size_t failed = 0;
  /// Runs that need no more work.
  std::size_t ended() const { return done + diverged + failed; }
  std::vector<Job> jobs;      ///< running now, in this process
  std::size_t elsewhere = 0;  ///< running in other processes that share the store
  double seconds_left = 0;    ///< estimate; NaN before anything is known
};

struct StudyOptions {
  std::filesystem::path out;  ///< holds study.sqlite, runs/ and the tables; made if missing
  std::int64_t jobs = 0;      ///< runs side by side; 0: as many as the cores hold
  bool retry_failed = false;
  /// What runs `train --config ... --out ...`; empty: the program that is running.
  std::filesystem::path program;
  /// Asked often: a signal number to stop for, or 0. Running runs are told, save, and are gone on with later.
  std::function<int()> stop_signal;
  /// Told once what is no fault: that programs of the study are others than earlier runs of the folder had.
  std::function<void(const std::string&)> on_note;
  /// After each run that ended in this process: done, diverged or failed.
  std::function<void(const RunRecord&, const StudyProgress&)> on_finished;
  /// Twice a second; reading the progress of the jobs costs nothing when it is empty.
  std::function<void(const StudyProgress&)> on_progress;
};

/// Does what is left of `plan` in options.out, and returns the whole study once every run is done, diverged
/// or failed. Each run is a process of its own, so that one that crashes takes nothing with it. It is safe to
/// kill this process at any moment, and to start several on one folder: no run is done twice at the same
/// time, and none that is done is repeated. Runs of the store that the plan does not name are kept and left
/// out. Throws Interrupted when stopped, RunError when the store or the program cannot be used.
StudyResults run_study(const StudyPlan& plan, const StudyOptions& options);

}  // namespace glidepath
