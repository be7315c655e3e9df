// src/run/checkpoint.cpp - the checkpoints of a run.
#include "run/checkpoint.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "core/words.h"
#include "files/atomic_file.h"
#include "files/json_text.h"
#include "glidepath/error.h"
#include "model/write_safetensors.h"
#include "run/json_count.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

constexpr const char* kStateName = "run_state";
constexpr const char* kBranchName = "branch.safetensors";
constexpr std::string_view kBefore = "step-", kAfter = ".safetensors";

nlohmann::json json_of(const std::vector<MeasureState>& measures) {
  auto list = nlohmann::json::array();
  for (const MeasureState& measure : measures)
    list.push_back({{"done", measure.done}, {"step", measure.step}});
  return list;
}

std::string text_of(const RunState& state) {
  const nlohmann::json json = {{"step", state.step},
                               {"seconds", state.seconds},
                               {"metrics_bytes", state.metrics_bytes},
                               {"last_record", state.last_record},
                               {"evaluations", state.evaluations},
                               {"evaluated_step", state.evaluated_step},
                               {"measures", json_of(state.measures)},
                               {"trained", state.trained},
                               {"lr", state.lr},
                               {"plateau_factor", state.plateau.factor},
                               {"plateau_best", state.plateau.best},
                               {"plateau_best_progress", state.plateau.best_progress},
                               {"plateau_any", state.plateau.any},
                               {"budget", to_json(state.budget)},
                               {"test_loss", state.test_loss},
                               {"test_accuracy", state.test_accuracy},
                               {"flops", state.flops},
                               {"corrupt_train", state.corrupt_train},
                               {"corrupt_test", state.corrupt_test},
                               {"rewinds", state.rewinds},
                               {"rewind_step", state.rewind_step},
                               {"data", state.data ? to_json(*state.data) : nlohmann::json()}};
  return json_text(json);
}

// JSON has no NaN: a loss that is not finite was written as null.
double number(const nlohmann::json& value) {
  return value.is_null() ? std::numeric_limits<double>::quiet_NaN() : value.get<double>();
}

// -1 stands for none.
std::int64_t count_or_none_at(const nlohmann::json& json, const char* key) {
  return json.at(key) == -1 ? -1 : count_at(json, key);
}

RunState state_in(const nlohmann::json& json) {
  RunState state;
  state.step = count_at(json, "step");
  state.seconds = json.at("seconds");
  state.metrics_bytes = static_cast<std::uint64_t>(count_at(json, "metrics_bytes"));
  state.last_record = count_at(json, "last_record");
  state.evaluations = count_at(json, "evaluations");
  state.evaluated_step = count_or_none_at(json, "evaluated_step");
  // Checkpoints of the first version have none.
  for (const auto& measure : json.value("measures", nlohmann::json::array()))
    state.measures.push_back({count_at(measure, "done"), count_or_none_at(measure, "step")});
  state.trained = json.at("trained");
  state.lr = json.at("lr");
  state.plateau = {json.at("plateau_factor"), json.at("plateau_best"), json.at("plateau_best_progress"),
                   json.at("plateau_any")};
  state.budget = budget_state_from(json.at("budget"));
  state.test_loss = number(json.at("test_loss"));
  state.test_accuracy = json.at("test_accuracy");
  state.flops = json.value("flops", 0.0);  // older ones have none, nor these:
  state.corrupt_train = json.value("corrupt_train", std::vector<std::int64_t>());
  state.corrupt_test = json.value("corrupt_test", std::vector<std::int64_t>());
  state.rewinds = count_at(json, "rewinds");
  state.rewind_step = count_or_none_at(json, "rewind_step");
  state.data = data_record_from(json.value("data", nlohmann::json()));
  if (state.last_record > state.step || !(state.seconds >= 0)) throw InputError("negative");
  return state;
}

/// The step in a checkpoint's name, or -1 for another file.
std::int64_t step_in(const std::string& name) {
  if (name.size() <= kBefore.size() + kAfter.size() || name.compare(0, kBefore.size(), kBefore) != 0 ||
      name.compare(name.size() - kAfter.size(), kAfter.size(), kAfter) != 0) {
    return -1;
  }
  const std::size_t digits = name.size() - kBefore.size() - kAfter.size();
  return words::count(name.substr(kBefore.size(), digits)).value_or(-1);
}

std::string name_of(std::int64_t step) { return fmt::format("{}{:09}{}", kBefore, step, kAfter); }

}  // namespace

std::string run_state_text(const RunState& state) { return text_of(state); }

RunState run_state_from(const std::string& text) {
  try {
    return state_in(nlohmann::json::parse(text));
  } catch (const std::exception&) {
    throw InputError("holds no run state; it is not a checkpoint of glidepath train");
  }
}

