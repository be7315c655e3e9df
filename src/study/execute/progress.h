// src/study/execute/progress.h - what a study says while it runs, as text for a terminal.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "glidepath/study.h"

namespace glidepath {

/// 41 s, 23 min, 1 h 20 min, 3 d 4 h.
std::string rough_duration(double seconds);

/// The values of the axes: schedule and budget alone, the others with their name: "linear 10% seed 1".
std::string run_label(const TrainConfig& config, const std::vector<std::string>& axes);

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

/// "[ 12/144] linear 10% seed 1: 78.31 % in 41 s, about 23 min left".
std::string finished_line(const RunRecord& run, const StudyProgress& progress,
                          const std::vector<std::string>& axes);

/// A line for every running job and one for the whole, each at most `width` characters.
std::vector<std::string> live_lines(const StudyProgress& progress, const std::vector<std::string>& axes,
                                    std::size_t width);

}  // namespace glidepath
