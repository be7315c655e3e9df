// src/study/results/ranking.cpp - the values of one axis in the order of what they reach, and how sure that
// is.
#include "study/results/ranking.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/safe_text.h"
#include "core/student_t.h"
#include "core/words.h"
#include "glidepath/error.h"
#include "study/results/budget_curves.h"
#include "study/results/judge.h"
#include "study/results/prospect.h"

namespace glidepath {
namespace {

constexpr double kLevel = 0.05, kPower = 0.8;
constexpr double kLeastShare = 0.05;  // of the target: orders at smaller budgets say little
constexpr double kAssumedNoise = 0.015, kAssumedPoints = 0.3;

bool is_ended(const TableCell& cell) { return !cell.values.empty() || cell.diverged > 0; }

bool has_budgets(const StudyResults& results) {
  return std::find(results.axes.begin(), results.axes.end(), "budget") != results.axes.end();
}

/// The same with scores of which higher ones are better.
StudyTable judged(StudyTable table) {
  if (!table.higher_is_better) negate_scores(table);
  return table;
}

/// One table at one of its columns.
class Ranker {
 public:
  Ranker(const StudyResults& results, const StudyTable& table, const RankOptions& options)
      : results_(results), table_(table), judged_(judged(table)), options_(options) {
    made_.title = table.caption;
    made_.row_axis = table.row_axis;
    made_.score = score_title(results);
  }

  Ranking at_column(std::size_t column) {
    column_ = column;
    compare();
    prospects_.assign(made_.rows.size(), std::nullopt);
    fill_beats();
    tell_next();
    return made_;
  }

  /// At the largest budget that all have.
  Ranking at_budget() {
    const std::size_t column = shared_column();
    made_.budget = table_.columns[column];
    const Budget budget = parse_budget(made_.budget);
    target_ = target_for(budget);
    made_.target = budget_text(target_->amount, unit_of(*target_));
    if (budget.amount < kLeastShare * target_->amount) {
      throw InputError(
          fmt::format("the largest budget that all rows have, {}, is below 5 % of {}: an order there says "
                      "little of one here; run larger ones, or give a nearer budget with --at",
                      made_.budget, made_.target));
    }
    column_ = column;
    compare();
    find_target_column();
    for (std::size_t i = 0; i < made_.rows.size(); ++i)
      prospects_.push_back(prospect_at_target(order_[i], budget.amount < target_->amount));
    fill_beats();
    tell_next();
    if (budget.amount < target_->amount) tell_target();
    return made_;
  }

 private:
  const TableCell& cell(std::size_t row) const { return judged_.cells[row][column_]; }

  std::size_t shared_column() {
    std::vector<std::size_t> rows;
    for (std::size_t row = 0; row < table_.rows.size(); ++row) {
      if (std::any_of(table_.cells[row].begin(), table_.cells[row].end(), is_ended)) rows.push_back(row);
    }
    std::optional<std::size_t> found;
    double largest = 0;
    for (std::size_t column = 0; column < table_.columns.size(); ++column) {
      const auto has = [&](std::size_t row) { return is_ended(table_.cells[row][column]); };
      const auto count = std::count_if(rows.begin(), rows.end(), has);
      const Budget budget = parse_budget(table_.columns[column]);
      if (unit_of(budget) != unit_of(parse_budget(table_.columns.front())))
        throw InputError(
            fmt::format("budgets {} and {} are in different units; an order takes budgets of one",
                        table_.columns.front(), table_.columns[column]));
      if (count == 0) continue;
      if (static_cast<std::size_t>(count) < rows.size()) {
        made_.warnings.push_back(fmt::format("{} is left out: {} of {} rows have runs there",
                                             table_.columns[column], count, rows.size()));
      } else if (budget.amount > largest) {
        largest = budget.amount;
        found = column;
      }
    }
    if (found) return *found;
    throw InputError(rows.empty() ? "no run has ended yet"
                                  : "there is no budget of which all rows have a run that has ended");
  }

