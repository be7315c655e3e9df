// src/study/execute/run_process.cpp - a run as a process of its own: started in its folder, and what came of
// it.
#include "study/execute/run_process.h"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

#include <fmt/format.h>

#include "files/atomic_file.h"
#include "glidepath/error.h"
#include "study/execute/own_files.h"
#include "study/store/run_files.h"
#include "system/folder_lock.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

/// The folder that the runs' own are in: STUDY/runs. The study's is a path that the user gave; what is inside
/// is ours.
Folder folder_of_runs(const RunRecord& run) {
  const fs::path runs = run.directory.parent_path();
  return Folder::make(runs.parent_path()).make_inside(runs.filename().string());
}

/// An empty folder with the run's configuration.
Folder prepare(const Folder& runs, const RunRecord& run) {
  const std::string name = run.directory.filename().string();
  runs.remove_all(name);
  const Folder folder = runs.make_inside(name);
  write_file(folder, "config.toml", to_toml(run.config));
  share_model_file(run.config, Folder::make(run.directory.parent_path().parent_path()), folder);
  return folder;
}

std::string why_failed(const fs::path& dir, const ChildEnd& end, const std::string& memory_advice) {
  if (end.signal == SIGKILL) {
    return end.text() + "; when the machine is out of memory, " + memory_advice;
  }
  const std::string message = last_message(dir / "log.txt");
  if (end.signal != 0) return message.empty() ? end.text() : end.text() + ": " + message;
  return message.empty() ? end.text() + " without a message" : message;
}

}  // namespace

StartedRun start_run(const RunRecord& run, const fs::path& program, bool may_resume, int inherited) {
  const fs::path& dir = run.directory;
  const Folder runs = folder_of_runs(run);
  std::optional<Folder> folder = runs.find_inside(dir.filename().string());
  StartedRun started;
  FolderLock::clear(dir);  // the study's own lock says that nobody is at work here
  started.resumed = may_resume && folder && holds_run(dir, run.id) && folder->find_inside("checkpoint");
  std::vector<std::string> arguments = {"train"};
  if (started.resumed) {
    arguments.insert(arguments.end(), {"--resume", dir.string()});
  } else {
    folder = prepare(runs, run);
    arguments.insert(arguments.end(), {"--config", (dir / "config.toml").string(), "--out", dir.string()});
  }
  arguments.insert(arguments.end(), {"--quiet", "--no-progress", "--no-rescue"});
  const int log = folder->open_or_create("log.txt", O_WRONLY | O_APPEND, 0644);
  try {
    started.child = Child(program, arguments, log, inherited);
  } catch (...) {
    ::close(log);
    throw;
  }
  ::close(log);
  return started;
}

bool has_useless_checkpoint(const StartedRun& run, const ChildEnd& end) {
  return run.resumed && end.signal == 0 && end.exit_status == kExitWrongInput;
}

void take_result(RunRecord& run, const ChildEnd& end, const std::string& memory_advice) {
  const bool is_clean = end.signal == 0 && end.exit_status == kExitOk;
  const bool has_result = read_result(run);
  // A result that the run itself calls a failure at its end is none; divergence is told by an exit status
  // of 1.
  if (has_result && (run.status != RunStatus::kDone || end.signal != 0 || is_clean)) return;
  run.status = RunStatus::kFailed;
  run.error =
      is_clean ? "ended well but left no summary.json" : why_failed(run.directory, end, memory_advice);
}

void require_disk(const RunRecord& run, const fs::path& study) {
  if (run.status != RunStatus::kFailed) return;
  for (const int reason : {ENOSPC, EDQUOT, EROFS}) {
    if (run.error.find(std::strerror(reason)) == std::string::npos) continue;
    throw RunError(fmt::format("{}: a run could not write: {}; the same command goes on from here",
                               study.string(), run.error));
  }
}

}  // namespace glidepath
