// src/study/results/run_words.h - a run of a study in words: what tells it from others, and its score.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "glidepath/study.h"

namespace glidepath {

/// The values of the axes: schedule and budget alone, the others with their name: "linear 10% seed 1".
std::string run_label(const TrainConfig& config, const std::vector<std::string>& axes);

/// The same one by one: "linear", "10%", "seed 1".
std::vector<std::string> label_parts(const TrainConfig& config, const std::vector<std::string>& axes);

/// ", optimizer amsgrad": what of these axes is not the default, each after a comma.
std::string other_values(const TrainConfig& config, const std::vector<std::string>& axes);

/// How good a finished run is by the score of its task.
struct RunScore {
  std::string name;  ///< "perplexity"; empty of an accuracy
  std::string text;  ///< "14.68", "78.31 %"
  double goodness;   ///< what is to be large: the score, or where lower is better less it

  std::string in_words() const { return name.empty() ? text : name + ' ' + text; }
};
/// Nothing for a run that has not finished or is judged by its loss (shown_loss).
std::optional<RunScore> run_score(const RunRecord& run);

}  // namespace glidepath
