// src/train/run_directory.cpp - the files of a run.
#include "train/run_directory.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <limits>
#include <unistd.h>

#include <fmt/format.h>
#include <torch/torch.h>
#include <zlib.h>

#include "glidepath/error.h"
#include "glidepath/train.h"
#include "train/json_count.h"
#include "train/output_folder.h"
#include "train/wall_clock.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

[[noreturn]] void disk_refuses(const fs::path& file, const char* what) {
  throw RunError(fmt::format("{}: cannot {}: {}", file.string(), what, std::strerror(errno)));
}

std::string versions_toml() {
  return fmt::format(
      "\n# What made this run; told, not read back.\n[versions]\nglidepath = \"{}\"\nlibtorch = \"{}\"\n",
      GLIDEPATH_VERSION, TORCH_VERSION);
}

constexpr const char* kNewest = "state.safetensors";
constexpr const char* kBranch = "branch.safetensors";

// A budget is changed on purpose; what that means for the schedule is the trainer's to say.
bool may_change(const std::string& key) { return key == "budget" || key == "deadline"; }

std::string history_toml(const std::vector<std::string>& budgets_before) {
  if (budgets_before.empty()) return {};
  std::string list;
  for (const std::string& told : budgets_before)
    list += fmt::format("{}\"{}\"", list.empty() ? "" : ", ", told);
  return fmt::format("\n# Budgets that it had before; told, not read back.\n[history]\nbudgets = [{}]\n",
                     list);
}

bool is_there(const fs::path& path) {
  std::error_code ignored;  // a path that cannot be looked up holds nothing
  return fs::exists(path, ignored);
}

bool is_finished(const fs::path& run) {
  std::ifstream stream(run / "summary.json");
  const auto summary = nlohmann::json::parse(stream, nullptr, /*allow_exceptions=*/false);
  return summary.is_object() && summary.contains("status") && summary["status"] == "done";
}

}  // namespace

std::string checkpoint_checksum(const TensorMap& tensors, const std::string& run_state) {
  uLong sum = crc32(0, reinterpret_cast<const Bytef*>(run_state.data()), static_cast<uInt>(run_state.size()));
  for (const auto& [name, tensor] : tensors) {
    const torch::Tensor plain = tensor.detach().to(torch::kCPU).contiguous();
    sum = crc32_z(sum, reinterpret_cast<const Bytef*>(name.data()), name.size());
    sum = crc32_z(sum, static_cast<const Bytef*>(plain.data_ptr()), plain.nbytes());
  }
  return fmt::format("{:08x}", sum);
}

void write_file_atomically(const fs::path& file, const std::string& text) {
  const fs::path temporary = file.string() + ".part";
  const int descriptor = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (descriptor < 0) disk_refuses(temporary, "write");
  std::size_t written = 0;
  while (written < text.size()) {
    const ssize_t count = ::write(descriptor, text.data() + written, text.size() - written);
    if (count < 0 && errno != EINTR) break;
    if (count > 0) written += static_cast<std::size_t>(count);
  }
  const bool whole = written == text.size() && ::fsync(descriptor) == 0;
  const int reason = errno;
  ::close(descriptor);
  if (!whole) {
    ::unlink(temporary.c_str());
    errno = reason;
    disk_refuses(temporary, "write");
  }
  if (::rename(temporary.c_str(), file.c_str()) != 0) disk_refuses(file, "replace");
}

RunDirectory RunDirectory::create(const fs::path& path, const TrainConfig& config) {
  RunDirectory run;
  run.path_ = path;
  if (!run.writes()) return run;
  if (is_there(path / "config.toml") && (is_there(path / "summary.json") || run.has_checkpoint())) {
    throw InputError(
        fmt::format("--out {}: holds a run already; give another folder, or go on with it by --resume {}",
                    path.string(), path.string()));
  }
  make_output_folder(path);
  write_file_atomically(path / "config.toml", to_toml(config) + versions_toml());
  run.open_metrics(0);
  return run;
}

RunDirectory RunDirectory::reopen(const fs::path& path, const TrainConfig& config) {
  RunDirectory run;
  run.path_ = path;
  const TrainConfig stored = read_run_config(path);
  bool another_budget = false;
  for (const ConfigKey& key : train_config_keys()) {
    const std::string then = config_value(stored, key.name), now = config_value(config, key.name);
    another_budget = another_budget || (may_change(key.name) && then != now);
    if (key.affects_result && then != now && !may_change(key.name)) {
      throw InputError(fmt::format("--resume {}: this run has {} = {}, not {}; start a new run for that",
                                   path.string(), key.name, then, now));
    }
  }
  if (is_finished(path) && !another_budget) {
    throw InputError(fmt::format("--resume {}: this run has finished; its result is in {}", path.string(),
                                 (path / "summary.json").string()));
  }
  if (!run.has_checkpoint()) run.open_metrics(0);
  return run;
}

void RunDirectory::rewrite_config(const TrainConfig& config, const std::vector<std::string>& budgets_before) {
  if (!writes()) return;
  write_file_atomically(path_ / "config.toml",
                        to_toml(config) + history_toml(budgets_before) + versions_toml());
}

