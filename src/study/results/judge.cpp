// src/study/results/judge.cpp - paired differences by seed, all pairs of a column together.
#include "study/results/judge.h"

#include <algorithm>
#include <cmath>

namespace glidepath {

double diverged_share(const TableCell& cell) {
  return static_cast<double>(cell.diverged) / static_cast<double>(cell.values.size() + cell.diverged);
}

PairedDifference difference_of(const TableCell& a, const TableCell& b) {
  std::vector<double> of_a, of_b;
  for (std::size_t i = 0; i < a.values.size(); ++i) {
    const auto found = std::find(b.seeds.begin(), b.seeds.end(), a.seeds[i]);
    if (found == b.seeds.end()) continue;
    of_a.push_back(a.values[i]);
    of_b.push_back(b.values[static_cast<std::size_t>(found - b.seeds.begin())]);
  }
  return paired_difference(of_a, of_b);
}

namespace {

constexpr double kAlpha = 0.05;

bool has_ended(const TableCell& cell) { return !cell.values.empty() || cell.diverged > 0; }

/// Means of the same values in another order may differ in their last bit.
double compared_mean(const TableCell& cell) {
  return cell.values.empty() ? 0 : std::round(cell.mean * 1e9) / 1e9;
}

bool is_better(const TableCell& a, const TableCell& b) {
  if (diverged_share(a) != diverged_share(b)) return diverged_share(a) < diverged_share(b);
  return compared_mean(a) > compared_mean(b);
}

struct Pair {
  std::size_t first, second;
  PairedDifference difference;
};

/// Of all rows with as many diverged seeds as the best.
std::vector<Pair> all_pairs(const std::vector<const TableCell*>& column,
                            const std::vector<std::size_t>& rows) {
  std::vector<Pair> pairs;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (std::size_t j = i + 1; j < rows.size(); ++j)
      pairs.push_back({rows[i], rows[j], difference_of(*column[rows[i]], *column[rows[j]])});
  }
  return pairs;
}

/// What is level with this one.
double level_of(const TableCell& best) {
  return best.is_share ? kLevelPoints : std::abs(best.mean) * kLevelPoints / 100;
}

Standing standing_of(const Rival& rival, double level) {
  if (rival.p_value < kAlpha && rival.difference.mean > 0) return Standing::kBehind;
  const double furthest = std::abs(rival.difference.mean) + rival.half_width;
  return furthest <= level ? Standing::kLevel : Standing::kUnsure;
}

Verdict verdict_of(const std::vector<Rival>& rivals) {
  if (rivals.empty()) return Verdict::kAlone;
  bool is_paired = false, is_unsure = false, is_open = false;
  for (const Rival& rival : rivals) {
    is_paired = is_paired || rival.by_divergence || rival.difference.pairs >= 2;
    is_unsure = is_unsure || rival.standing == Standing::kUnsure;
    is_open = is_open || rival.standing != Standing::kBehind;
  }
  if (!is_paired) return Verdict::kOneSeed;
  return !is_open ? Verdict::kClear : is_unsure ? Verdict::kNoisy : Verdict::kLevel;
}

}  // namespace

ColumnVerdict judge(const std::vector<const TableCell*>& column) {
  std::vector<std::size_t> order;
  for (std::size_t row = 0; row < column.size(); ++row) {
    if (has_ended(*column[row])) order.push_back(row);
  }
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return is_better(*column[a], *column[b]); });
  ColumnVerdict found;
  if (order.empty() || column[order.front()]->values.empty()) return found;
  const TableCell& best = *column[order.front()];
  found.best = order.front();
  std::vector<std::size_t> compared;
  std::copy_if(order.begin(), order.end(), std::back_inserter(compared),
               [&](std::size_t row) { return diverged_share(*column[row]) == diverged_share(best); });
  const std::vector<Pair> pairs = all_pairs(column, compared);
  found.pairs = pairs.size();
  std::vector<double> p_values;
  for (const Pair& pair : pairs) p_values.push_back(pair.difference.p_value);
  p_values = holm(p_values);
  for (std::size_t i = 1; i < order.size(); ++i) {
    Rival rival;
    rival.row = order[i];
    rival.by_divergence = i >= compared.size();
    if (rival.by_divergence) {
      rival.difference = difference_of(best, *column[order[i]]);
      rival.standing = Standing::kBehind;
    } else {
      const Pair& pair = pairs[i - 1];  // those of the best are the first
      rival.difference = pair.difference;
      rival.p_value = p_values[i - 1];
      rival.half_width = pair.difference.half_width(kAlpha / static_cast<double>(pairs.size()));
      rival.standing = standing_of(rival, level_of(best));
    }
    found.rivals.push_back(rival);
  }
  found.verdict = verdict_of(found.rivals);
  return found;
}

void negate_scores(StudyTable& table) {
  for (auto& row : table.cells) {
    for (TableCell& cell : row) {
      for (double& value : cell.values) value = -value;
      cell.mean = -cell.mean;
    }
  }
}

std::vector<double> ranks_of(const std::vector<const TableCell*>& column) {
  const auto all = [&](const auto& is_it) {
    return std::all_of(column.begin(), column.end(), [&](const TableCell* cell) { return is_it(*cell); });
  };
  if (!all(has_ended)) return {};
  std::vector<double> result;
  for (const TableCell* cell : column) {
    double better = 0, equal = 0;
    for (const TableCell* other : column) {
      better += is_better(*other, *cell) ? 1 : 0;
      equal += !is_better(*other, *cell) && !is_better(*cell, *other) ? 1 : 0;
    }
    result.push_back(better + (equal + 1) / 2);
  }
  return result;
}

std::vector<const TableCell*> column_of(const StudyTable& table, std::size_t column) {
  std::vector<const TableCell*> cells;
  for (const auto& row : table.cells) cells.push_back(&row[column]);
  return cells;
}

void rank_rows(StudyTable& table) {
  if (table.rows.size() < 2) return;
  std::vector<double> sums(table.rows.size(), 0);
  for (std::size_t column = 0; column < table.columns.size(); ++column) {
    const std::vector<double> ranks = ranks_of(column_of(table, column));
    if (ranks.empty()) continue;
    for (std::size_t row = 0; row < sums.size(); ++row) sums[row] += ranks[row];
    table.ranked_columns += 1;
  }
  if (table.ranked_columns == 0) return;
  for (const double sum : sums) table.average_rank.push_back(sum / static_cast<double>(table.ranked_columns));
}

}  // namespace glidepath
