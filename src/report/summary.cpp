// src/report/summary.cpp - which schedule to use at which budget, and how sure that is.
#include "report/summary.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace glidepath {
namespace {

ColumnAnswer answer_column(const StudyTable& table, std::size_t column) {
  ColumnAnswer answer;
  answer.column = table.columns[column];
  const ColumnVerdict& verdict = table.verdicts[column];
  answer.verdict = verdict.verdict;
  if (!verdict.best) return answer;
  const TableCell& best = table.cells[*verdict.best][column];
  answer.best = table.rows[*verdict.best];
  answer.mean = best.mean;
  answer.stddev = best.stddev;
  if (verdict.rivals.empty()) return answer;
  const Rival& next = verdict.rivals.front();
  answer.next = table.rows[next.row];
  answer.lead = next.difference.mean;
  answer.half_width = next.half_width;
  for (const Rival& rival : verdict.rivals) {
    if (rival.standing == Standing::kLevel) answer.level.push_back(table.rows[rival.row]);
    if (rival.standing == Standing::kUnsure) answer.unsure.push_back(table.rows[rival.row]);
  }
  return answer;
}

std::string listed(const std::vector<std::string>& words) {
  if (words.size() < 2) return words.empty() ? "" : words.front();
  const std::vector<std::string> first(words.begin(), words.end() - 1);
  return fmt::format("{} and {}", fmt::join(first, ", "), words.back());
}

std::string listed_or_counted(const std::vector<std::string>& rows) {
  constexpr std::size_t kMostNamed = 3;
  return rows.size() > kMostNamed ? fmt::format("{} others", rows.size()) : listed(rows);
}

/// "6 budgets", in the words of the table's columns.
std::string columns_text(const StudyTable& table, std::size_t count) {
  if (table.column_axis == "budget") return fmt::format("{} budget{}", count, count == 1 ? "" : "s");
  if (table.column_axis.empty()) return fmt::format("{} comparison{}", count, count == 1 ? "" : "s");
  return fmt::format("{} value{} of {}", count, count == 1 ? "" : "s", table.column_axis);
}

bool is_behind(const ColumnVerdict& verdict, std::size_t row) {
  return std::any_of(verdict.rivals.begin(), verdict.rivals.end(), [&](const Rival& rival) {
    return rival.row == row && rival.standing == Standing::kBehind;
  });
}

bool has_result(const StudyTable& table, std::size_t row) {
  return std::any_of(table.cells[row].begin(), table.cells[row].end(),
                     [](const TableCell& cell) { return !cell.values.empty(); });
}

/// Rows with a result that are behind in the fewest columns.
std::vector<std::size_t> least_behind(const StudyTable& table) {
  std::vector<std::size_t> rows;
  std::ptrdiff_t least = std::numeric_limits<std::ptrdiff_t>::max();
  for (std::size_t row = 0; row < table.rows.size(); ++row) {
    if (!has_result(table, row)) continue;
    const auto behind = std::count_if(table.verdicts.begin(), table.verdicts.end(),
                                      [&](const ColumnVerdict& verdict) { return is_behind(verdict, row); });
    if (behind < least) rows.clear();
    least = std::min(least, behind);
    if (behind == least) rows.push_back(row);
  }
  return rows;
}

std::string rank_text(const StudyTable& table, const std::vector<std::string>& rows) {
  std::vector<std::string> parts;
  for (const std::string& row : rows) {
    const auto place = std::find(table.rows.begin(), table.rows.end(), row) - table.rows.begin();
    parts.push_back(fmt::format("{} {:.2f}", row, table.average_rank[static_cast<std::size_t>(place)]));
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

std::string no_difference_text(const StudyTable& table, const StudyAnswer& answer) {
  if (!answer.has_pairs)
    return fmt::format("No difference shown: there is one seed each, and a lead cannot be told from luck.");
  const std::string seeds = seeds_text(table);
  return seeds.empty() ? "No difference shown." : fmt::format("No difference shown; {}.", seeds);
}

std::string highest_text(const StudyTable& table, const StudyAnswer& answer) {
  if (table.average_rank.empty()) return "";
  return fmt::format(" The best average rank, which is no proof: {}.", rank_text(table, answer.rows));
}

}  // namespace

std::string seeds_text(const StudyTable& table) {
  if (!table.is_share) return "";  // what difference matters is not known
  constexpr std::size_t kMostSeeds = 30;
  constexpr double kAlpha = 0.05;
  std::vector<double> spreads;
  std::size_t seeds = 0, pairs = 1;
  for (const ColumnVerdict& verdict : table.verdicts) {
    pairs = std::max(pairs, verdict.pairs);
    for (const Rival& rival : verdict.rivals) {
      if (rival.by_divergence || rival.difference.pairs < 2) continue;
      spreads.push_back(rival.difference.stddev);
      seeds = std::max(seeds, rival.difference.pairs);
    }
  }
  if (spreads.empty()) return "";
  const auto middle = spreads.begin() + static_cast<std::ptrdiff_t>(spreads.size() / 2);
  std::nth_element(spreads.begin(), middle, spreads.end());
  if (!(*middle > 0)) return "";
  const double alpha = kAlpha / static_cast<double>(pairs);
  constexpr double kPoints[] = {0.5, 1, 2, 5, 10};
  for (const double points : kPoints) {
    const std::size_t needed = pairs_needed(points, *middle, alpha);
    const std::size_t more = needed > seeds ? needed - seeds : 0;
    if (more > kMostSeeds && points < kPoints[4]) continue;
    if (more == 0) return fmt::format("these seeds would tell a difference of {:g} points", points);
    return fmt::format("{} more seed{} would tell a difference of {:g} point{}", more, more == 1 ? "" : "s",
                       points, points == 1 ? "" : "s");
  }
  return "";
}

StudyAnswer make_answer(const StudyTable& table) {
  StudyAnswer answer;
  for (std::size_t column = 0; column < table.columns.size(); ++column) {
    answer.by_column.push_back(answer_column(table, column));
    answer.columns += answer.by_column.back().best.empty() ? 0 : 1;
    for (const Rival& rival : table.verdicts[column].rivals) {
      answer.shows_difference = answer.shows_difference || rival.standing == Standing::kBehind;
      answer.has_pairs = answer.has_pairs || rival.by_divergence || rival.difference.pairs >= 2;
    }
  }
  if (answer.columns == 0) return answer;
  const std::vector<std::size_t> rows = least_behind(table);
  const auto rank = [&](std::size_t row) { return table.average_rank.empty() ? 0 : table.average_rank[row]; };
  const std::size_t chosen = *std::min_element(
      rows.begin(), rows.end(), [&](std::size_t a, std::size_t b) { return rank(a) < rank(b); });
  for (const std::size_t row : rows)
    (rank(row) == rank(chosen) ? answer.rows : answer.equals).push_back(table.rows[row]);
  for (std::size_t column = 0; column < table.columns.size(); ++column) {
    const ColumnAnswer& here = answer.by_column[column];
    if (is_behind(table.verdicts[column], chosen))
      answer.behind_at.push_back(fmt::format("{} at {}", here.best, here.column));
    if (here.best == table.rows[chosen] && here.verdict == Verdict::kClear)
      answer.clear_at.push_back(here.column);
  }
  return answer;
}

std::string headline(const StudyTable& table, const StudyAnswer& answer) {
  if (answer.rows.empty()) {
    return table.has_losses() ? "Runs without an accuracy: the table shows their losses, lower being better."
                              : "No run has finished yet.";
  }
  if (table.rows.size() < 2) {
    return fmt::format("{} is the only {} here: nothing to choose.", answer.rows.front(),
                       table.row_axis.empty() ? "line" : table.row_axis);
  }
  if (!answer.shows_difference) return no_difference_text(table, answer) + highest_text(table, answer);
  if (answer.rows.size() > 1) {
    return fmt::format(
        "Nothing here tells {} apart: each is shown to be behind at {} of {}, and their average "
        "ranks are equal.",
        listed(answer.rows), answer.behind_at.size(), columns_text(table, answer.columns));
  }
  const std::string& row = answer.rows.front();
  std::string text = answer.behind_at.empty()
                         ? fmt::format("Use {}: nothing is shown to be ahead of it at {}.", row,
                                       columns_text(table, answer.columns))
                         : fmt::format("Use {}: it is shown to be behind at {} of {} only.", row,
                                       answer.behind_at.size(), columns_text(table, answer.columns));
  if (!answer.behind_at.empty()) text += fmt::format(" Ahead of it: {}.", listed(answer.behind_at));
  if (!answer.equals.empty())
    text += fmt::format(" The same is true of {}; its average rank is better.", listed(answer.equals));
  text += answer.clear_at.empty()
              ? " Nowhere are all others shown to be behind it."
              : fmt::format(" All others are shown to be behind it at {}.", listed(answer.clear_at));
  return text;
}

std::string confidence_text(const ColumnAnswer& answer) {
  switch (answer.verdict) {
    case Verdict::kNoResult:
      return "no result yet";
    case Verdict::kAlone:
      return "nothing to compare with";
    case Verdict::kOneSeed:
      return "cannot be told: one seed";
    case Verdict::kClear:
      return "clear";
    case Verdict::kLevel:
      return "level with " + listed_or_counted(answer.level);
    case Verdict::kNoisy:
      return "too noisy to tell from " + listed_or_counted(answer.unsure);
  }
  return "";
}

}  // namespace glidepath
