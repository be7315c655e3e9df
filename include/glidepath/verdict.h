// include/glidepath/verdict.h - what the seeds of a study show of a column's rows, and what they do not.
#pragma once
#include <cstddef>
#include <optional>
#include <vector>

#include "glidepath/statistics.h"

namespace glidepath {

/// Rows that differ by less, in points of a score in percent or, of other scores, in percent of the best, are
/// as good as each other to whoever chooses one.
inline constexpr double kLevelPoints = 1;

/// Of two rows of one column.
enum class Standing {
  kBehind,  ///< shown to be behind, or with more diverged seeds
  kLevel,   ///< not shown, and surely less than kLevelPoints apart
  kUnsure   ///< not shown, and maybe more: too noisy to tell
};

/// A row beside the best of its column.
struct Rival {
  std::size_t row = 0;
  /// By how much this row is worse than the best (negative: better), over the seeds that both have: these
  /// share initial weights and the order of data.
  PairedDifference difference;
  double p_value = 1;     ///< Holm's, over all pairs of rows of the column
  double half_width = 0;  ///< of the difference's interval; those of all pairs hold together at 95 %
  bool by_divergence = false;
  Standing standing = Standing::kUnsure;
};

enum class Verdict {
  kNoResult,
  kAlone,    ///< one row has a result: nothing to compare with
  kOneSeed,  ///< no row shares two seeds with the best: a lead cannot be told from luck
  kClear,    ///< every other row is shown to be behind
  kLevel,    ///< all that are not shown to be behind are level with the best
  kNoisy     ///< some may be more than kLevelPoints apart: too noisy to tell
};

/// Of one column. A row with more diverged seeds than another is behind it, whatever the others reached;
/// then the mean decides which is the best. Every row that is called behind without divergence is so, in the
/// whole column together, with 95 % (Holm, Scandinavian Journal of Statistics 6 (1979), over all pairs: over
/// the pairs with the best alone it would not hold, as the best is chosen by the same numbers).
struct ColumnVerdict {
  Verdict verdict = Verdict::kNoResult;
  std::optional<std::size_t> best;
  std::vector<Rival> rivals;  ///< every other row that has ended runs, the best of them first
  std::size_t pairs = 0;      ///< of rows that were compared
};

}  // namespace glidepath
