// src/study/store/import_results.cpp - results that exist already, as a study's store.
#include "study/store/import_results.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/csv.h"
#include "core/safe_text.h"
#include "core/words.h"
#include "files/output_folder.h"
#include "glidepath/budget.h"
#include "glidepath/error.h"
#include "study/results/run_words.h"
#include "study/store/import_table.h"
#include "study/store/run_collection.h"
#include "study/store/store.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

constexpr std::size_t kMostImported = 100'000;
constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

/// One run's values of one tag, as TensorBoard's page gives them.
struct TagCurve {
  std::string name;
  std::vector<std::pair<std::int64_t, double>> points;  // step and value
};

bool is_tag_curve(const CsvRow& header) {
  return header.fields == std::vector<std::string>{"Wall time", "Step", "Value"};
}

/// W&B's "Step", "run-1 - accuracy", "run-1 - accuracy__MIN": what runs reached on their way.
bool is_chart(const CsvRow& header) {
  return std::any_of(header.fields.begin(), header.fields.end(), [](const std::string& column) {
    constexpr const char* kEnd = "__MIN";
    return column.size() > 5 && column.compare(column.size() - 5, 5, kEnd) == 0;
  });
}

TagCurve read_tag_curve(const std::vector<CsvRow>& rows, const std::string& name) {
  TagCurve curve{name, {}};
  for (std::size_t i = 1; i < rows.size(); ++i) {
    const CsvRow& row = rows[i];
    const auto step = row.fields.size() == 3 ? words::number(row.fields[1]) : std::nullopt;
    const auto value = row.fields.size() == 3 ? words::number(row.fields[2]) : std::nullopt;
    constexpr double kMostSteps = 1e15;
    if (!step || !value || *step < 0 || *step > kMostSteps || *step != std::floor(*step) || *value < 0)
      throw InputError(fmt::format("{}:{}: must be a time, a step and a value, the last two not negative",
                                   terminal_text(name), row.line));
    curve.points.emplace_back(static_cast<std::int64_t>(*step), *value);
  }
  if (curve.points.empty() || curve.points.back().first == 0)
    throw InputError(fmt::format("{}: has no step above 0", terminal_text(name)));
  return curve;
}

void add_tag_curves(const std::vector<TagCurve>& curves, const ImportOptions& options, RunCollector& into) {
  std::vector<double> last;
  for (const TagCurve& curve : curves) last.push_back(curve.points.back().second);
  const double most = *std::max_element(last.begin(), last.end());
  const double least = *std::min_element(last.begin(), last.end());
  if (!options.is_loss && most > 100)
    throw InputError(fmt::format("{}: {:g} is no accuracy; give --loss for losses",
                                 terminal_text(curves.front().name), most));
  if (!options.is_loss && most > 1 && least > 0 && least <= 1)
    throw InputError(
        fmt::format("{}: files end at {:g} and {:g}: some are in [0, 1] and some in percent; give all in "
                    "one of them",
                    terminal_text(curves.front().name), least, most));
  const double scale = options.is_loss || most <= 1 ? 1 : 0.01;
  std::map<std::int64_t, std::int64_t> seeds;  // of each budget so far
  for (const TagCurve& curve : curves) {
    RunRecord run = blank_run(options);
    const std::int64_t steps = curve.points.back().first;
    set_config_value(run.config, "budget", fmt::format("{}it", steps));
    set_config_value(run.config, "seed", fmt::format("{}", seeds[steps]++));
    (options.is_loss ? run.test_loss : run.test_accuracy) = scale * curve.points.back().second;
    into.add(run, terminal_text(curve.name));
    std::vector<CurvePoint>& points = into.results.curves[into.results.runs.back().id];
    for (const auto& [step, value] : curve.points) {
      const double progress = std::min(1.0, static_cast<double>(step) / static_cast<double>(steps));
      points.push_back({"eval", step, progress, kUnknown, options.is_loss ? value : kUnknown,
                        options.is_loss ? kUnknown : scale * value});
    }
  }
  into.results.plan.axes = {"budget", "seed"};
  into.results.notes.emplace_back(
      "TensorBoard's curves: the last step of each is taken as its budget, and its value there as the score; "
      "each has to "
      "be of a run that was annealed to that step");
}

/// The values of each axis, in the order in which they come; budgets from the smallest.
void add_values(StudyPlan& plan, const std::vector<RunRecord>& runs) {
  for (const std::string& axis : plan.axes) {
    std::vector<std::string>& values = plan.values[axis];
    for (const RunRecord& run : runs) {
      const std::string value = config_value(run.config, axis);
      if (std::find(values.begin(), values.end(), value) == values.end()) values.push_back(value);
    }
  }
  const auto budgets = plan.values.find("budget");
  if (budgets == plan.values.end()) return;
  std::stable_sort(
      budgets->second.begin(), budgets->second.end(), [](const std::string& a, const std::string& b) {
        const Budget first = parse_budget(a), second = parse_budget(b);
        return first.unit != second.unit ? first.unit < second.unit : first.amount < second.amount;
      });
}

