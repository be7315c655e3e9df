// src/study/results/next_runs.h - which runs would show soonest that the best row of a ranking is the best.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "glidepath/study.h"
#include "study/results/ranking.h"

namespace glidepath {

/// Who leads a ranking, and against whom that is not sure yet.
struct Lead {
  std::size_t row = 0;  ///< place in Ranking::rows: the row whose lowest P against another is the highest
  double odds = 1;      ///< that P; 1 of one row
  /// Places of the rows against which P is lower than asked for, or is told from one seed: assumed noise.
  std::vector<std::size_t> open;
};

/// `until` in (0.5, 1).
Lead lead_of(const Ranking& ranking, double until);

struct NextRuns {
  std::string what;               ///< "seed 4 at 25% of resnet8, resnet20"
  std::vector<TrainConfig> runs;  ///< at least one, none of which has ended
  double seconds = 0;             ///< of all of them, one after the other; 0 where no run says
  double odds = 0;                ///< what the lowest P would be if scores and spreads stay as they are
};

/// Of the leading row and those that are open: one more seed at the largest budget that they have in common,
/// or all seeds at a larger budget, twice as large or one of the study's, up to the target. The one that
/// raises the lowest P most for its time; a second seed before anything else, as P means nothing before. Over
/// several rankings the cheapest of these. None where nothing is open. Throws RunError where a run that it
/// takes has failed.
std::optional<NextRuns> next_runs(const StudyResults& results, const std::vector<Ranking>& rankings,
                                  const RankOptions& options, double until);

}  // namespace glidepath
