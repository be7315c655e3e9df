// src/run/run_directory.cpp - the files of a run.
#include "run/run_directory.h"

#include <algorithm>
#include <cstdlib>
#include <initializer_list>
#include <utility>

#include <fmt/format.h>
#include <torch/version.h>

#include "config/own_programs.h"
#include "core/safe_text.h"
#include "files/atomic_file.h"
#include "files/json_text.h"
#include "files/output_folder.h"
#include "files/read_file.h"
#include "glidepath/clock.h"
#include "glidepath/error.h"
#include "run/same_run.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

constexpr const char* kBoardName = "tensorboard";

std::string versions_toml() {
  return fmt::format(
      "\n# What made this run; told, not read back.\n[versions]\nglidepath = \"{}\"\nlibtorch = \"{}\"\n",
      GLIDEPATH_VERSION, TORCH_VERSION);
}

std::string history_toml(const std::vector<std::string>& budgets_before) {
  if (budgets_before.empty()) return {};
  std::string list;
  for (const std::string& told : budgets_before)
    list += fmt::format("{}\"{}\"", list.empty() ? "" : ", ", told);
  return fmt::format("\n# Budgets that it had before; told, not read back.\n[history]\nbudgets = [{}]\n",
                     list);
}

bool is_one_of(const std::string& name, std::initializer_list<const char*> names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// Whether TensorBoard is told of this field of a record.
bool is_scalar_of(const std::string& kind, const std::string& field) {
  if (kind == "measure") return !is_one_of(field, {"kind", "step", "epoch", "progress", "seconds"});
  return is_one_of(field, {"loss", "accuracy", "lr"});
}

/// What tells that a run has saved checkpoints, when they are gone.
fs::path saved_mark(const fs::path& run) { return run / "has-checkpoints"; }

fs::path make_temporary_folder() {
  std::error_code error;
  std::string name = (fs::temp_directory_path(error) / "glidepath-run-XXXXXX").string();
  if (error || ::mkdtemp(name.data()) == nullptr) {
    throw RunError(fmt::format("{}: cannot make this folder", name));
  }
  return name;
}

}  // namespace

void RunDirectory::open(const fs::path& path, const Subject& subject) {
  path_ = path;
  path_before_ = path;
  config_ = subject.config;
  data_ = subject.data;
  config_text_ = to_toml(subject.config) + to_toml(data_) + versions_toml();
  classes_text_ = class_names_json(subject.class_names);
  keep_checkpoints_ = subject.config.keep_checkpoints;
  checkpoints_ = CheckpointFolder(path / "checkpoint", keep_checkpoints_,
                                  [trouble = trouble_](const std::string& text) { trouble.tell(text); });
  metrics_ = MetricsFile(path / "metrics.jsonl", 0);
  if (const auto folder = Folder::try_open(path)) folder->find_inside(kBoardName);  // refuses a link
}

void RunDirectory::write_beginning() const {
  write_file(path_ / "classes.json", classes_text_);
  write_file(path_ / "config.toml", config_text_);
}

void RunDirectory::keep_model() const { keep_model_file(config_, path_, path_before_); }

RunDirectory RunDirectory::create(const fs::path& path, const Subject& subject, DiskTrouble trouble) {
  RunDirectory run;
  run.trouble_ = std::move(trouble);
  if (path.empty()) return run;
  run.open(path, subject);
  run.make_and_lock();
  run.keep_model();
  run.write_beginning();
  run.metrics_.write();
  return run;
}

bool RunDirectory::holds_run() const {
  return has_checkpoint() || is_there(path_ / "summary.json") || is_there(path_ / kModelFile) ||
         is_there(saved_mark(path_));
}

// Looked at again under the lock: another process may have made a run meanwhile.
void RunDirectory::make_and_lock() {
  const auto refuse_run = [this] {
    if (!holds_run()) return;
    throw InputError(
        fmt::format("--out {}: holds a run already; give another folder, or go on with it by --resume {}",
                    path_.string(), shell_word(path_.string())));
  };
  refuse_run();
  make_output_folder(path_);
  lock(fmt::format("--out {}", path_.string()));
  refuse_run();
}

void RunDirectory::lock(const std::string& what) {
  lock_ = FolderLock::take(path_, what, [this](const std::string& told) { trouble_.tell(told); });
}

void RunDirectory::require_ours() const {
  if (lock_) lock_->require();
}

RunDirectory RunDirectory::reopen(const fs::path& path, const Subject& subject, DiskTrouble trouble) {
  const bool another_budget = check_same_run(path, subject.config);
  refuse_finished(path, subject.config, another_budget);
  const std::string text = try_read_file(path / "config.toml").value_or("");
  check_same_data(path, text, subject.data, subject.class_names);
  RunDirectory run;
  run.trouble_ = std::move(trouble);
  run.open(path, subject);
  run.config_text_ = text;  // with the budgets it had before
  try {
    run.lock(fmt::format("--resume {}", path.string()));
  } catch (const RunError& error) {  // a disk that takes nothing: the run may be saved elsewhere at its end
    run.trouble_.tell(fmt::format("{}; going on without", error.what()));
  }
  refuse_finished(path, subject.config, another_budget);  // by whoever had the lock until now
  return run;
}

