// src/forecast/budget_curve.cpp - final scores by budget, as people have them.
#include "glidepath/budget_curve.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "core/csv.h"
#include "core/safe_text.h"
#include "core/words.h"
#include "glidepath/error.h"
#include "glidepath/statistics.h"

namespace glidepath {
namespace {

constexpr double kAssumedShare = 0.015, kAssumedPoints = 0.3;  // noise of one run

struct Row {
  std::size_t line = 0;
  std::string budget_unit, seed;
  double budget = 0, score = 0;
  bool is_percent = false;  // written with a %
  std::optional<double> stddev;
  std::int64_t runs = 1;
};

class CurveReader {
 public:
  CurveReader(const std::string& name, const CurveMeaning& meaning)
      : name_(terminal_text(name)), meaning_(meaning) {}

  BudgetCurve read(const std::string& csv) {
    for (const CsvRow& row : parse_csv(csv, name_)) {
      columns_.empty() ? read_header(row) : rows_.push_back(read_row(row));
    }
    if (rows_.empty()) throw InputError(fmt::format("{}: has no row below its names of columns", name_));
    return made();
  }

 private:
  [[noreturn]] void refuse(std::size_t line, const std::string& why) const {
    throw InputError(fmt::format("{}:{}: {}", name_, line, why));
  }

  void read_header(const CsvRow& header) {
    columns_ = header.fields;
    for (const char* needed : {"budget", "score"}) {
      const auto count = std::count(columns_.begin(), columns_.end(), needed);
      if (count != 1)
        refuse(header.line, fmt::format("{} column named {}; the first line names them, as budget,score,seed",
                                        count == 0 ? "no" : "more than one", needed));
    }
  }

  Row read_row(const CsvRow& given) const {
    const auto& fields = given.fields;
    if (fields.size() != columns_.size())
      refuse(given.line,
             fmt::format("{} fields, where the first line names {} columns", fields.size(), columns_.size()));
    Row row;
    row.line = given.line;
    for (std::size_t i = 0; i < fields.size(); ++i) read_field(row, columns_[i], fields[i]);
    return row;
  }

  void read_field(Row& row, const std::string& column, std::string_view text) const {
    const auto bad = [&](const char* wanted) {
      refuse(row.line, fmt::format("{} \"{}\": {}", column, terminal_text(text), wanted));
    };
    if (column == "budget") {
      if (const auto plain = words::number(text)) {
        if (!(*plain > 0)) bad("must be above 0");
        row.budget = *plain;
        return;
      }
      try {
        const Budget budget = parse_budget(text);
        row.budget = budget.amount;
        row.budget_unit = unit_of(budget);
      } catch (const InputError&) {
        bad("must be a budget, as 5%, 10ep, 500it or 2h, or a number");
      }
    } else if (column == "score") {
      row.is_percent = !text.empty() && text.back() == '%';
      const auto value = words::number(row.is_percent ? text.substr(0, text.size() - 1) : text);
      if (!value) bad("must be a number");
      if (*value < 0 || (!meaning_.is_loss && *value > 100))
        bad(meaning_.is_loss ? "must not be negative" : "must be in [0, 100]");
      row.score = *value;
    } else if (column == "std" && !text.empty()) {
      row.stddev = words::number(text);
      if (!row.stddev || *row.stddev < 0) bad("must be a number, not negative");
    } else if (column == "n" && !text.empty()) {
      const auto count = words::count(text);
      if (!count || *count < 1) bad("must be a whole number from 1");
      row.runs = *count;
    } else if (column == "seed") {
      row.seed = std::string(text);
    }
  }

  /// Accuracies in [0, 1] become percent.
  double scale() const {
    if (meaning_.is_loss) return 1;
    const Row* share = nullptr;
    const Row* percent = nullptr;
    for (const Row& row : rows_) {
      if (row.is_percent || row.score == 0) continue;
      (row.score <= 1 ? share : percent) = &row;
    }
    if (share != nullptr && percent != nullptr) {
      refuse(share->line,
             fmt::format("score {:g} is in [0, 1], and {:g} in line {} is in percent; give all in one of "
                         "them, or write {:g}%",
                         share->score, percent->score, percent->line, share->score));
    }
    return share != nullptr ? 100 : 1;
  }