  Budget target_for(const Budget& budget) const {
    const std::string unit = unit_of(budget);
    if (!options_.at.empty()) {
      const Budget at = parse_budget(options_.at);
      if (unit_of(at) != unit || at.amount < budget.amount)
        throw InputError(
            fmt::format("--at \"{}\": must be a budget in \"{}\" from {} on, the largest that all rows have",
                        options_.at, unit, made_.budget));
      return at;
    }
    if (unit == "%") return {budget.unit, std::max(100.0, budget.amount)};
    const Budget full = parse_budget(results_.runs.front().config.full);
    return unit_of(full) == unit && full.amount > budget.amount ? full : budget;
  }

  /// Rows in their order, all pairs of them, and what is told apart.
  void compare() {
    const ColumnVerdict verdict = judge(column_of(judged_, column_));
    if (!verdict.best) {
      throw InputError("its runs have no score, and without one there is no order");
    }
    made_.column = column_;
    order_ = {*verdict.best};
    for (const Rival& rival : verdict.rivals) order_.push_back(rival.row);
    std::vector<double> p_values;
    for (std::size_t i = 0; i < order_.size(); ++i) {
      made_.rows.push_back(
          {table_.row_labels[order_[i]], order_[i], table_.cells[order_[i]][column_], "", 1, 1});
      for (std::size_t j = i + 1; j < order_.size(); ++j) {
        RankedPair pair{i, j, difference_of(cell(order_[i]), cell(order_[j])), 1, false};
        pair.is_told = diverged_share(cell(order_[i])) < diverged_share(cell(order_[j]));
        if (!pair.is_told) p_values.push_back(pair.difference.p_value);
        made_.pairs.push_back(pair);
      }
    }
    compared_ = p_values.size();
    p_values = holm(p_values);
    auto p_value = p_values.begin();
    for (RankedPair& pair : made_.pairs) {
      if (pair.is_told) continue;
      pair.p_value = *p_value++;
      pair.is_told = pair.p_value < kLevel && pair.difference.mean > 0;
      made_.open_pairs += pair.is_told ? 0 : 1;
    }
    give_ranks();
    give_groups();
    warn();
  }

  bool is_told(std::size_t a, std::size_t b) const {
    const auto found = std::find_if(made_.pairs.begin(), made_.pairs.end(), [&](const RankedPair& pair) {
      return pair.ahead == std::min(a, b) && pair.behind == std::max(a, b);
    });
    return found != made_.pairs.end() && found->is_told;
  }

  void give_ranks() {
    for (RankedRow& row : made_.rows) row.worst = made_.rows.size();
    for (const RankedPair& pair : made_.pairs) {
      if (!pair.is_told) continue;
      made_.rows[pair.behind].best += 1;
      made_.rows[pair.ahead].worst -= 1;
    }
  }

  /// Every longest stretch of rows of which no two are told apart has a letter.
  void give_groups() {
    std::size_t covered = 0, letter = 0;
    for (std::size_t first = 0; first < made_.rows.size(); ++first) {
      std::size_t end = first + 1;
      const auto joins = [&](std::size_t row) {
        for (std::size_t other = first; other < row; ++other) {
          if (is_told(other, row)) return false;
        }
        return true;
      };
      while (end < made_.rows.size() && joins(end)) ++end;
      if (end <= covered) continue;
      covered = end;
      constexpr std::size_t kLetters = 26;
      const std::string name(letter / kLetters + 1, static_cast<char>('a' + letter % kLetters));
      for (std::size_t row = first; row < end; ++row)
        made_.rows[row].groups += (made_.rows[row].groups.empty() || name.size() == 1 ? "" : " ") + name;
      ++letter;
    }
  }