RunDirectory RunDirectory::reopen_to_leave(const fs::path& path, const Subject& subject,
                                           DiskTrouble trouble) {
  if (!check_same_run(path, subject.config) && is_finished(path)) {
    throw InputError(fmt::format("--resume {}: this run has finished; give it another --budget to train on",
                                 path.string()));
  }
  check_same_data(path, try_read_file(path / "config.toml").value_or(""), subject.data, subject.class_names);
  RunDirectory run;
  run.trouble_ = std::move(trouble);
  run.open(path, subject);
  return run;
}

void RunDirectory::require_unsaved() const {
  if (!writes() || !holds_run()) return;
  const auto summary = summary_in(path_);
  const bool has_ended = summary.is_object() && summary.contains("status") && summary["status"].is_string();
  throw InputError(fmt::format(
      "--resume {}: its checkpoints are gone from {}, and {}; nothing is left to go on from, and training "
      "anew would write over it: put them back, or start a new run with another --out",
      path_.string(), (path_ / "checkpoint").string(),
      has_ended ? fmt::format("summary.json says that it is {}", summary["status"].get<std::string>())
                : "it has had some"));
}

void RunDirectory::go_elsewhere(const fs::path& path) {
  TensorMap branch;
  const auto branch_state = load_branch(branch);
  path_ = path;
  checkpoints_ = CheckpointFolder(path / "checkpoint", keep_checkpoints_,
                                  [trouble = trouble_](const std::string& text) { trouble.tell(text); });
  make_and_lock();
  metrics_.move_to(path / "metrics.jsonl");
  metrics_.flush();
  keep_model();
  if (branch_state) checkpoints_.save_branch(branch, *branch_state);
}

void RunDirectory::rewrite_config(const TrainConfig& config, const std::vector<std::string>& budgets_before) {
  if (!writes()) return;
  config_text_ = to_toml(config) + to_toml(data_) + history_toml(budgets_before) + versions_toml();
  write_file(path_ / "config.toml", config_text_);
}

void RunDirectory::make_sure_it_is_there() const {
  if (is_there(path_ / "config.toml")) return;
  std::error_code error;
  fs::create_directories(path_, error);
  if (error) throw RunError(fmt::format("{}: cannot make this folder: {}", path_.string(), error.message()));
  try {
    keep_model();
  } catch (const InputError&) {  // it went with the folder, and its own file is another by now
  }
  write_beginning();
}

void RunDirectory::append_metrics(const nlohmann::ordered_json& record) {
  if (!writes()) return;
  require_ours();
  metrics_.append(json_text(record));
  const std::string kind = record.at("kind");
  const auto point = [&](const std::string& name, double value) {
    points_.push_back({kind + "/" + name, record.at("step"), value, wall_clock_seconds()});
  };
  for (const auto& [name, value] : record.items()) {
    if (!is_scalar_of(kind, name)) continue;
    if (value.is_number()) point(name, value);
    if (!value.is_object()) continue;
    for (const auto& [part, number] : value.items()) point(name + "/" + part, number);
  }
  trouble_.attempt("metrics", [&] {
    make_sure_it_is_there();
    metrics_.write();
  });
  trouble_.attempt("tensorboard", [&] { write_board(); });
}

// After a refusal the points go to a new file: where in the old one the disk stopped is not known.
void RunDirectory::write_board() {
  if (board_ && !is_there(board_->file())) board_.reset();
  const bool is_new = !board_;
  try {
    if (is_new) board_ = std::make_unique<TensorBoardWriter>(Folder::open(path_).make_inside(kBoardName));
    for (const Point& point : points_) {
      if (point.tag.empty()) {
        board_->resumed_at(point.step, point.wall_seconds);
      } else {
        board_->scalar(point.tag, point.step, point.value, point.wall_seconds);
      }
    }
    board_->flush();
    points_.clear();
  } catch (const RunError&) {
    const fs::path file = board_ ? board_->file() : fs::path();
    board_.reset();
    std::error_code error;
    if (is_new && !file.empty()) fs::remove(file, error);
    throw;
  }
}

void DirectoryState::fields(StateFields& fields) {
  fields.count("metrics_bytes", metrics_bytes);
  if (fields.has("data")) fields.value("data", data, data_record_from);
}

void RunDirectory::go_on_from(const StateMap& state) {
  cut_metrics(state.get<CheckpointPlace>().step,
              static_cast<std::uint64_t>(state.get<DirectoryState>().metrics_bytes));
}

void RunDirectory::cut_metrics(std::int64_t step, std::uint64_t bytes) {
  if (!writes()) return;
  if (metrics_.size() == 0) metrics_ = MetricsFile(path_ / "metrics.jsonl", bytes);
  metrics_.cut(bytes);
  if (metrics_.size() < bytes) {
    trouble_.tell(fmt::format("{}: {} bytes, where the checkpoint had seen {}; the lines between are lost",
                              (path_ / "metrics.jsonl").string(), metrics_.size(), bytes));
  }
  points_.push_back({"", step, 0, wall_clock_seconds()});
}

