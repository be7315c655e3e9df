// src/run/checkpoint.cpp - the checkpoints of a run.
#include "run/checkpoint.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "core/words.h"
#include "files/atomic_file.h"
#include "glidepath/error.h"
#include "model/write_safetensors.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

constexpr const char* kStateName = "run_state";
constexpr const char* kBranchName = "branch.safetensors";
constexpr std::string_view kBefore = "step-", kAfter = ".safetensors";

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

StateMap read_checkpoint(const fs::path& file, TensorMap& tensors, std::uint64_t most_bytes,
                         const StateCheck& check) {
  std::map<std::string, std::string> metadata;
  tensors = load_safetensors(file, &metadata, Checksum::kSha256, most_bytes);
  try {
    StateMap state = StateMap::parse(metadata[kStateName]);
    state.get<CheckpointPlace>();
    if (check) check(state);
    return state;
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

void CheckpointFolder::write(const std::string& name, const TensorMap& tensors, const StateMap& state) const {
  const Folder folder = Folder::open(folder_.parent_path()).make_inside(folder_.filename().string());
  AtomicFile out(folder, name);
  write_safetensors(out, folder.path() / name, tensors, {{kStateName, state.text()}}, Checksum::kSha256);
}

void CheckpointFolder::save(const TensorMap& tensors, const StateMap& state) const {
  const auto place = state.get<CheckpointPlace>();
  write(name_of(place.step), tensors, state);
  prune(place.rewind_step);
}

void CheckpointFolder::save_and_drop_later(const TensorMap& tensors, const StateMap& state) const {
  const auto place = state.get<CheckpointPlace>();
  write(name_of(place.step), tensors, state);
  remove_after(place.step);
  prune(place.rewind_step);
}

void CheckpointFolder::save_branch(const TensorMap& tensors, const StateMap& state) const {
  write(kBranchName, tensors, state);
}

std::optional<StateMap> CheckpointFolder::load_branch(TensorMap& tensors) const {
  std::error_code error;  // a file that cannot be looked up is none
  if (!fs::exists(branch_file(), error)) return std::nullopt;
  try {
    return read_checkpoint(branch_file(), tensors, most_bytes_, check_);
  } catch (const InputError& problem) {
    tell(fmt::format("{}; going on without it", problem.what()));
    return std::nullopt;
  }
}

void CheckpointFolder::tell(const std::string& warning) const {
  if (on_warning_) on_warning_(warning);
}

// What cannot be deleted does no harm, so errors are let go.
void CheckpointFolder::prune(std::int64_t rewind_step) const {
  const auto folder = find();
  if (!folder) return;
  std::int64_t kept = 0;
  for (const std::int64_t step : steps()) {
    if (++kept > keep_ && step != rewind_step) folder->remove(name_of(step));
  }
  // Left by a session that was killed while it wrote.
  for (const std::string& name : folder->names()) {
    if (fs::path(name).extension() == ".part") folder->remove(name);
  }
}

std::optional<StateMap> CheckpointFolder::load(TensorMap& tensors, std::int64_t up_to) const {
  std::vector<std::pair<fs::path, std::string>> damaged;  // and what is wrong with it
  for (const std::int64_t step : steps()) {
    if (step > up_to) continue;
    try {
      StateMap state = read_checkpoint(file(step), tensors, most_bytes_, check_);
      const std::int64_t is_of = state.get<CheckpointPlace>().step;
      if (is_of != step)
        throw InputError(fmt::format("{}: is of update {}; it was renamed", file(step).string(), is_of));
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
