// src/study/results/run_words.cpp - a run of a study in words.
#include "study/results/run_words.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "config/task_facts.h"
#include "glidepath/schedule.h"
#include "glidepath/table.h"

namespace glidepath {

std::string run_label(const TrainConfig& config, const std::vector<std::string>& axes) {
  return fmt::format("{}", fmt::join(label_parts(config, axes), " "));
}

std::vector<std::string> label_parts(const TrainConfig& config, const std::vector<std::string>& axes) {
  std::vector<std::string> parts;
  for (const std::string& axis : axes) {
    const std::string value = config_value(config, axis);
    parts.push_back(axis == "schedule" ? schedule_label(value)
                    : axis == "budget" ? value
                                       : axis + " " + value);
  }
  if (parts.empty()) parts = {schedule_label(config.schedule), config.budget};
  return parts;
}

std::string other_values(const TrainConfig& config, const std::vector<std::string>& axes) {
  static const TrainConfig defaults;
  std::string text;
  for (const std::string& axis : axes) {
    const std::string value = config_value(config, axis);
    if (value != config_value(defaults, axis)) text += fmt::format(", {} {}", axis, value);
  }
  return text;
}

std::optional<RunScore> run_score(const RunRecord& run) {
  if (run.status != RunStatus::kDone) return std::nullopt;
  const std::string score = task_score({run});
  const std::optional<double> value = score_of(run, score);
  if (!value) return std::nullopt;
  const auto [higher_is_better, is_share] = *score_kind(score);
  std::string name = score == "test_accuracy" ? "" : score.substr(std::string("test_").size());
  std::replace(name.begin(), name.end(), '_', ' ');
  return RunScore{name, score_text((is_share ? 100 : 1) * *value, is_share) + (is_share ? " %" : ""),
                  higher_is_better ? *value : -*value};
}

}  // namespace glidepath