/// Of runs whose budgets are all in one unit but percent the largest is the full one, unless it is given.
void set_full(ImportedResults& results, const ImportOptions& options) {
  const auto is_full = [](const auto& option) { return option.first == "full"; };
  if (std::any_of(options.set.begin(), options.set.end(), is_full)) return;
  const auto is_smaller = [](const RunRecord& a, const RunRecord& b) {
    return parse_budget(a.config.budget).amount < parse_budget(b.config.budget).amount;
  };
  const std::string largest =
      std::max_element(results.runs.begin(), results.runs.end(), is_smaller)->config.budget;
  const BudgetUnit unit = parse_budget(largest).unit;
  for (const RunRecord& run : results.runs) {
    if (parse_budget(run.config.budget).unit != unit || unit == BudgetUnit::kPercent) return;
  }
  std::map<std::string, std::vector<CurvePoint>> curves;
  for (RunRecord& run : results.runs) {
    const std::string before = run.id;
    set_config_value(run.config, "full", largest);
    run.id = run_id(run.config);
    if (const auto curve = results.curves.find(before); curve != results.curves.end())
      curves[run.id] = std::move(curve->second);
  }
  results.curves = std::move(curves);
}

}  // namespace

RunRecord blank_run(const ImportOptions& options) {
  RunRecord run;
  run.config.data = "data of others";
  run.config.model = "a model of others";
  for (const auto& [key, value] : options.set) {
    try {
      set_config_value(run.config, key, value);
    } catch (const InputError& error) {
      throw InputError(fmt::format("--set {}", error.what()));
    }
  }
  run.train_loss = run.train_accuracy = run.test_loss = run.test_accuracy = kUnknown;
  run.epochs = run.seconds = run.images_per_second = run.peak_memory_mib = kUnknown;
  return run;
}

void RunCollector::add(RunRecord run, const std::string& place) {
  const Budget budget = parse_budget(run.config.budget);
  if (budget.unit == BudgetUnit::kEpochs) run.epochs = budget.amount;
  if (budget.unit == BudgetUnit::kIterations) run.updates = static_cast<std::int64_t>(budget.amount);
  run.id = run_id(run.config);
  if (run.status == RunStatus::kPending) run.status = RunStatus::kDone;
  run.attempts = 1;
  if (!ids.insert(run.id).second)
    throw InputError(
        fmt::format("{}: a row before it has the same options ({}); give them seeds of their own in a "
                    "column named seed",
                    place, terminal_text(run_label(run.config, results.plan.axes))));
  if (results.runs.size() == kMostImported)
    throw InputError(fmt::format("{}: more than {} runs", place, kMostImported));
  results.runs.push_back(std::move(run));
}

ImportedResults read_results_of_others(const std::vector<std::pair<std::string, std::string>>& files,
                                       const ImportOptions& options) {
  RunCollector collector;
  std::vector<TagCurve> curves;
  for (const auto& [name, text] : files) {
    const std::vector<CsvRow> rows = parse_csv(text, name);
    if (rows.empty()) throw InputError(fmt::format("{}: is empty", terminal_text(name)));
    if (is_tag_curve(rows.front())) {
      curves.push_back(read_tag_curve(rows, name));
      continue;
    }
    if (is_chart(rows.front()))
      throw InputError(
          fmt::format("{}: is W&B's export of a chart, what runs reached on their way; export the table "
                      "of runs, a row each",
                      terminal_text(name)));
    if (options.score.empty())
      throw InputError(fmt::format("--score: must name the column of scores of {}, which has {}",
                                   terminal_text(name),
                                   terminal_text(fmt::format("{}", fmt::join(rows.front().fields, ", ")))));
    read_run_table(rows, name, options, collector);
  }
  if (!curves.empty() && !collector.results.runs.empty())
    throw InputError("files: tables of runs and TensorBoard's curves together; give one kind");
  if (!curves.empty()) add_tag_curves(curves, options, collector);
  ImportedResults& results = collector.results;
  if (results.runs.empty())
    throw InputError(fmt::format("{}: has no finished run", terminal_text(files.front().first)));
  results.plan.name = "imported";
  results.plan.figures = {"1"};  // the others need what happened on the way
  set_full(results, options);
  add_values(results.plan, results.runs);
  for (const RunRecord& run : results.runs) results.plan.runs.push_back(run.config);
  return std::move(collector.results);
}

void write_imported(const fs::path& dir, const ImportedResults& imported) {
  std::error_code error;
  if (fs::exists(store_file(dir), error) || is_run_collection(dir))
    throw InputError(
        fmt::format("--out \"{}\": holds a study or runs already; give a new folder", dir.string()));
  StudyStore store(dir);
  std::vector<std::string> ids;
  for (const RunRecord& run : imported.runs) ids.push_back(run.id);
  store.save_plan(imported.plan, ids);
  for (const RunRecord& run : imported.runs) {
    const auto curve = imported.curves.find(run.id);
    store.put(run, "", "", curve == imported.curves.end() ? std::vector<CurvePoint>() : curve->second, {});
  }
}

}  // namespace glidepath
