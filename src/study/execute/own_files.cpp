// src/study/execute/own_files.cpp - the user's own programs that the runs of a study are of.
#include "study/execute/own_files.h"

#include <map>
#include <set>
#include <tuple>
#include <unistd.h>

#include <fmt/format.h>

#include "config/own_programs.h"
#include "files/atomic_file.h"
#include "files/checksum.h"
#include "glidepath/error.h"

namespace glidepath {
namespace {

constexpr const char* kFolder = "models";

struct Program {
  std::string file, hash;
  bool operator<(const Program& other) const {
    return std::tie(file, hash) < std::tie(other.file, other.hash);
  }
};

std::vector<Program> programs_of(const TrainConfig& config) {
  std::vector<Program> programs;
  if (const auto model = model_file(config.model))
    programs.push_back({model->file.string(), config.model_sha256});
  if (!config.plugin.empty()) programs.push_back({config.plugin, config.plugin_sha256});
  return programs;
}

}  // namespace

void share_model_file(const TrainConfig& config, const Folder& study, const Folder& run) {
  const auto model = model_file(config.model);
  if (!model || config.model_sha256.empty()) return;
  try {
    const Folder models = study.make_inside(kFolder);
    const std::string name = config.model_sha256 + "-" + model->kept;
    const std::filesystem::path once = models.path() / name;
    if (!models.has(name)) {
      copy_whole(model->file, once, Writers::kSeveral);
      if (try_sha256_of(once) != config.model_sha256) return models.remove(name);  // the run says so
    }
    ::linkat(models.descriptor(), name.c_str(), run.descriptor(), model->kept.c_str(), 0);
  } catch (const RunError&) {
  }
}

std::vector<std::string> changed_programs(const std::vector<TrainConfig>& plan,
                                          const std::vector<TrainConfig>& left_out) {
  std::map<std::string, std::set<std::string>> now;
  for (const TrainConfig& run : plan) {
    for (const Program& program : programs_of(run)) now[program.file].insert(program.hash);
  }
  std::map<Program, int> before;
  for (const TrainConfig& run : left_out) {
    for (const Program& program : programs_of(run)) {
      const auto found = now.find(program.file);
      if (found != now.end() && found->second.count(program.hash) == 0) ++before[program];
    }
  }
  std::vector<std::string> told;
  for (const auto& [program, runs] : before) {
    told.push_back(fmt::format(
        "{}: its SHA-256 is {}, and {} in {} earlier run{} of this study: those are other runs, and left out",
        program.file, *now.at(program.file).begin(), program.hash.empty() ? "not recorded" : program.hash,
        runs, runs == 1 ? "" : "s"));
  }
  return told;
}

}  // namespace glidepath
