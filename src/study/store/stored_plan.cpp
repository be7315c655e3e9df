// src/study/store/stored_plan.cpp - the plan of a study that is there already, to go on with without its
// file.
#include "study/store/stored_plan.h"

#include <algorithm>

#include <fmt/format.h>

#include "glidepath/budget.h"
#include "glidepath/cluster.h"
#include "glidepath/error.h"
#include "study/store/run_collection.h"
#include "study/store/sqlite.h"
#include "study/store/store.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

/// Budgets from the smallest, where they are of one unit; other values behind those that are known.
void add_value(StudyPlan& plan, const std::string& axis, const std::string& value) {
  std::vector<std::string>& values = plan.values[axis];
  if (std::find(values.begin(), values.end(), value) != values.end()) return;
  auto place = values.end();
  if (axis == "budget") {
    const Budget added = parse_budget(value);
    place = std::find_if(values.begin(), values.end(), [&](const std::string& known) {
      const Budget budget = parse_budget(known);
      return budget.unit == added.unit && budget.amount > added.amount;
    });
  }
  values.insert(place, value);
}

}  // namespace

StudyPlan stored_plan(const fs::path& dir) {
  if (is_run_collection(dir))
    throw InputError(
        fmt::format("{}: holds runs that no study made; there is no study to go on with", dir.string()));
  const StudyResults results = read_study_results(dir);
  StudyPlan plan;
  plan.name = results.name;
  plan.title = results.title;
  plan.axes = results.axes;
  plan.values = results.values;
  plan.is_union = results.is_union;
  plan.figures = results.figures;
  plan.reference = results.reference;
  plan.table = results.table;
  for (const RunRecord& run : results.runs) plan.runs.push_back(run.config);
  Database database(store_file(dir), Database::Mode::kRead);
  Statement source(database, "SELECT value FROM plan WHERE key = 'source_toml'");
  if (source.step()) plan.source_toml = source.text(0);
  if (plan.source_toml.empty())
    throw InputError(fmt::format(
        "{}: was made of results, not of a study file; there is nothing to go on with", dir.string()));
  if (is_cluster_study(dir))
    throw InputError(fmt::format(
        "{}: its runs were submitted to Slurm; add seeds or budgets there, with glidepath study --set",
        dir.string()));
  return plan;
}

void add_run(StudyPlan& plan, const TrainConfig& run) {
  const std::string id = run_id(run);
  const auto is_same = [&](const TrainConfig& known) { return run_id(known) == id; };
  if (std::any_of(plan.runs.begin(), plan.runs.end(), is_same)) return;
  for (const char* axis : {"budget", "seed"}) {
    const std::string value = config_value(run, axis);
    const bool is_axis = std::find(plan.axes.begin(), plan.axes.end(), axis) != plan.axes.end();
    if (!is_axis && config_value(plan.runs.front(), axis) == value) continue;
    if (!is_axis) {
      plan.axes.emplace_back(axis);
      plan.values[axis] = {config_value(plan.runs.front(), axis)};
    }
    add_value(plan, axis, value);
  }
  plan.runs.push_back(run);
}

}  // namespace glidepath
