// tests/report/grid_study.h - a study with the results a test wants.
#pragma once
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "glidepath/study.h"
#include "glidepath/table.h"
#include "report/page/html.h"
#include "study/tables_support.h"

namespace glidepath {

/// Every combination of schedules, budgets and seeds, all done.
inline StudyResults grid_study(const std::vector<std::string>& schedules,
                               const std::vector<std::string>& budgets, int seeds) {
  StudyResults results;
  results.name = "made";
  results.axes = {"schedule", "budget", "seed"};
  results.values["schedule"] = schedules;
  results.values["budget"] = budgets;
  for (int seed = 1; seed <= seeds; ++seed) {
    results.values["seed"].push_back(fmt::format("{}", seed));
    for (const std::string& budget : budgets) {
      for (const std::string& schedule : schedules) {
        RunRecord run;
        run.id = fmt::format("{:016x}", results.runs.size());
        run.config.schedule = schedule;
        run.config.budget = budget;
        run.config.seed = static_cast<std::uint64_t>(seed);
        run.status = RunStatus::kDone;
        run.test_accuracy = 0.5 + 0.001 * static_cast<double>(results.runs.size());
        run.test_loss = 1.0 / 3;
        run.updates = 1234;
        results.runs.push_back(run);
      }
    }
  }
  return results;
}

/// A training curve of `points` points, none of whose numbers is short.
inline std::vector<CurveTable> long_curves(std::size_t points) {
  std::vector<CurvePoint> list;
  for (std::size_t i = 0; i < points; ++i) {
    const double p = static_cast<double>(i) / static_cast<double>(points);
    list.push_back({"train", static_cast<std::int64_t>(100 * i + 7), p, 0.1 * (1 - p) / 3,
                    2.3 * std::exp(-p) + 0.01 * std::sin(static_cast<double>(i)), 0.9 * p + 0.01 / 3});
    list.push_back({"eval", static_cast<std::int64_t>(100 * i + 7), p, NAN, 2.2 * std::exp(-p), 0.8 * p / 3});
  }
  return curve_tables(list);
}

}  // namespace glidepath
