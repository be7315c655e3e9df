// src/study/results/next_runs.cpp - which runs would show soonest that the best row of a ranking is the best.
#include "study/results/next_runs.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/student_t.h"
#include "glidepath/budget.h"
#include "glidepath/error.h"
#include "study/results/budget_curves.h"
#include "study/results/judge.h"
#include "study/results/prospect.h"

namespace glidepath {
namespace {

constexpr double kNeighbours = 1.3;  // a forecast takes budgets at least so far apart
constexpr double kLarger = 2;        // times the largest budget is the next one

/// P of a mean difference of `pairs` pairs with this spread.
double paired_odds_of(double difference, double stddev, std::size_t pairs) {
  const auto n = static_cast<double>(pairs);
  if (!(stddev > 0)) return difference > 0 ? 1 : 0;
  return student_t_cdf(difference / (stddev / std::sqrt(n)), n - 1);
}

/// The next runs of one ranking.
class Decider {
 public:
  Decider(const StudyResults& results, const StudyTable& table, const Ranking& ranking,
          const RankOptions& options, double until)
      : results_(results),
        table_(table),
        judged_(table),
        ranking_(ranking),
        options_(options),
        until_(until),
        lead_(lead_of(ranking, until)) {
    if (!table.higher_is_better) negate_scores(judged_);
    for (const RunRecord& run : results.runs) statuses_[run.id] = run.status;
    for (std::size_t place = 0; place < ranking.rows.size(); ++place) {
      const bool is_open = std::find(lead_.open.begin(), lead_.open.end(), place) != lead_.open.end();
      // Of rows of which all has diverged more runs would tell nothing.
      if ((is_open || place == lead_.row) && !cell(place, ranking.column).finished.empty())
        contenders_.push_back(place);
    }
    column_ = largest_in_common();
  }

  std::optional<NextRuns> next() const {
    if (contenders_.size() < 2) return std::nullopt;
    NextRuns best = one_more_seed();
    if (!has_two_seeds() || !is_below_target()) return best;
    const NextRuns larger = larger_budget();
    if (!larger.runs.empty() && gain(larger) > gain(best)) best = larger;
    return best;
  }

 private:
  std::size_t row(std::size_t place) const { return ranking_.rows[place].row; }
  const TableCell& cell(std::size_t place, std::size_t column) const {
    return judged_.cells[row(place)][column];
  }
  double amount(std::size_t column) const { return parse_budget(table_.columns[column]).amount; }
  double target() const { return parse_budget(ranking_.target).amount; }
  bool is_below_target() const { return !ranking_.target.empty() && amount(column_) < target(); }

  /// Of the leading row and the open ones, which larger budgets may have been run of alone.
  std::size_t largest_in_common() const {
    std::size_t largest = ranking_.column;
    if (ranking_.target.empty()) return largest;
    for (std::size_t column = 0; column < table_.columns.size(); ++column) {
      const auto has = [&](std::size_t place) { return !cell(place, column).finished.empty(); };
      if (amount(column) > amount(largest) && amount(column) <= target() &&
          std::all_of(contenders_.begin(), contenders_.end(), has))
        largest = column;
    }
    return largest;
  }

  bool has_two_seeds() const {
    return std::all_of(lead_.open.begin(), lead_.open.end(), [&](std::size_t other) {
      return difference_of(cell(lead_.row, column_), cell(other, column_)).pairs >= 2;
    });
  }

  bool has_ended(const TrainConfig& config) const {
    const auto known = statuses_.find(run_id(config));
    if (known == statuses_.end()) return false;
    if (known->second == RunStatus::kFailed)
      throw RunError(fmt::format(
          "run {} failed, and without it nothing more is decided; see glidepath study status", known->first));
    return known->second == RunStatus::kDone || known->second == RunStatus::kDiverged;
  }

