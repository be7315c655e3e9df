// src/study/plan/check_plan.cpp - what a study says of itself, checked whoever wrote it.
#include "study/plan/check_plan.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "core/safe_text.h"
#include "glidepath/error.h"
#include "glidepath/schedule.h"

namespace glidepath {
namespace {

constexpr double kMostCount = 9007199254740992.0;  // 2^53

[[noreturn]] void refuse(const std::string& place, const std::string& what) {
  throw InputError(fmt::format("{}: {}; it is damaged, or was not written by glidepath", place, what));
}

void check_text(const std::string& text, const char* key, const std::string& place) {
  const std::string problem = problem_of_line(text, kMostPlanTextBytes);
  if (!problem.empty()) refuse(place, fmt::format("{}: {}", key, problem));
}

void check_values(const std::string& axis, const std::vector<std::string>& values, const std::string& place) {
  TrainConfig config;
  try {
    for (const std::string& value : values) set_config_value(config, axis, value);
  } catch (const InputError& error) {
    refuse(place, error.what());
  }
}

bool is_amount(double value) { return std::isnan(value) || (value >= 0 && value <= kMostCount); }

}  // namespace

void check_plan(const std::string& name, const std::string& title, const std::vector<std::string>& axes,
                const std::map<std::string, std::vector<std::string>>& values,
                const std::vector<std::string>& figures, const std::string& place) {
  check_text(name, "name", place);
  check_text(title, "title", place);
  for (const auto& [axis, list] : values) check_values(axis, list, place);
  for (const std::string& axis : axes) {
    if (values.count(axis) == 0 || values.at(axis).empty() || std::count(axes.begin(), axes.end(), axis) > 1)
      refuse(place, fmt::format("axis \"{}\" has no values, or is there twice", axis));
  }
  for (const std::string& id : figures) {
    if (std::find(figure_ids().begin(), figure_ids().end(), id) == figure_ids().end())
      refuse(place, fmt::format("\"{}\" is no figure", id));
  }
}

void check_label(const std::string& name, const std::string& text) {
  for (const std::string& each : {name, text}) {
    const std::string problem = problem_of_line(each, kMostPlanTextBytes);
    if (!problem.empty()) throw InputError(fmt::format("{}: {}", plain_line(name), problem));
    if (each.empty()) throw InputError(fmt::format("{}: must not be empty", plain_line(name)));
  }
}

void check_reference(const StudyReference& reference, const std::string& place) {
  check_text(reference.source, "reference", place);
  const auto is_percent = [](double value) { return value > 0 && std::isfinite(value); };
  if (!std::all_of(reference.budgets.begin(), reference.budgets.end(), is_percent) ||
      std::adjacent_find(reference.budgets.begin(), reference.budgets.end(), std::greater_equal<>()) !=
          reference.budgets.end()) {
    refuse(place, "reference: budgets that are no percentages that rise");
  }
  for (const auto& [schedule, accuracies] : reference.accuracy) {
    try {
      canonical_schedule(schedule);
      check_text(schedule, "reference", place);
    } catch (const InputError& error) {
      refuse(place, fmt::format("reference: {}", error.what()));
    }
    const bool is_right =
        accuracies.size() == reference.budgets.size() &&
        std::all_of(accuracies.begin(), accuracies.end(), [](double a) { return a >= 0 && a <= 100; });
    if (!is_right) refuse(place, fmt::format("reference: {}: accuracies that are none", schedule));
  }
}

bool is_run_id(const std::string& text) {
  return text.size() == 16 && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

void check_run_id(const std::string& id, const std::string& place) {
  if (!is_run_id(id)) refuse(place, fmt::format("\"{}\" is no id of a run", id));
}

double shown_loss(const RunRecord& run) {
  if (run.status != RunStatus::kDone || !std::isnan(run.test_accuracy)) return NAN;
  return std::isfinite(run.test_loss) ? run.test_loss : run.train_loss;
}

bool has_outcome(const RunRecord& run) {
  if (std::isnan(run.test_accuracy)) return std::isfinite(run.test_loss) || std::isfinite(run.train_loss);
  return run.test_accuracy >= 0 && run.test_accuracy <= 1;
}

void check_result(const RunRecord& run, const std::string& place) {
  const auto require = [&](bool is_right, const char* what, double value) {
    if (!is_right) refuse(place, fmt::format("run {}: {} {}", run.id, what, value));
  };
  const bool is_done = run.status == RunStatus::kDone;
  require(!is_done || has_outcome(run), "test_accuracy", run.test_accuracy);
  require(run.updates >= 0 && static_cast<double>(run.updates) <= kMostCount, "updates",
          static_cast<double>(run.updates));
  require(run.attempts >= 0, "attempts", static_cast<double>(run.attempts));
  require(is_amount(run.epochs), "epochs", run.epochs);
  require(!(run.epochs > 0) || is_amount(static_cast<double>(run.updates) / run.epochs), "epochs",
          run.epochs);
  require(is_amount(run.seconds), "seconds", run.seconds);
  require(is_amount(run.images_per_second), "images_per_second", run.images_per_second);
  require(is_amount(run.peak_memory_mib), "peak_memory_mib", run.peak_memory_mib);
}

std::string plain_error(const std::string& text) {
  constexpr std::size_t kMost = 2000;
  return plain_line(text.size() > kMost ? text.substr(0, kMost) + "..." : text);
}

}  // namespace glidepath
