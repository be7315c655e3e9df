// src/report/summary.cpp - which schedule to use at which budget, and how sure that is.
#include "report/summary.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include <fmt/format.h>

namespace glidepath {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

bool is_level(const TableCell& best, const TableCell& other) {
  const WelchTest test = welch(best, other);
  if (std::isnan(test.t)) return best.mean == other.mean;
  return !(test.t > critical_t(test.degrees));
}

/// Rows with a result in the column, the highest mean first.
std::vector<std::size_t> order_of(const StudyTable& table, std::size_t column) {
  std::vector<std::size_t> order;
  for (std::size_t row = 0; row < table.rows.size(); ++row) {
    if (!table.cells[row][column].values.empty()) order.push_back(row);
  }
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return table.cells[a][column].mean > table.cells[b][column].mean;
  });
  return order;
}

ColumnAnswer answer_column(const StudyTable& table, std::size_t column) {
  ColumnAnswer answer;
  answer.column = table.columns[column];
  const std::vector<std::size_t> order = order_of(table, column);
  if (order.empty()) return answer;
  const TableCell& best = table.cells[order[0]][column];
  answer.best = table.rows[order[0]];
  answer.seeds = best.values.size();
  answer.mean = best.mean;
  answer.stddev = best.stddev;
  answer.lead = answer.lead_errors = kNaN;
  for (const std::size_t row : order) {
    if (row == order[0] || is_level(best, table.cells[row][column])) answer.level.push_back(table.rows[row]);
  }
  if (order.size() < 2) return answer;
  const TableCell& next = table.cells[order[1]][column];
  answer.next = table.rows[order[1]];
  answer.lead = best.mean - next.mean;
  const WelchTest test = welch(best, next);
  answer.lead_errors = test.t;
  answer.is_clear = test.t > critical_t(test.degrees);
  return answer;
}

std::string listed(const std::vector<std::string>& words) {
  if (words.size() < 2) return words.empty() ? "" : words.front();
  const std::vector<std::string> first(words.begin(), words.end() - 1);
  return fmt::format("{} and {}", fmt::join(first, ", "), words.back());
}

/// "at 6 of 6 budgets", in the words of the table's columns.
std::string share(const StudyTable& table, std::size_t some, std::size_t all) {
  const std::string what = table.column_axis == "budget" ? "budget"
                           : table.column_axis.empty()   ? "comparison"
                                                         : "value of " + table.column_axis;
  if (all == 1) return "in the one " + what + " that has results";
  const std::string plural = table.column_axis.empty() || table.column_axis == "budget"
                                 ? what + "s"
                                 : "values of " + table.column_axis;
  return some == all ? fmt::format("at all {} {}", all, plural)
                     : fmt::format("at {} of {} {}", some, all, plural);
}

}  // namespace

WelchTest welch(const TableCell& a, const TableCell& b) {
  if (a.values.size() < 2 || b.values.size() < 2) return {kNaN, kNaN};
  const auto n = static_cast<double>(a.values.size()), m = static_cast<double>(b.values.size());
  const double of_a = a.stddev * a.stddev / n, of_b = b.stddev * b.stddev / m;
  const double difference = a.mean - b.mean, variance = of_a + of_b;
  if (!(variance > 0)) {
    return {difference == 0 ? 0 : std::copysign(std::numeric_limits<double>::infinity(), difference),
            n + m - 2};
  }
  return {difference / std::sqrt(variance),
          variance * variance / (of_a * of_a / (n - 1) + of_b * of_b / (m - 1))};
}

double critical_t(double degrees) {
  // Any table of Student's t, column for two-sided 5 %: degrees of freedom and value.
  struct Row {
    double degrees, value;
  };
  static constexpr std::array<Row, 20> kTable{
      {{1, 12.706}, {2, 4.303},  {3, 3.182},  {4, 2.776},  {5, 2.571},   {6, 2.447},  {7, 2.365},
       {8, 2.306},  {9, 2.262},  {10, 2.228}, {12, 2.179}, {14, 2.145},  {16, 2.120}, {18, 2.101},
       {20, 2.086}, {25, 2.060}, {30, 2.042}, {60, 2.000}, {120, 1.980}, {1e9, 1.960}}};
  double value = std::numeric_limits<double>::infinity();  // fewer degrees than the table has
  for (const Row& row : kTable) {
    if (degrees >= row.degrees) value = row.value;
  }
  return value;
}

StudyAnswer make_answer(const StudyTable& table) {
  StudyAnswer answer;
  for (std::size_t column = 0; column < table.columns.size(); ++column) {
    answer.by_column.push_back(answer_column(table, column));
    answer.columns += answer.by_column.back().best.empty() ? 0 : 1;
  }
  double best_rank = std::numeric_limits<double>::infinity();
  for (std::size_t row = 0; row < table.rows.size(); ++row) {
    std::size_t level = 0;
    for (const ColumnAnswer& column : answer.by_column) {
      level +=
          static_cast<std::size_t>(std::count(column.level.begin(), column.level.end(), table.rows[row]));
    }
    const double rank = table.average_rank.empty() ? 0 : table.average_rank[row];
    if (level > answer.level_columns || (level == answer.level_columns && level > 0 && rank < best_rank)) {
      answer.row = table.rows[row];
      answer.level_columns = level;
      best_rank = rank;
    }
  }
  return answer;
}

std::string headline(const StudyTable& table, const StudyAnswer& answer) {
  if (answer.row.empty()) return "No run has finished yet.";
  if (table.rows.size() < 2) {
    return fmt::format("{} is the only {} here: nothing to choose.", answer.row,
                       table.row_axis.empty() ? "line" : table.row_axis);
  }
  std::string text;
  std::vector<std::string> clear, behind, unsure;
  bool has_spread = false;
  for (const ColumnAnswer& column : answer.by_column) {
    if (column.best.empty()) continue;
    has_spread = has_spread || !std::isnan(column.lead_errors);
    const bool is_level = std::count(column.level.begin(), column.level.end(), answer.row) > 0;
    if (!is_level) behind.push_back(fmt::format("{} at {}", column.best, column.column));
    if (column.best == answer.row && column.is_clear) clear.push_back(column.column);
  }
  if (!has_spread) {
    text = fmt::format(
        "{} has the highest accuracy {}, but each has one seed: this cannot tell a lead from luck.",
        answer.row, share(table, answer.level_columns, answer.columns));
    return text;
  }
  text = fmt::format("Use {}: it is best, or level with the best, {}.", answer.row,
                     share(table, answer.level_columns, answer.columns));
  if (!behind.empty()) text += fmt::format(" Clearly better: {}.", listed(behind));
  if (!clear.empty()) {
    text += fmt::format(" Its lead is clear at {}.", listed(clear));
  } else {
    text += " None of its leads is clear with these seeds.";
  }
  return text;
}

std::string confidence_text(const ColumnAnswer& answer) {
  if (answer.best.empty()) return "no result yet";
  if (answer.next.empty()) return "nothing to compare with";
  if (std::isnan(answer.lead_errors)) return "cannot be told: one seed";
  if (answer.is_clear) return "clear";
  std::vector<std::string> others;
  for (const std::string& row : answer.level) {
    if (row != answer.best) others.push_back(row);
  }
  if (others.size() > 3) return fmt::format("level with {} others", others.size());
  return "level with " + listed(others);
}

}  // namespace glidepath
