// src/study/plan/pilot.cpp - the cheapest runs that a forecast can be made of.
#include "study/plan/pilot.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "core/words.h"
#include "glidepath/budget.h"
#include "glidepath/budget_curve.h"
#include "glidepath/error.h"
#include "glidepath/schedule.h"
#include "study/store/store.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

constexpr const char* kCycles = "pilot, annealed cycles";
constexpr const char* kSeparate = "pilot, separate runs";

/// "1.5625%": six digits are more than an update of any budget.
std::string percent_text(double percent) {
  return words::number_text(std::stod(fmt::format("{:.6g}", percent))) + "%";
}

/// The run's budget as what 100 % means.
Budget whole_budget(const TrainConfig& wanted) {
  const Budget budget = parse_budget(wanted.budget);
  if (budget.unit != BudgetUnit::kPercent) return budget;
  Budget whole = parse_budget(wanted.full);
  whole.amount *= budget.amount / 100;
  if (whole.unit == BudgetUnit::kIterations) whole.amount = std::max(1.0, std::round(whole.amount));
  return whole;
}

double percent_to_spend(const std::string& text, const Budget& whole) {
  const auto refuse = [&](const std::string& why) {
    throw InputError(fmt::format("--spend \"{}\": {}", text, why));
  };
  double percent = 0;
  try {
    const Budget spend = parse_budget(text);
    if (spend.unit != BudgetUnit::kPercent && spend.unit != whole.unit)
      refuse(fmt::format("must be a share of the run's budget, as 25%, or in its unit, as {}",
                         to_string(Budget{whole.unit, whole.amount / 4})));
    percent = spend.unit == BudgetUnit::kPercent ? spend.amount : 100 * spend.amount / whole.amount;
  } catch (const InputError& error) {
    const std::string message = error.what();
    if (message.rfind("--spend", 0) == 0) throw;
    throw InputError("--spend " + message);
  }
  if (!(percent < 100)) refuse(fmt::format("must be less than the run's budget, {}", to_string(whole)));
  return percent;
}

/// Falls to 0 whenever what is spent has doubled.
std::string cycles_of(const std::string& schedule, const std::vector<double>& budgets) {
  const std::string canonical = canonical_schedule(schedule);
  if (canonical != "linear" && canonical != "cosine")
    throw InputError(fmt::format(
        "schedule \"{}\": annealed cycles are of linear or cosine; give --separate for runs of it",
        schedule));
  std::string text = "points(0:1";
  for (const double budget : budgets) {
    const std::string end = words::number_text(budget / budgets.back());
    text += fmt::format(",{}:0", end);
    if (budget < budgets.back()) text += fmt::format(",{}:1", end);
  }
  return canonical_schedule(fmt::format("{},shape={},name={}-cycles)", text, canonical, canonical));
}

void add_seeds(StudyPlan& plan, const TrainConfig& config, std::int64_t seeds) {
  plan.axes = {"seed"};
  for (std::int64_t i = 0; i < seeds; ++i) {
    plan.runs.push_back(config);
    plan.runs.back().seed += i;
    plan.values["seed"].push_back(config_value(plan.runs.back(), "seed"));
  }
}

/// The runs of the points: those of separate ones, and what cycles are taken for.
StudyPlan plan_of_points(const Pilot& pilot) {
  StudyPlan plan;
  plan.name = plan.title = pilot.options.is_separate ? kSeparate : kCycles;
  plan.figures = {"1"};
  plan.axes = {"budget", "seed"};
  for (std::int64_t i = 0; i < pilot.options.seeds; ++i) {
    TrainConfig run = pilot.base;
    run.seed += i;
    plan.values["seed"].push_back(config_value(run, "seed"));
    for (const double budget : pilot.budgets) {
      run.budget = percent_text(budget);
      plan.runs.push_back(run);
    }
  }
  for (const double budget : pilot.budgets) plan.values["budget"].push_back(percent_text(budget));
  return plan;
}

/// What a finished run of cycles reached when this much of its own budget was spent; the first test from
/// there on.
const CurvePoint* test_at(const std::vector<CurvePoint>& curve, double progress) {
  const auto found = std::find_if(curve.begin(), curve.end(), [&](const CurvePoint& point) {
    constexpr double kRounding = 1e-6;
    return point.kind == "eval" && point.progress >= progress - kRounding;
  });
  return found == curve.end() ? nullptr : &*found;
}

