// tests/study/tables_support.h - results without a study.
#pragma once
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "glidepath/statistics.h"
#include "glidepath/study.h"
#include "glidepath/table.h"

namespace glidepath {

/// A finished cell of the seeds 1, 2, ...
inline TableCell cell_of(std::vector<double> values) {
  TableCell cell;
  cell.planned = values.size();
  cell.mean = mean(values);
  cell.stddev = sample_stddev(values);
  cell.values = std::move(values);
  for (std::size_t i = 0; i < cell.values.size(); ++i) cell.seeds.push_back(static_cast<std::int64_t>(i) + 1);
  return cell;
}

inline RunRecord make_run(const std::map<std::string, std::string>& values, double accuracy) {
  RunRecord run;
  for (const auto& [key, value] : values) set_config_value(run.config, key, value);
  run.id = run_id(run.config);
  run.status = RunStatus::kDone;
  run.test_accuracy = accuracy;
  return run;
}

/// Two schedules, two budgets, two seeds; one run failed and one is pending.
inline StudyResults small_results() {
  StudyResults results;
  results.name = "small";
  results.title = "A small study";
  results.axes = {"schedule", "budget", "seed"};
  results.values = {{"schedule", {"linear", "htd(-6,3)"}}, {"budget", {"10%", "100%"}}, {"seed", {"1", "2"}}};
  const double accuracies[] = {0.5, 0.625, 0.75, 0.875, 0.5, 0.25, 0.75, 0.875};
  int i = 0;
  for (const char* schedule : {"linear", "htd(-6,3)"}) {
    for (const char* budget : {"10%", "100%"}) {
      for (const char* seed : {"1", "2"}) {
        results.runs.push_back(
            make_run({{"schedule", schedule}, {"budget", budget}, {"seed", seed}}, accuracies[i++]));
      }
    }
  }
  results.runs[4].status = RunStatus::kFailed;
  results.runs[4].error = "loss is \"nan\", stopped";
  results.runs[7].status = RunStatus::kPending;
  return results;
}

}  // namespace glidepath
