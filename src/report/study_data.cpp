// src/report/study_data.cpp - the finished runs of a study with their curves and measures.
#include "report/study_data.h"

#include <algorithm>
#include <iterator>
#include <set>

#include <fmt/format.h>

#include "glidepath/budget.h"
#include "glidepath/schedule.h"
#include "glidepath/table.h"
#include "study/results/run_words.h"
#include "study/store/run_points.h"

namespace glidepath {

namespace {

/// A folder's or file's place is this machine's alone.
std::string data_name(const std::string& data) {
  const std::size_t colon = data.find(':'), slash = data.find_last_of('/');
  if (colon == std::string::npos || slash == std::string::npos || slash < colon) return data;
  return data.substr(0, colon + 1) + data.substr(slash + 1);
}

}  // namespace

std::string subject_of(const std::string& schedule, const std::string& optimizer, bool is_only_one) {
  const std::string label = schedule_label(schedule);
  if (optimizer == "sgd" || is_only_one) return label;
  return schedule == "const" ? optimizer : fmt::format("{}, {}", optimizer, label);
}

Subjects::Subjects(const StudyResults& results) {
  has_one_optimizer_ = std::all_of(results.runs.begin(), results.runs.end(), [&](const RunRecord& run) {
    return run.config.optimizer == results.runs.front().config.optimizer;
  });
  const std::set<std::string> told = {"schedule", "optimizer", "budget", "seed"};
  std::copy_if(results.axes.begin(), results.axes.end(), std::back_inserter(others_),
               [&](const std::string& axis) { return told.count(axis) == 0; });
}

std::string Subjects::of(const TrainConfig& config) const {
  return subject_of(config.schedule, config.optimizer, has_one_optimizer_) + other_values(config, others_);
}

StudyRun study_run(const RunRecord& record, const Subjects& subjects) {
  StudyRun run;
  run.record = record;
  run.optimizer = record.config.optimizer;
  run.subject = subjects.of(record.config);
  const Budget budget = parse_budget(record.config.budget);
  if (budget.unit == BudgetUnit::kPercent) run.budget = budget.amount;
  return run;
}

StudyData load_study_data(const std::filesystem::path& dir, const StudyResults& results) {
  StudyData data{results.name, study_caption(results), {}, results.reference};
  data.score = task_score(results.runs);
  const RunPoints points(dir);
  const Subjects subjects(results);
  for (const RunRecord& record : results.runs) {
    if (record.status != RunStatus::kDone) continue;
    data.runs.push_back(study_run(record, subjects));
    data.runs.back().curve = points.curve(record.id);
    data.runs.back().measures = points.measures(record.id);
  }
  return data;
}

std::string study_caption(const StudyResults& results) {
  if (results.runs.empty()) return "no runs";
  const TrainConfig& config = results.runs.front().config;
  std::set<std::uint64_t> seeds;
  std::size_t done = 0;
  for (const RunRecord& run : results.runs) {
    seeds.insert(run.config.seed);
    done += run.status == RunStatus::kDone ? 1 : 0;
  }
  const std::string part =
      config.train_limit == 0 ? "" : fmt::format(", first {} images", config.train_limit);
  return fmt::format("{}{}, {}{}, full budget {}, {} seed{}, {} of {} runs", data_name(config.data), part,
                     config.model, config.width == 1 ? "" : fmt::format(" at width {}", config.width),
                     config.full, seeds.size(), seeds.size() == 1 ? "" : "s", done, results.runs.size());
}

}  // namespace glidepath
