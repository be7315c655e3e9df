// src/study/results/judge.h - the verdict on a column of a table.
#pragma once
#include <vector>

#include "glidepath/table.h"

namespace glidepath {

/// `column`: a cell for each row, of scores of which higher ones are better.
ColumnVerdict judge(const std::vector<const TableCell*>& column);

/// Of two cells, over the seeds that both have.
PairedDifference difference_of(const TableCell& a, const TableCell& b);

/// The share of what has ended; more of it is worse than any mean. NaN where nothing has.
double diverged_share(const TableCell& cell);

/// Turns the sign of all scores: of those that are better lower, and back.
void negate_scores(StudyTable& table);

/// Ranks of a column's rows, 1 for the best; equal ones share the mean of their ranks. Fewer diverged seeds
/// are better than any mean. Empty where a row has neither a value nor a diverged run.
std::vector<double> ranks_of(const std::vector<const TableCell*>& column);

std::vector<const TableCell*> column_of(const StudyTable& table, std::size_t column);

/// Fills in average_rank and ranked_columns.
void rank_rows(StudyTable& table);

}  // namespace glidepath