RunState read_checkpoint(const fs::path& file, TensorMap& tensors, std::uint64_t most_bytes) {
  std::map<std::string, std::string> metadata;
  tensors = load_safetensors(file, &metadata, Checksum::kSha256, most_bytes);
  try {
    return run_state_from(metadata[kStateName]);
  } catch (const InputError& problem) {
    throw InputError(fmt::format("{}: {}", file.string(), problem.what()));
  }
}

CheckpointFolder::CheckpointFolder(fs::path folder, std::int64_t keep,
                                   std::function<void(const std::string&)> on_warning)
    : folder_(std::move(folder)), keep_(keep), on_warning_(std::move(on_warning)) {}

std::vector<std::int64_t> CheckpointFolder::steps() const {
  std::vector<std::int64_t> steps;
  const auto folder = find();
  for (const std::string& name : folder ? folder->names() : std::vector<std::string>()) {
    const std::int64_t step = step_in(name);
    if (step >= 0) steps.push_back(step);
  }
  std::sort(steps.rbegin(), steps.rend());
  return steps;
}

fs::path CheckpointFolder::file(std::int64_t step) const { return folder_ / name_of(step); }

// The run's folder is a path that the user gave; the one inside is ours.
std::optional<Folder> CheckpointFolder::find() const {
  const auto run = Folder::try_open(folder_.parent_path());
  return run ? run->find_inside(folder_.filename().string()) : std::nullopt;
}

void CheckpointFolder::write(const std::string& name, const TensorMap& tensors, const RunState& state) const {
  const Folder folder = Folder::open(folder_.parent_path()).make_inside(folder_.filename().string());
  AtomicFile out(folder, name);
  write_safetensors(out, folder.path() / name, tensors, {{kStateName, text_of(state)}}, Checksum::kSha256);
}

void CheckpointFolder::save(const TensorMap& tensors, const RunState& state) const {
  write(name_of(state.step), tensors, state);
  prune(state);
}

void CheckpointFolder::save_and_drop_later(const TensorMap& tensors, const RunState& state) const {
  write(name_of(state.step), tensors, state);
  remove_after(state.step);
  prune(state);
}

void CheckpointFolder::save_branch(const TensorMap& tensors, const RunState& state) const {
  write(kBranchName, tensors, state);
}

std::optional<RunState> CheckpointFolder::load_branch(TensorMap& tensors) const {
  std::error_code error;  // a file that cannot be looked up is none
  if (!fs::exists(branch_file(), error)) return std::nullopt;
  try {
    return read_checkpoint(branch_file(), tensors, most_bytes_);
  } catch (const InputError& problem) {
    tell(fmt::format("{}; going on without it", problem.what()));
    return std::nullopt;
  }
}

void CheckpointFolder::tell(const std::string& warning) const {
  if (on_warning_) on_warning_(warning);
}

// What cannot be deleted does no harm, so errors are let go.
void CheckpointFolder::prune(const RunState& state) const {
  const auto folder = find();
  if (!folder) return;
  std::int64_t kept = 0;
  for (const std::int64_t step : steps()) {
    if (++kept > keep_ && step != state.rewind_step) folder->remove(name_of(step));
  }
  // Left by a session that was killed while it wrote.
  for (const std::string& name : folder->names()) {
    if (fs::path(name).extension() == ".part") folder->remove(name);
  }
}

std::optional<RunState> CheckpointFolder::load(TensorMap& tensors, std::int64_t up_to) const {
  std::vector<std::pair<fs::path, std::string>> damaged;  // and what is wrong with it
  for (const std::int64_t step : steps()) {
    if (step > up_to) continue;
    try {
      RunState state = read_checkpoint(file(step), tensors, most_bytes_);
      if (state.step != step) {
        throw InputError(fmt::format("{}: is of update {}; it was renamed", file(step).string(), state.step));
      }
      for (const auto& [path, problem] : damaged) {
        tell(fmt::format("{}; going on from the checkpoint before it", problem));
        put_aside(path);
      }
      return state;
    } catch (const Error& problem) {
      damaged.emplace_back(file(step), problem.what());
    }
  }
  if (damaged.empty()) return std::nullopt;
  throw InputError(fmt::format("{}: none of its checkpoints can be read ({}); start a new run",
                               folder_.parent_path().string(), damaged.front().second));
}

// Out of the way, or it would count as the newest one again.
void CheckpointFolder::put_aside(const fs::path& damaged) const {
  const std::string name = damaged.filename().string();
  try {
    if (const auto folder = find()) folder->rename(name, *folder, name + ".damaged");
  } catch (const RunError&) {  // a disk that may not be written
  }
}

void CheckpointFolder::remove_after(std::int64_t step) const {
  const auto folder = find();
  if (!folder) return;
  for (const std::int64_t later : steps()) {
    if (later > step) folder->remove(name_of(later));
  }
  folder->flush();
}

}  // namespace glidepath