  /// Adds those of the contenders' runs that have not ended, with one option of each changed.
  void add_missing(NextRuns& to, const std::function<void(TrainConfig&)>& change,
                   const std::function<double(std::size_t)>& seconds) const {
    for (const std::size_t place : contenders_) {
      TrainConfig config = results_.runs[cell(place, column_).finished.front()].config;
      change(config);
      if (has_ended(config)) continue;
      to.runs.push_back(config);
      to.seconds += seconds(place);
    }
  }

  NextRuns one_more_seed() const {
    std::set<std::int64_t> known;
    for (const RunRecord& run : results_.runs) known.insert(run.config.seed);
    NextRuns made;
    const auto seconds = [&](std::size_t place) { return seconds_here(place); };
    std::int64_t seed = 0;
    for (auto each = known.begin(); made.runs.empty();) {
      seed = each == known.end() ? seed + 1 : *each++;
      add_missing(
          made, [&](TrainConfig& config) { config.seed = seed; }, seconds);
    }
    const std::string where = ranking_.target.empty() ? "" : " at " + table_.columns[column_];
    made.what = fmt::format("seed {}{} of {}", seed, where, names());
    made.odds = lowest([&](std::size_t other) { return odds_with_a_seed(other); });
    return made;
  }

  NextRuns larger_budget() const {
    double budget = std::min(kLarger * amount(column_), target());
    for (std::size_t column = 0; column < table_.columns.size(); ++column) {
      if (amount(column) >= kNeighbours * amount(column_)) budget = std::min(budget, amount(column));
    }
    std::string text = to_string(Budget{parse_budget(ranking_.target).unit, budget});
    for (const std::string& column : table_.columns) {
      if (parse_budget(column) == parse_budget(text)) text = column;  // spelt in another way
    }
    NextRuns made;
    const auto seconds = [&](std::size_t place) { return curve_of(place).costs.of(budget).seconds; };
    for (const std::int64_t seed : shared_seeds()) {
      const auto change = [&](TrainConfig& config) {
        config.seed = seed;
        config.budget = text;
      };
      add_missing(made, change, seconds);
    }
    made.what = fmt::format("{} of {}", text, names());
    made.odds = lowest([&](std::size_t other) { return odds_with_a_budget(other, budget); });
    return made;
  }

  std::vector<std::int64_t> shared_seeds() const {
    std::vector<std::int64_t> shared;
    for (const std::int64_t seed : cell(lead_.row, column_).seeds) {
      const auto has = [&](std::size_t place) {
        const std::vector<std::int64_t>& seeds = cell(place, column_).seeds;
        return std::find(seeds.begin(), seeds.end(), seed) != seeds.end();
      };
      if (std::all_of(contenders_.begin(), contenders_.end(), has)) shared.push_back(seed);
    }
    return shared;
  }

  std::string names() const {
    std::vector<std::string> list;
    for (const std::size_t place : contenders_) list.push_back(ranking_.rows[place].name);
    return fmt::format("{}", fmt::join(list, ", "));
  }

  double seconds_here(std::size_t place) const {
    std::vector<double> seconds;
    for (const std::size_t run : cell(place, column_).finished) {
      if (results_.runs[run].seconds > 0) seconds.push_back(results_.runs[run].seconds);
    }
    return seconds.empty() ? 0 : mean(seconds);
  }

  double lowest(const std::function<double(std::size_t)>& odds) const {
    double least = 1;
    for (const std::size_t other : lead_.open) least = std::min(least, odds(other));
    return least;
  }

  StudyCurve curve_of(std::size_t place) const {
    return study_curve(results_, table_, row(place), options_.chance);
  }

  /// P of the two forecasts once `change` has come to both curves; as it is where there is no forecast.
  double foretold_odds(std::size_t other, const std::function<void(BudgetCurve&)>& change) const {
    BudgetCurve leading = curve_of(lead_.row).curve, behind = curve_of(other).curve;
    const std::size_t pairs = difference_of(cell(lead_.row, column_), cell(other, column_)).pairs;
    try {
      change(leading);
      change(behind);
      return odds_of(prospect_of(leading, target()), prospect_of(behind, target()), pairs);
    } catch (const InputError&) {
      return ranking_.beats[lead_.row][other];
    }
  }

