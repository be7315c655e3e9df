// src/study/results/ranking.h - the values of one axis in the order of what they reach, and how sure that is.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "glidepath/study.h"
#include "glidepath/table.h"
#include "study/results/budget_curves.h"

namespace glidepath {

struct RankedRow {
  std::string name;
  std::size_t row = 0;              ///< its place in the table
  TableCell cell;                   ///< at the budget that is compared
  std::string groups;               ///< letters: rows that share one cannot be told apart
  std::size_t best = 1, worst = 1;  ///< the ranks it may have: 1 + rows shown ahead of it, and so on
};

/// Two places of Ranking::rows, of which the first is ahead.
struct RankedPair {
  std::size_t ahead = 0, behind = 0;
  PairedDifference difference;  ///< over the seeds that both have; >= 0 but for diverged seeds
  double p_value = 1;           ///< Holm's, over all pairs
  bool is_told = false;         ///< p_value below 0.05, or the one behind has more diverged seeds
};

/// More runs, and what they take; `seconds` is 0 where no run says.
struct MoreRuns {
  std::size_t runs = 0;
  double seconds = 0;
};

struct Ranking {
  std::string title;  ///< the values of the other axes; may be empty
  std::string row_axis;
  std::size_t table = 0, column = 0;  ///< of ranked_tables(): what is compared
  std::string score;                  ///< what is ordered, in words: "test accuracy", "test perplexity"
  std::string budget, target;   ///< where rows are compared, and where they are meant for; "" without budgets
  std::vector<RankedRow> rows;  ///< the best first
  std::vector<RankedPair> pairs;  ///< all of them
  std::vector<std::vector<double>>
      beats;                   ///< P(row i reaches more than row j at `target`); 0.5 on the diagonal
  MoreRuns one_seed;           ///< every row with one more seed at `budget`
  std::size_t open_pairs = 0;  ///< not told apart
  std::size_t decided_by_seed =
      0;  ///< of them, those that it would tell apart if differences stay as they are
  /// Of the first two, where they are not told apart and have two seeds in common: seeds that find their
  /// difference, if it is the true one, with 80 %, and the runs of both that are missing.
  std::size_t seeds_for_first = 0;
  MoreRuns for_first;
  MoreRuns at_target;  ///< every row and seed there; no runs where budget is target
  std::vector<std::string> warnings;
};

struct RankOptions {
  std::string rows;  ///< an axis; empty: as tables have it
  std::string at;  ///< the budget that rows are meant for; empty: the full one, where budgets are in its unit
  ChanceOf chance;
};

/// Tables with the rows that are ordered, and with columns of budgets where the study has an axis of them.
/// Throws InputError for axes that are none.
std::vector<StudyTable> ranked_tables(const StudyResults& results, const RankOptions& options);

/// For each of these tables its order at the largest budget that all rows have runs of; without an axis
/// of budgets one for each column. P is told from the paired differences at the target where rows have two
/// seeds in common there; else from each row's forecast (glidepath/forecast.h), with a correlation of 0.8
/// where they have three in common; else from the paired differences at the budget, or from assumed noise
/// where there is one seed. Throws InputError for axes that are none, rows
/// without accuracies, and where the budget is less than 5 % of the target: orders there say little.
std::vector<Ranking> rank_study(const StudyResults& results, const RankOptions& options);

}  // namespace glidepath
