// src/report/summary.h - which schedule to use at which budget, and how sure that is, in words.
#pragma once
#include <cstddef>
#include <string>
#include <vector>

#include "glidepath/table.h"

namespace glidepath {

/// One column of a table: who leads, and by how much.
struct ColumnAnswer {
  std::string column;           ///< "10%"
  std::string best;             ///< "" when no run has finished
  double mean = 0, stddev = 0;  ///< of the best, percent; stddev NaN for one seed
  std::string next;             ///< the row that comes next; "" when there is none
  double lead = 0;              ///< percentage points between the two, over the seeds that both have
  double half_width = 0;        ///< of the lead's interval (Rival::half_width); infinite for one seed
  Verdict verdict = Verdict::kNoResult;
  std::vector<std::string> level, unsure;  ///< rows that are level with the best; that cannot be told from it
};

struct StudyAnswer {
  /// The rows that are shown to be behind in the fewest columns, and among them those of the best average
  /// rank: one, or several that are equal in both. Empty when no run has finished.
  std::vector<std::string> rows;
  std::vector<std::string> behind_at;  ///< the columns in which they are
  std::vector<std::string> clear_at;   ///< the columns in which the one row is clearly the best
  /// Other rows that are shown to be behind in as few columns: nothing but the average rank tells them apart.
  std::vector<std::string> equals;
  bool shows_difference = false;  ///< some row is shown to be behind in some column
  bool has_pairs = false;         ///< some column has two seeds or more
  std::size_t columns = 0;        ///< with a result
  std::vector<ColumnAnswer> by_column;
};

StudyAnswer make_answer(const StudyTable& table);

/// Two or three plain sentences: "Use linear: no schedule is shown to be ahead of it at any of 6 budgets.
/// ...", or, before it names anything, that no difference was shown and how many more seeds would show one.
std::string headline(const StudyTable& table, const StudyAnswer& answer);

/// "clear", "level with rex and cosine", "too noisy to tell from step-d2".
std::string confidence_text(const ColumnAnswer& answer);

/// How many more seeds would tell which difference, from the spread of the differences so far: "5 more seeds
/// would tell a difference of 1 point"; empty where no column has pairs that spread. Source: pairs_needed(),
/// power 80 %, at 5 % over the pairs of a column.
std::string seeds_text(const StudyTable& table);

}  // namespace glidepath
