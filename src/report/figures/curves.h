// src/report/figures/curves.h - a run's curves as columns, thinned for a page.
#pragma once
#include <string>
#include <vector>

#include "glidepath/study.h"

namespace glidepath {

/// The points of one kind ("train", "eval", or a measure's), column by column. The first two columns are
/// "step" and "progress"; a NaN is a value that is missing.
struct CurveTable {
  std::string kind;
  std::vector<std::string> columns;
  std::vector<std::vector<double>> values;  ///< [column][point], all of one length
  std::size_t points() const { return values.empty() ? 0 : values.front().size(); }
};

/// One table a kind, in order of appearance, without the columns in which every value is missing.
std::vector<CurveTable> curve_tables(const std::vector<CurvePoint>& points);

/// The measures of a run as one table of the kind "measure", a column each.
CurveTable measure_table(const std::vector<MeasurePoint>& points);

/// At most `limit` (>= 4) of the table's own points: the first, the last, and of each equal stretch between
/// them those with the lowest and the highest value of the third column, so that spikes stay.
CurveTable thinned(const CurveTable& table, std::size_t limit);

}  // namespace glidepath