void RunDirectory::append_metrics(const nlohmann::ordered_json& record) {
  if (!writes()) return;
  const std::string line = record.dump() + "\n";
  if (std::fwrite(line.data(), 1, line.size(), metrics_.get()) != line.size() ||
      std::fflush(metrics_.get()) != 0) {
    disk_refuses(path_ / "metrics.jsonl", "write");
  }
  const std::string kind = record.at("kind");
  for (const char* name : {"loss", "accuracy", "lr"}) {
    board_->scalar(kind + "/" + name, record.at("step"), record.at(name), wall_clock_seconds());
  }
  board_->flush();
}

void RunDirectory::open_metrics(std::uint64_t bytes) {
  if (!writes()) return;
  const fs::path file = path_ / "metrics.jsonl";
  metrics_.reset(std::fopen(file.c_str(), "ab"));
  if (!metrics_) disk_refuses(file, "write");
  if (::ftruncate(::fileno(metrics_.get()), static_cast<off_t>(bytes)) != 0) disk_refuses(file, "shorten");
  board_ = std::make_unique<TensorBoardWriter>(path_ / "tensorboard");
}

void RunDirectory::go_on_from(const RunState& state) {
  if (!writes()) return;
  const fs::path metrics = path_ / "metrics.jsonl";
  std::error_code error;
  const std::uint64_t bytes = fs::file_size(metrics, error);
  if (error || bytes < state.metrics_bytes) {
    throw InputError(
        fmt::format("{}: {} bytes, and {} at the checkpoint; it was changed since, start a new run",
                    metrics.string(), error ? 0 : bytes, state.metrics_bytes));
  }
  open_metrics(state.metrics_bytes);
  board_->resumed_at(state.step, wall_clock_seconds());
}

bool RunDirectory::has_checkpoint() const { return writes() && is_there(path_ / "checkpoint" / kNewest); }

void RunDirectory::save_checkpoint(const TensorMap& tensors, RunState state) {
  save_state(kNewest, tensors, std::move(state));
}

void RunDirectory::save_branch(const TensorMap& tensors, RunState state) {
  save_state(kBranch, tensors, std::move(state));
}

RunState RunDirectory::load_checkpoint(TensorMap& tensors) const { return load_state(kNewest, tensors); }

std::optional<RunState> RunDirectory::load_branch(TensorMap& tensors) const {
  if (!writes() || !fs::exists(path_ / "checkpoint" / kBranch)) return std::nullopt;
  return load_state(kBranch, tensors);
}

void RunDirectory::save_state(const char* name, const TensorMap& tensors, RunState state) {
  if (!writes()) return;
  make_output_folder(path_ / "checkpoint");
  state.metrics_bytes = fs::file_size(path_ / "metrics.jsonl");
  const nlohmann::json json = {{"step", state.step},
                               {"seconds", state.seconds},
                               {"metrics_bytes", state.metrics_bytes},
                               {"lr", state.lr},
                               {"plateau_factor", state.plateau.factor},
                               {"plateau_best", state.plateau.best},
                               {"plateau_best_progress", state.plateau.best_progress},
                               {"plateau_any", state.plateau.any},
                               {"budget", to_json(state.budget)},
                               {"test_loss", state.test_loss},
                               {"test_accuracy", state.test_accuracy}};
  // One file, so that one rename replaces weights, momentum and position together.
  const std::string run_state = json.dump();
  save_safetensors(path_ / "checkpoint" / name, tensors,
                   {{"run_state", run_state}, {"crc32", checkpoint_checksum(tensors, run_state)}});
}

RunState RunDirectory::load_state(const char* name, TensorMap& tensors) const {
  const fs::path file = path_ / "checkpoint" / name;
  std::map<std::string, std::string> metadata;
  tensors = load_safetensors(file, &metadata);
  if (metadata.count("crc32") != 0 &&
      metadata["crc32"] != checkpoint_checksum(tensors, metadata["run_state"])) {
    throw InputError(fmt::format(
        "{}: its bytes do not add up to its checksum; it is damaged, start a new run", file.string()));
  }
  try {
    metadata.at("crc32");
    const auto json = nlohmann::json::parse(metadata.at("run_state"));
    RunState state;
    state.step = count_at(json, "step");
    state.seconds = json.at("seconds");
    state.metrics_bytes = static_cast<std::uint64_t>(count_at(json, "metrics_bytes"));
    state.lr = json.at("lr");
    state.plateau = {json.at("plateau_factor"), json.at("plateau_best"), json.at("plateau_best_progress"),
                     json.at("plateau_any")};
    state.budget = budget_state_from(json.at("budget"));
    state.test_loss = json.at("test_loss");
    state.test_accuracy = json.at("test_accuracy");
    if (!(state.seconds >= 0)) throw InputError("negative");
    return state;
  } catch (const std::exception&) {
    throw InputError(
        fmt::format("{}: holds no run state; it is not a checkpoint of glidepath train", file.string()));
  }
}

void RunDirectory::save_model(const TensorMap& tensors, const std::map<std::string, std::string>& metadata) {
  if (writes()) save_safetensors(path_ / "model.safetensors", tensors, metadata);
}

void RunDirectory::save_summary(const nlohmann::ordered_json& summary) {
  if (writes()) write_file_atomically(path_ / "summary.json", summary.dump(2) + "\n");
}

TrainConfig read_run_config(const fs::path& run) {
  const fs::path file = run / "config.toml";
  if (!is_there(file)) {
    throw InputError(fmt::format(
        "{}: no run there (config.toml is missing); give the --out of an earlier run", run.string()));
  }
  return read_train_config(file);
}

}  // namespace glidepath
