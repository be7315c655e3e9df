// src/report/summary.h - which schedule to use at which budget, and how sure that is, in numbers and words.
#pragma once
#include <cstddef>
#include <string>
#include <vector>

#include "glidepath/table.h"

namespace glidepath {

/// One column of a table: who leads, and by how much.
struct ColumnAnswer {
  std::string column;  ///< "10%"
  std::string best;    ///< the row with the highest mean; "" when no run has finished
  std::size_t seeds = 0;
  double mean = 0, stddev = 0;  ///< of the best, percent; stddev NaN for one seed
  std::string next;             ///< the row with the next highest mean; "" when there is none
  double lead = 0;              ///< percentage points between the two means
  double lead_errors = 0;       ///< the lead in standard errors of the difference; NaN where it has none
  /// The lead's t is beyond Student's two-sided 5 % value for its (Welch's) degrees of freedom.
  bool is_clear = false;
  /// Rows, the best included, whose distance from the best is not clear; of a column without spread (one
  /// seed) all that equal the best.
  std::vector<std::string> level;
};

struct StudyAnswer {
  /// The row that is best or level with the best in most columns; ties go to the better average rank, then
  /// to the table's order. "" when no run has finished.
  std::string row;
  std::size_t level_columns = 0;  ///< columns with a result where it is
  std::size_t columns = 0;        ///< columns with a result
  std::vector<ColumnAnswer> by_column;
};

StudyAnswer make_answer(const StudyTable& table);

/// One or two plain sentences: "Use linear: it leads, or is level with the leader, at 6 of 6 budgets. ...".
std::string headline(const StudyTable& table, const StudyAnswer& answer);

/// "2.1 standard errors ahead: clear" and the like.
std::string confidence_text(const ColumnAnswer& answer);

/// Welch's t of the difference of two means and its degrees of freedom (Welch-Satterthwaite); NaN when either
/// side has fewer than two values. Infinite t for different means without any spread.
struct WelchTest {
  double t = 0, degrees = 0;
};
WelchTest welch(const TableCell& a, const TableCell& b);

/// Student's t: two-sided 5 % critical value, from the published table, between its rows the more cautious.
double critical_t(double degrees);

}  // namespace glidepath