  void warn() {
    std::size_t pending = 0, diverged = 0, paired = 0;
    for (const RankedRow& row : made_.rows) {
      pending += row.cell.planned - row.cell.values.size() - row.cell.diverged;
      diverged += row.cell.diverged;
    }
    for (const RankedPair& pair : made_.pairs) paired += pair.difference.pairs >= 2 ? 1 : 0;
    if (made_.rows.size() < table_.rows.size())
      made_.warnings.push_back(fmt::format("{} of {} rows have no result and are left out",
                                           table_.rows.size() - made_.rows.size(), table_.rows.size()));
    if (paired == 0 && made_.rows.size() > 1)
      made_.warnings.emplace_back(
          "one seed: a lead cannot be told from luck, and P is of assumed noise; two seeds are needed");
    if (pending > 0)
      made_.warnings.push_back(
          fmt::format("{} runs are not in yet, or failed; this is of the others", pending));
    if (diverged > 0)
      made_.warnings.push_back(fmt::format(
          "{} runs diverged: rows with more of them are behind, whatever the others reached", diverged));
  }

  /// Where some rows have runs of the target itself.
  void find_target_column() {
    for (std::size_t column = 0; column < table_.columns.size(); ++column) {
      if (parse_budget(table_.columns[column]).amount == target_->amount) target_column_ = column;
    }
  }

  /// What a row would reach at the target: its forecast, where it has one.
  std::optional<Prospect> prospect_at_target(std::size_t row, bool is_beyond) {
    if (!is_beyond) return std::nullopt;
    const StudyCurve curve = study_curve(results_, table_, row, options_.chance);
    costs_.push_back(curve.costs);
    try {
      return prospect_of(curve.curve, target_->amount);
    } catch (const InputError& error) {
      made_.warnings.push_back(fmt::format("{}: no forecast, and P is of what is measured: {}",
                                           table_.row_labels[row], error.what()));
      return std::nullopt;
    }
  }

  double probability(std::size_t i, std::size_t j) const {
    const TableCell &a = cell(order_[i]), &b = cell(order_[j]);
    if (diverged_share(a) != diverged_share(b)) return diverged_share(a) < diverged_share(b) ? 1 : 0;
    if (a.values.empty() || b.values.empty()) return 0.5;
    if (target_column_) {
      const PairedDifference there =
          difference_of(judged_.cells[order_[i]][*target_column_], judged_.cells[order_[j]][*target_column_]);
      if (there.pairs >= 2) return paired_odds(there);
    }
    const PairedDifference difference = difference_of(a, b);
    if (prospects_[i] && prospects_[j]) return odds_of(*prospects_[i], *prospects_[j], difference.pairs);
    if (difference.pairs >= 2) return paired_odds(difference);
    const auto assumed = [](const TableCell& one) {
      const double noise = one.is_share ? std::max(kAssumedNoise * (100 - std::abs(one.mean)), kAssumedPoints)
                                        : kAssumedNoise * std::abs(one.mean);
      return noise / std::sqrt(static_cast<double>(one.values.size()));
    };
    return odds_of({a.mean, assumed(a)}, {b.mean, assumed(b)}, difference.pairs);
  }

  void fill_beats() {
    const std::size_t count = made_.rows.size();
    made_.beats.assign(count, std::vector<double>(count, 0.5));
    for (std::size_t i = 0; i < count; ++i) {
      for (std::size_t j = i + 1; j < count; ++j) {
        made_.beats[i][j] = probability(i, j);
        made_.beats[j][i] = 1 - made_.beats[i][j];
      }
    }
  }

  /// Of a run of this row here; 0 where none says.
  double seconds_of(std::size_t row) const {
    std::vector<double> seconds;
    for (const std::size_t place : cell(row).finished) {
      if (results_.runs[place].seconds > 0) seconds.push_back(results_.runs[place].seconds);
    }
    return seconds.empty() ? 0 : mean(seconds);
  }

