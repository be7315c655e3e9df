// tests/study/models_support.h - results of models by budgets by seeds, without a study.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "glidepath/budget.h"
#include "study/tables_support.h"

namespace glidepath {

using Accuracies =
    std::map<std::string, std::vector<std::vector<double>>>;  // of models: [budget][seed], percent

/// A run takes as many seconds as its budget has percent.
inline StudyResults study_of(const std::vector<std::string>& budgets, const Accuracies& accuracies) {
  StudyResults results;
  results.name = "models";
  results.axes = {"model", "budget", "seed"};
  results.values["budget"] = budgets;
  for (const auto& [model, of_model] : accuracies) {
    results.values["model"].push_back(model);
    for (std::size_t b = 0; b < of_model.size(); ++b) {
      for (std::size_t s = 0; s < of_model[b].size(); ++s) {
        const std::string seed = std::to_string(s + 1);
        if (results.values["seed"].size() <= s) results.values["seed"].push_back(seed);
        results.runs.push_back(
            make_run({{"model", model}, {"budget", budgets[b]}, {"seed", seed}, {"full", "100ep"}},
                     of_model[b][s] / 100));
        RunRecord& run = results.runs.back();
        run.epochs = parse_budget(budgets[b]).amount;
        run.updates = static_cast<std::int64_t>(100 * run.epochs);
        run.seconds = run.epochs;
      }
    }
  }
  return results;
}

}  // namespace glidepath