// config.toml may be of another machine, or written by hand; what the state was trained on stands with it.
std::optional<StateMap> RunDirectory::load_checkpoint(TensorMap& tensors, std::int64_t up_to) const {
  if (!writes()) return std::nullopt;
  std::optional<StateMap> state = checkpoints_.load(tensors, up_to);
  if (!state) return state;
  const auto then = state->get<DirectoryState>().data;
  if (then && *then != data_) refuse_data(path_, *then, data_, {}, {});
  return state;
}

void RunDirectory::describe(StateMap& state) const {
  state.put(DirectoryState{static_cast<std::int64_t>(metrics_.size()),
                           writes() ? std::optional<DataRecord>(data_) : std::nullopt});
}

void RunDirectory::prepare(StateMap& state) {
  make_sure_it_is_there();
  metrics_.flush();  // before the checkpoint that counts on it
  describe(state);
}

void RunDirectory::save(const TensorMap& tensors, StateMap state) {
  prepare(state);
  checkpoints_.save(tensors, state);
  mark_saved();
}

// The checkpoint is whole without it: where the disk refuses, the next one is marked.
void RunDirectory::mark_saved() const {
  if (is_there(saved_mark(path_))) return;
  try {
    write_file(saved_mark(path_),
               "This run has saved its state in checkpoint/, and does not start anew without.\n");
  } catch (const RunError&) {
  }
}

bool RunDirectory::save_checkpoint(const TensorMap& tensors, StateMap state) {
  if (!writes()) return true;
  require_ours();
  return trouble_.attempt("checkpoint", [&] { save(tensors, std::move(state)); });
}

void RunDirectory::save_checkpoint_somewhere(const TensorMap& tensors, StateMap state) {
  if (!writes()) return;
  require_ours();
  here_or_elsewhere("checkpoint", [&] { save(tensors, state); });
}

void RunDirectory::save_changed(const TensorMap& tensors, StateMap state) {
  if (!writes()) return;
  std::error_code error;  // the result first: a run that has one has finished
  fs::remove(path_ / "summary.json", error);
  describe(state);  // the file has these metrics, and is cut when it is next written
  checkpoints_.save_and_drop_later(tensors, state);
  mark_saved();
}

void RunDirectory::save_branch(const TensorMap& tensors, StateMap state) {
  if (!writes()) return;
  require_ours();
  trouble_.attempt("branch", [&] {
    prepare(state);
    checkpoints_.save_branch(tensors, state);
  });
}

std::optional<StateMap> RunDirectory::load_branch(TensorMap& tensors) const {
  if (!writes()) return std::nullopt;
  return checkpoints_.load_branch(tensors);
}

void RunDirectory::save_result(const std::map<std::string, TensorMap>& models,
                               const std::map<std::string, std::string>& metadata,
                               const std::function<nlohmann::ordered_json()>& summary) {
  if (!writes()) return;
  require_ours();
  here_or_elsewhere("result", [&] {
    make_sure_it_is_there();
    metrics_.flush();
    std::error_code ignored;
    for (const char* name : {kBestModelFile, kAverageModelFile}) {
      if (models.count(name) == 0) fs::remove(path_ / name, ignored);  // of a shorter budget
    }
    for (const auto& [name, model] : models) save_safetensors(path_ / name, model, metadata);
    write_file(path_ / "summary.json", json_text(summary(), 2) + "\n");
  });
}

void RunDirectory::save_summary(const nlohmann::ordered_json& summary) {
  if (!writes()) return;
  require_ours();
  trouble_.attempt("summary", [&] {
    make_sure_it_is_there();
    write_file(path_ / "summary.json", json_text(summary, 2) + "\n");
  });
}

void RunDirectory::here_or_elsewhere(const std::string& what, const std::function<void()>& write) {
  std::string problem;
  try {
    write();
    // As an attempt that went well, so that an end of trouble is told.
    trouble_.attempt(what, [] {});
    return;
  } catch (const RunError& error) {
    if (!rescue_) throw;
    problem = error.what();
  }
  const fs::path wanted = path_;
  fs::path elsewhere;
  try {
    elsewhere = make_temporary_folder();
    path_ = elsewhere;
    checkpoints_ = CheckpointFolder(path_ / "checkpoint", keep_checkpoints_, {});
    metrics_.move_to(path_ / "metrics.jsonl");
    write();
  } catch (const RunError& error) {
    std::error_code ignored;
    if (!elsewhere.empty()) fs::remove_all(elsewhere, ignored);
    throw RunError(fmt::format(
        "{}, and the temporary folder refuses as well ({}); make room and go on with: glidepath train "
        "--resume {}",
        problem, error.what(), shell_word(wanted.string())));
  }
  trouble_.tell(fmt::format("{}; the run was saved in {} instead", problem, path_.string()));
}

}  // namespace glidepath