  void tell_next() {
    for (const std::size_t row : order_) {
      made_.one_seed.runs += 1;
      made_.one_seed.seconds += seconds_of(row);
    }
    const double threshold = kLevel / static_cast<double>(std::max<std::size_t>(compared_, 1));
    for (const RankedPair& pair : made_.pairs) {
      const PairedDifference& known = pair.difference;
      if (pair.is_told || known.pairs < 2 || !(known.stddev > 0)) continue;
      const auto n = static_cast<double>(known.pairs + 1);
      const double p = student_t_two_sided(known.mean / (known.stddev / std::sqrt(n)), n - 1);
      made_.decided_by_seed += p < threshold ? 1 : 0;
    }
    if (made_.pairs.empty()) return;
    const RankedPair& first = made_.pairs.front();
    const PairedDifference& known = first.difference;
    if (first.is_told || known.pairs < 2 || !(known.mean > 0) || !(known.stddev > 0)) return;
    made_.seeds_for_first =
        std::max(known.pairs + 1, pairs_needed(known.mean, known.stddev, threshold, kPower));
    made_.for_first.runs = 2 * (made_.seeds_for_first - known.pairs);
    made_.for_first.seconds = static_cast<double>(made_.seeds_for_first - known.pairs) *
                              (seconds_of(order_[0]) + seconds_of(order_[1]));
  }

  void tell_target() {
    for (std::size_t i = 0; i < order_.size(); ++i) {
      const std::size_t seeds = cell(order_[i]).planned;
      made_.at_target.runs += seeds;
      made_.at_target.seconds += static_cast<double>(seeds) * costs_[i].of(target_->amount).seconds;
    }
  }

  const StudyResults& results_;
  const StudyTable& table_;
  const StudyTable judged_;
  const RankOptions& options_;
  std::optional<Budget> target_;
  std::optional<std::size_t> target_column_;
  std::size_t column_ = 0, compared_ = 0;           // pairs that Holm's method is of
  std::vector<std::size_t> order_;                  // rows of the table
  std::vector<std::optional<Prospect>> prospects_;  // likewise
  std::vector<CostLaw> costs_;                      // likewise, where there is a target beyond
  Ranking made_;
};

}  // namespace

std::vector<StudyTable> ranked_tables(const StudyResults& results, const RankOptions& options) {
  TableOptions chosen = results.table;
  if (!options.rows.empty()) chosen.rows = options.rows;
  if (chosen.rows == "budget" || chosen.rows == "seed")
    throw InputError(
        fmt::format("--rows \"{}\": is what rows are compared over; give another axis", chosen.rows));
  if (has_budgets(results)) {
    chosen.columns = "budget";
  } else if (chosen.columns == chosen.rows) {
    chosen.columns.clear();
  }
  return make_tables(results, chosen);
}

std::vector<Ranking> rank_study(const StudyResults& results, const RankOptions& options) {
  const std::vector<StudyTable> tables = ranked_tables(results, options);
  if (!has_budgets(results) && !options.at.empty())
    throw InputError(fmt::format("--at \"{}\": the study's runs have one budget", options.at));
  std::vector<Ranking> rankings;
  for (std::size_t i = 0; i < tables.size(); ++i) {
    const StudyTable& table = tables[i];
    if (has_budgets(results)) {
      rankings.push_back(Ranker(results, table, options).at_budget());
      rankings.back().table = i;
      continue;
    }
    for (std::size_t column = 0; column < table.columns.size(); ++column) {
      Ranking made = Ranker(results, table, options).at_column(column);
      made.table = i;
      if (!table.column_axis.empty()) {
        made.title +=
            fmt::format("{}{} {}", made.title.empty() ? "" : ", ", table.column_axis, table.columns[column]);
      }
      rankings.push_back(std::move(made));
    }
  }
  if (rankings.empty()) throw InputError("the study has no runs");
  return rankings;
}

}  // namespace glidepath