  BudgetCurve made() {
    const double times = scale();
    std::map<double, std::vector<Row>> budgets;
    for (Row& row : rows_) {
      if (row.budget_unit != rows_.front().budget_unit)
        refuse(row.line, fmt::format("budgets in \"{}\" here and in \"{}\" in line {}; give all in one unit",
                                     row.budget_unit, rows_.front().budget_unit, rows_.front().line));
      if (!row.is_percent) row.score *= times;
      if (row.stddev && !row.is_percent) *row.stddev *= times;
      budgets[row.budget].push_back(row);
    }
    BudgetCurve curve{rows_.front().budget_unit, meaning_.is_loss, meaning_.chance, {}};
    if (!curve.is_loss && !curve.chance) curve.chance = 0;
    for (const auto& [budget, rows] : budgets) curve.scores.push_back(score_of(budget, rows));
    return curve;
  }

  CurveScore score_of(double budget, const std::vector<Row>& rows) const {
    CurveScore score{budget, rows.front().score, rows.front().stddev, rows.front().runs};
    if (rows.size() == 1) return score;
    std::vector<double> values;
    std::set<std::string> seeds;
    for (const Row& row : rows) {
      values.push_back(row.score);
      if (row.runs != 1 || row.stddev)
        refuse(
            row.line,
            "a row of one of several runs of a budget has std or n; give runs, or one row with their mean");
      if (!row.seed.empty() && !seeds.insert(row.seed).second)
        refuse(row.line, fmt::format("seed {} of this budget is there twice", terminal_text(row.seed)));
    }
    score.score = mean(values);
    score.stddev = sample_stddev(values);
    score.runs = static_cast<std::int64_t>(values.size());
    return score;
  }

  std::string name_;
  const CurveMeaning& meaning_;
  std::vector<std::string> columns_;
  std::vector<Row> rows_;
};

/// "2h1m": whole seconds, or above an hour, where it is an estimate, whole minutes.
std::string time_text(double seconds) {
  constexpr double kMinute = 60, kHour = 3600;
  const double step = seconds > kHour && seconds != std::round(seconds) ? kMinute : 1;
  auto left = static_cast<std::int64_t>(std::max(1.0, step * std::round(seconds / step)));
  std::string text;
  for (const auto& [size, name] : {std::pair<std::int64_t, const char*>{3600, "h"}, {60, "m"}, {1, "s"}}) {
    if (left >= size) text += fmt::format("{}{}", left / size, name);
    left %= size;
  }
  return text;
}

}  // namespace

BudgetCurve parse_budget_curve(const std::string& csv, const std::string& name, const CurveMeaning& meaning) {
  return CurveReader(name, meaning).read(csv);
}

CurveErrors errors_of(const BudgetCurve& curve) {
  double squares = 0, freedom = 0;
  for (const CurveScore& score : curve.scores) {
    if (!score.stddev || score.runs < 2) continue;
    const auto degrees = static_cast<double>(score.runs - 1);
    squares += degrees * *score.stddev * *score.stddev;
    freedom += degrees;
  }
  CurveErrors errors;
  if (curve.chance) errors.error_at_chance = 100 - *curve.chance;
  if (freedom > 0) {
    errors.stddev = std::sqrt(squares / freedom);
  } else {
    errors.notes.push_back(curve.is_loss
                               ? "noise assumed: no budget has two runs, so each is taken to be off by 1.5 %"
                               : "noise assumed: no budget has two runs, so each error is taken to be off by "
                                 "1.5 % of it, and 0.3 points at least");
  }
  for (const CurveScore& score : curve.scores) {
    const double error = curve.error_of(score.score);
    if (!(error > 0))
      throw InputError(
          fmt::format("score {:g} at budget {}: no error is left, and of none nothing is foretold",
                      score.score, budget_text(score.budget, curve.unit)));
    const double assumed = std::max(kAssumedShare * error, curve.is_loss ? 0 : kAssumedPoints);
    errors.points.push_back(
        {score.budget, error,
         freedom > 0 ? errors.stddev / std::sqrt(static_cast<double>(score.runs)) : assumed});
  }
  const auto& points = errors.points;
  if (points.size() > 1 && points.back().error > points[points.size() - 2].error)
    errors.notes.push_back("the largest budget did worse than the one before it: a forecast goes by both");
  return errors;
}

std::string unit_of(const Budget& budget) {
  return std::string(words::split_number(to_string(Budget{budget.unit, 1})).second);
}

std::string budget_text(double amount, const std::string& unit) {
  if (unit == "s") return time_text(amount);
  const bool is_whole = unit == "it" || amount >= 1000;
  return unit == "flop" ? fmt::format("{:.3g}{}", amount, unit)
         : is_whole     ? fmt::format("{:.0f}{}", amount, unit)
                        : fmt::format("{:.3g}{}", amount, unit);
}

}  // namespace glidepath