RunRecord record_of(const TrainConfig& config, const RunRecord& cycles, const CurvePoint& test) {
  constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
  RunRecord run;
  run.config = config;
  run.id = run_id(config);
  run.status = RunStatus::kDone;
  run.test_accuracy = test.accuracy;
  run.test_loss = test.loss;
  run.train_loss = run.train_accuracy = kUnknown;
  run.updates = test.step;
  run.epochs = cycles.epochs * static_cast<double>(test.step) / static_cast<double>(cycles.updates);
  run.seconds = cycles.seconds * test.progress;
  run.images_per_second = cycles.images_per_second;
  run.peak_memory_mib = cycles.peak_memory_mib;
  run.attempts = 1;
  return run;
}

}  // namespace

Pilot plan_pilot(const TrainConfig& wanted, const PilotOptions& options, const std::string& source) {
  const Budget whole = whole_budget(wanted);
  const double spend = percent_to_spend(options.spend, whole);
  Pilot pilot;
  pilot.options = options;
  pilot.base = wanted;
  pilot.base.full = to_string(whole);
  pilot.base.budget = "100%";
  const double doublings = std::exp2(static_cast<double>(options.points - 1));
  const double largest = options.is_separate ? spend * doublings / (2 * doublings - 1) : spend;
  for (double part = doublings; part >= 1; part /= 2) pilot.budgets.push_back(largest / part);
  if (options.is_separate) {
    pilot.base.eval_every = "end";
    pilot.plan = plan_of_points(pilot);
  } else {
    TrainConfig run = pilot.base;
    if (run.val != "none")
      throw InputError(fmt::format(
          "val \"{}\": a run with images held out is tested on these alone on its way; give --separate",
          run.val));
    run.schedule = cycles_of(run.schedule, pilot.budgets);
    run.budget = percent_text(spend);
    run.eval_every = percent_text(100 / doublings);
    pilot.plan.name = pilot.plan.title = kCycles;
    add_seeds(pilot.plan, run, options.seeds);
  }
  pilot.plan.source_toml = source.empty() ? "# train options as they are by default\n" : source;
  for (const TrainConfig& run : pilot.plan.runs) check_config(run);
  return pilot;
}

fs::path pilot_runs(const fs::path& dir, const PilotOptions& options) {
  return options.is_separate ? dir : dir / "cycles";
}

void check_pilot_folder(const fs::path& dir, const PilotOptions& options) {
  std::error_code ignored;
  const bool has_cycles = fs::exists(store_file(dir / "cycles"), ignored);
  const bool has_study = fs::exists(store_file(dir), ignored);
  const bool is_other = options.is_separate
                            ? has_cycles || (has_study && read_study_results(dir).name != kSeparate)
                            : has_study && (!has_cycles || read_study_results(dir).name != kCycles);
  if (is_other)
    throw InputError(fmt::format("--out \"{}\": holds another study; give a new folder", dir.string()));
}

std::size_t collect_cycles(const fs::path& dir, const Pilot& pilot) {
  const fs::path cycles = dir / "cycles";
  const StudyPlan points = plan_of_points(pilot);
  std::vector<RunRecord> records;
  for (const RunRecord& run : read_study_results(cycles).runs) {
    if (run.status != RunStatus::kDone) continue;
    const std::vector<CurvePoint> curve = read_curve(cycles, run.id);
    for (const TrainConfig& config : points.runs) {
      if (config.seed != run.config.seed) continue;
      const double progress = parse_budget(config.budget).amount / pilot.budgets.back();
      if (const CurvePoint* test = test_at(curve, progress)) records.push_back(record_of(config, run, *test));
    }
  }
  if (records.empty()) return 0;
  StudyStore store(dir);
  std::vector<std::string> ids;
  for (const TrainConfig& config : points.runs) ids.push_back(run_id(config));
  store.save_plan(points, ids);
  for (const RunRecord& record : records) store.put(record, "", "", {}, {});
  return records.size();
}

}  // namespace glidepath
