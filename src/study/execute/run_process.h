// src/study/execute/run_process.h - a run as a process of its own: started in its folder, and what came of
// it.
#pragma once
#include <filesystem>
#include <string>

#include "glidepath/study.h"
#include "study/execute/child.h"

namespace glidepath {

/// How often a run that something else killed (for its memory, say) is gone on with.
constexpr int kGoesAfterKills = 2;

struct StartedRun {
  Child child;
  bool resumed = false;  ///< goes on from a checkpoint
};

/// Starts `program train` in run.directory: from its checkpoint where there is one and `may_resume`, or else
/// in an emptied folder with the run's configuration. The process keeps the file descriptor `inherited` (-1:
/// none). Throws RunError when the folder or the program cannot be used.
StartedRun start_run(const RunRecord& run, const std::filesystem::path& program, bool may_resume,
                     int inherited = -1);

/// True if the checkpoint that a run was to go on from is of no use: it has to start again.
bool has_useless_checkpoint(const StartedRun& run, const ChildEnd& end);

/// Fills status, error and numbers of a run that has ended: done, diverged or failed. `memory_advice` says
/// what helps one that was killed for its memory.
void take_result(RunRecord& run, const ChildEnd& end, const std::string& memory_advice = "fewer --jobs help");

/// A disk that takes nothing fails one run after the other: throws RunError if that is what `run.error` says.
void require_disk(const RunRecord& run, const std::filesystem::path& study);

}  // namespace glidepath
