// bench/forecast_errors.cpp - how far forecasts were off on curves whose large budgets are known: fitted on
// the small budgets alone, every cut of every curve, and compared with what the larger ones reached.
//
//     build/release/bench/forecast_errors FILE CHANCE [FILE CHANCE]...
//
// CHANCE is the percent that guessing gets right. A file is CSV of runs: a study's results.csv, or the
// columns model, schedule, budget, metric (top1, acc1), value, in percent. Without torch.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "core/csv.h"
#include "core/words.h"
#include "glidepath/budget_curve.h"
#include "glidepath/error.h"
#include "glidepath/statistics.h"

namespace {

using namespace glidepath;

struct Curve {
  std::string file, name;
  BudgetCurve curve;
};

std::string text_of(const std::string& file) {
  std::ifstream stream(file);
  if (!stream) throw InputError(file + ": cannot be read");
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

/// The budgets' scores of each curve, all seeds together.
std::map<std::string, std::map<double, std::vector<double>>> scores_of(const std::vector<CsvRow>& rows) {
  const auto column = [&](const char* name) -> std::optional<std::size_t> {
    const auto& names = rows.front().fields;
    const auto found = std::find(names.begin(), names.end(), name);
    return found == names.end() ? std::nullopt
                                : std::optional<std::size_t>(static_cast<std::size_t>(found - names.begin()));
  };
  const auto of_study = column("test_accuracy"), of_others = column("value"), metric = column("metric"),
             budget = column("budget");
  if (!budget || !(of_study || of_others))
    throw InputError("no columns named budget and test_accuracy or value");
  std::map<std::string, std::map<double, std::vector<double>>> curves;
  for (std::size_t i = 1; i < rows.size(); ++i) {
    const auto& fields = rows[i].fields;
    if (metric && fields[*metric] != "top1" && fields[*metric] != "acc1") continue;
    std::string name;
    for (const char* part : {"task", "model", "width", "schedule", "optimizer", "base_lr"}) {
      if (const auto place = column(part)) name += fields[*place] + " ";
    }
    const auto score = words::number(fields[of_study ? *of_study : *of_others]);
    const auto amount = words::number(words::split_number(fields[*budget]).first);
    if (score && amount) curves[name][*amount].push_back(*score * (of_study ? 100 : 1));
  }
  return curves;
}

std::vector<Curve> curves_of(const std::string& file, double chance) {
  std::vector<Curve> curves;
  for (const auto& [name, budgets] : scores_of(parse_csv(text_of(file), file))) {
    Curve made{file, name, {"", false, chance, {}}};
    for (const auto& [budget, scores] : budgets) {
      CurveScore score{budget, mean(scores), std::nullopt, static_cast<std::int64_t>(scores.size())};
      if (scores.size() > 1) score.stddev = sample_stddev(scores);
      made.curve.scores.push_back(score);
    }
    curves.push_back(made);
  }
  return curves;
}

/// y of the straight line through the points at x.
double on_line(const std::vector<double>& xs, const std::vector<double>& ys, double x) {
  double products = 0, squares = 0;
  for (std::size_t i = 0; i < xs.size(); ++i) {
    products += (xs[i] - mean(xs)) * (ys[i] - mean(ys));
    squares += (xs[i] - mean(xs)) * (xs[i] - mean(xs));
  }
  return mean(ys) + products / squares * (x - mean(xs));
}

struct Misses {
  std::vector<double> last, log_linear, power, ours, widths;
  std::size_t held = 0;
  double worst = 0;
  std::string where;
};

/// Fitted on the first `count` budgets, every larger one foretold.
void try_cut(const Curve& whole, std::size_t count, std::map<int, Misses>& buckets) {
  BudgetCurve part = whole.curve;
  part.scores.resize(count);
  std::vector<double> logs, scores, log_errors;
  for (const CurveScore& score : part.scores) {
    logs.push_back(std::log(score.budget));
    scores.push_back(score.score);
    log_errors.push_back(std::log(100 - score.score));
  }
  std::optional<Forecast> forecast;
  try {
    const CurveErrors errors = errors_of(part);
    forecast.emplace(errors.points, errors.error_at_chance);
  } catch (const InputError&) {
    return;  // refused: still at chance, or too few budgets apart
  }
  for (std::size_t i = count; i < whole.curve.scores.size(); ++i) {
    const CurveScore& target = whole.curve.scores[i];
    const double times = target.budget / part.scores.back().budget;
    const int bucket = times < 1.5 ? -1 : times <= 3 ? 0 : times <= 6 ? 1 : times <= 13 ? 2 : -1;
    if (bucket < 0) continue;
    Misses& misses = buckets[bucket];
    const ForecastInterval found = forecast->at(target.budget);
    const double error = 100 - target.score, x = std::log(target.budget);
    misses.last.push_back(std::abs(scores.back() - target.score));
    misses.log_linear.push_back(std::abs(on_line(logs, scores, x) - target.score));
    misses.power.push_back(std::abs(std::exp(on_line(logs, log_errors, x)) - error));
    misses.ours.push_back(std::abs(found.median - error));
    misses.widths.push_back(found.high - found.low);
    misses.held += found.low <= error && error <= found.high ? 1 : 0;
    if (misses.ours.back() <= misses.worst) continue;
    misses.worst = misses.ours.back();
    misses.where = whole.name;
  }
}

void print(const std::string& file, std::size_t curves, const std::map<int, Misses>& buckets) {
  static const char* const kRatios[] = {"1.5-3", "3-6", "6-13"};
  std::printf("%s: %zu curves\n", file.c_str(), curves);
  std::printf("  %-6s %9s %11s %11s %10s %6s %9s %6s  %s\n", "times", "forecasts", "last value", "log-linear",
              "power law", "this", "coverage", "width", "worst of this");
  for (const auto& [bucket, misses] : buckets) {
    const auto count = static_cast<double>(misses.ours.size());
    std::printf("  %-6s %9.0f %11.2f %11.2f %10.2f %6.2f %9.2f %6.1f  %.1f (%s)\n", kRatios[bucket], count,
                mean(misses.last), mean(misses.log_linear), mean(misses.power), mean(misses.ours),
                static_cast<double>(misses.held) / count, mean(misses.widths), misses.worst,
                misses.where.c_str());
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3 || argc % 2 == 0) {
    std::fprintf(stderr, "usage: %s FILE CHANCE [FILE CHANCE]...\n", argv[0]);
    return 2;
  }
  try {
    for (int i = 1; i + 1 < argc; i += 2) {
      const auto chance = words::number(argv[i + 1]);
      if (!chance || *chance < 0 || *chance >= 100)
        throw InputError(std::string(argv[i + 1]) + ": must be a percentage");
      const std::vector<Curve> curves = curves_of(argv[i], *chance);
      std::map<int, Misses> buckets;
      for (const Curve& curve : curves) {
        for (std::size_t count = 3; count < curve.curve.scores.size(); ++count)
          try_cut(curve, count, buckets);
      }
      print(argv[i], curves.size(), buckets);
    }
  } catch (const Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 2;
  }
  return 0;
}
