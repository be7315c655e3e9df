// src/report/study_data.cpp - the finished runs of a study with their curves and measures.
#include "report/study_data.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "glidepath/budget.h"
#include "glidepath/schedule.h"
#include "glidepath/table.h"
#include "study/store/run_points.h"

namespace glidepath {

std::string subject_of(const std::string& schedule, const std::string& optimizer) {
  const std::string label = schedule_label(schedule);
  if (optimizer == "sgd") return label;
  return schedule == "const" ? optimizer : fmt::format("{}, {}", optimizer, label);
}

StudyRun study_run(const RunRecord& record) {
  StudyRun run;
  run.record = record;
  run.optimizer = record.config.optimizer;
  run.subject = subject_of(record.config.schedule, run.optimizer);
  const Budget budget = parse_budget(record.config.budget);
  if (budget.unit == BudgetUnit::kPercent) run.budget = budget.amount;
  return run;
}

StudyData load_study_data(const std::filesystem::path& dir, const StudyResults& results) {
  StudyData data{results.name, study_caption(results), {}, results.reference};
  data.score = task_score(results.runs);
  const RunPoints points(dir);
  for (const RunRecord& record : results.runs) {
    if (record.status != RunStatus::kDone) continue;
    data.runs.push_back(study_run(record));
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
  return fmt::format("{}{}, {}{}, full budget {}, {} seed{}, {} of {} runs", config.data, part, config.model,
                     config.width == 1 ? "" : fmt::format(" at width {}", config.width), config.full,
                     seeds.size(), seeds.size() == 1 ? "" : "s", done, results.runs.size());
}

}  // namespace glidepath
