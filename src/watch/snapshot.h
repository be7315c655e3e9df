// src/watch/snapshot.h - how far a study is, read from its folder alone while others write it.
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "glidepath/cluster.h"
#include "glidepath/study.h"
#include "report/figures/curves.h"

namespace glidepath {

/// A run that a study has taken up and not ended.
struct WatchedRun {
  RunRecord run;
  double progress = 0;  ///< spent / budget, in [0, 1]
  double seconds = 0;   ///< since it was taken up
  /// Its study has not renewed its claim in time: it was killed, or its machine is gone.
  bool is_abandoned = false;
  std::vector<CurveTable> curves;  ///< so far
};

struct WatchSnapshot {
  StudyResults results;
  std::vector<WatchedRun> running;  ///< in the plan's order
  std::vector<std::size_t> ended;   ///< indices into results.runs, the latest end first
  double seconds_left = 0;          ///< NaN when nothing is known, or nothing runs
  std::size_t count(RunStatus status) const;
  /// No run is left to do.
  bool is_over() const;
  /// What the progress lines of a study show.
  StudyProgress progress() const;
};

/// `now` is in seconds since 1970. Reads only; a study may be running on DIR. Throws InputError when DIR
/// holds no study.
WatchSnapshot take_snapshot(const std::filesystem::path& dir, std::int64_t now);

/// The same as `study status` tells of studies on a cluster: what waits is queued, what nobody works on any
/// more lost.
ClusterStatus local_status(const WatchSnapshot& snapshot);

/// On one line. With `curves`, the running runs' points are in it, at most 200 of each kind.
std::string snapshot_json(const WatchSnapshot& snapshot, bool curves);

}  // namespace glidepath
