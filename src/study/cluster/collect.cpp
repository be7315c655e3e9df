// src/study/cluster/collect.cpp - what the tasks of a study wrote, merged into a study store.
#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include <fmt/format.h>

#include "files/atomic_file.h"
#include "files/output_folder.h"
#include "glidepath/cluster.h"
#include "glidepath/error.h"
#include "study/cluster/folder.h"
#include "study/store/run_files.h"
#include "study/store/store.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

/// A folder on this machine's own disk.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (fs::temp_directory_path() / "glidepath-collect-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr)
      throw RunError(fmt::format("{}: cannot make a folder: {}", fs::temp_directory_path().string(),
                                 std::strerror(errno)));
    path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

/// True if the run has ended, with what came of it in `run`.
bool read_ended(RunRecord& run, const std::optional<TaskNote>& state) {
  if (holds_run(run.directory, run.id) && read_result(run)) {
    // A task's own word goes first: a run may fail after it wrote its summary.
    if (!state || state->state != "failed") return true;
  }
  if (!state || state->state != "failed") return false;
  RunRecord failed;
  failed.id = run.id;
  failed.status = RunStatus::kFailed;
  failed.error = state->error;
  failed.directory = run.directory;
  run = failed;
  return true;
}

void collect_run(const ClusterFolder& folder, const std::string& id, StudyStore& store) {
  const auto state = folder.read_state(id);
  RunRecord run;
  run.id = id;
  run.directory = folder.run_directory(id);
  if (!read_ended(run, state)) return store.reset_unfinished(id);
  run.attempts = state ? std::max<std::int64_t>(1, state->attempts) : 1;
  const std::string started = state ? state->started_at : "", finished = state ? state->changed_at : "";
  store.put(run, started, finished, read_metrics(run.directory), read_measure_lines(run.directory));
}

}  // namespace

StudyResults collect_study(const fs::path& dir, const fs::path& out) {
  const ClusterFolder folder(dir);
  ClusterFolder::Plan plan = folder.read_plan();
  for (const std::string& id : plan.ids) plan.plan.runs.push_back(folder.read_config(id));
  const fs::path target = out.empty() ? dir : out;
  make_output_folder(target);

  const TemporaryFolder local;
  std::error_code ignored;
  if (fs::exists(store_file(target), ignored))  // runs of other plans stay in it
    copy_whole(store_file(target), store_file(local.path()));
  {
    StudyStore store(local.path());
    store.save_plan(plan.plan, plan.ids);
    for (const std::string& id : plan.ids) collect_run(folder, id, store);
  }
  copy_whole(store_file(local.path()), store_file(target), Writers::kSeveral);
  StudyResults results = read_study_results(local.path());
  for (RunRecord& run : results.runs) run.directory = folder.run_directory(run.id);
  return results;
}

}  // namespace glidepath