  double odds_with_a_seed(std::size_t other) const {
    const PairedDifference known = difference_of(cell(lead_.row, column_), cell(other, column_));
    if (!is_below_target()) return paired_odds_of(known.mean, known.stddev, known.pairs + 1);
    return foretold_odds(other, [&](BudgetCurve& curve) {
      for (CurveScore& score : curve.scores) score.runs += score.budget == amount(column_) ? 1 : 0;
    });
  }

  double odds_with_a_budget(std::size_t other, double budget) const {
    const PairedDifference known = difference_of(cell(lead_.row, column_), cell(other, column_));
    if (budget < target()) {
      return foretold_odds(other, [&](BudgetCurve& curve) {
        const CurveErrors errors = errors_of(curve);
        const double error = Forecast(errors.points, errors.error_at_chance).at(budget).median;
        CurveScore score{budget, curve.score_of(error), std::nullopt, static_cast<std::int64_t>(known.pairs)};
        if (errors.stddev > 0) score.stddev = errors.stddev;
        curve.scores.push_back(score);
      });
    }
    try {  // measured there, as pairs that differ as they do here
      const double lead = prospect_of(curve_of(lead_.row).curve, budget).score -
                          prospect_of(curve_of(other).curve, budget).score;
      return paired_odds_of(lead, known.stddev, known.pairs);
    } catch (const InputError&) {
      return ranking_.beats[lead_.row][other];
    }
  }

  /// What the lowest P gains for the time it takes, or for a run where no time is known.
  double gain(const NextRuns& next) const {
    const auto log_odds = [](double p) {
      constexpr double kLeast = 1e-9;
      const double inside = std::min(1 - kLeast, std::max(kLeast, p));
      return std::log(inside / (1 - inside));
    };
    const double cost = next.seconds > 0 ? next.seconds : static_cast<double>(next.runs.size());
    return (log_odds(std::min(next.odds, until_)) - log_odds(std::min(lead_.odds, until_))) / cost;
  }

  const StudyResults& results_;
  const StudyTable& table_;
  StudyTable judged_;  // with scores of which higher ones are better
  const Ranking& ranking_;
  const RankOptions& options_;
  const double until_;
  const Lead lead_;
  std::map<std::string, RunStatus> statuses_;
  std::vector<std::size_t> contenders_;  // places in Ranking::rows, the leading one first
  std::size_t column_ = 0;               // of the largest budget that they all have runs of
};

}  // namespace

Lead lead_of(const Ranking& ranking, double until) {
  const std::size_t count = ranking.rows.size();
  Lead lead;
  if (count < 2) return lead;
  lead.odds = -1;
  for (std::size_t i = 0; i < count; ++i) {
    double least = 1;
    for (std::size_t j = 0; j < count; ++j) {
      if (j != i) least = std::min(least, ranking.beats[i][j]);
    }
    if (least > lead.odds) lead = {i, least, {}};
  }
  for (const RankedPair& pair : ranking.pairs) {
    if (pair.ahead != lead.row && pair.behind != lead.row) continue;
    const std::size_t other = pair.ahead == lead.row ? pair.behind : pair.ahead;
    const bool by_divergence = pair.is_told && pair.difference.pairs < 2;
    if (ranking.beats[lead.row][other] < until || (pair.difference.pairs < 2 && !by_divergence))
      lead.open.push_back(other);
  }
  std::sort(lead.open.begin(), lead.open.end());
  return lead;
}

std::optional<NextRuns> next_runs(const StudyResults& results, const std::vector<Ranking>& rankings,
                                  const RankOptions& options, double until) {
  const std::vector<StudyTable> tables = ranked_tables(results, options);
  std::optional<NextRuns> cheapest;
  for (const Ranking& ranking : rankings) {
    const auto next = Decider(results, tables[ranking.table], ranking, options, until).next();
    if (next && (!cheapest || next->seconds < cheapest->seconds)) cheapest = next;
  }
  return cheapest;
}

}  // namespace glidepath
