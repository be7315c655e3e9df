// src/study/store/run_files.cpp - what a run leaves in its folder, read back.
#include "study/store/run_files.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <sstream>

#include <nlohmann/json.hpp>

#include "config/result_numbers.h"
#include "files/read_file.h"
#include "glidepath/error.h"
#include "study/plan/check_plan.h"
#include "study/plan/identity.h"
#include "study/store/json_file.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

using nlohmann::json;

/// NaN for what is missing: JSON has no NaN, so a loss that is not finite is null.
double number(const json& object, const char* key) {
  const auto value = object.find(key);
  if (value == object.end() || !value->is_number()) return std::numeric_limits<double>::quiet_NaN();
  return value->get<double>();
}

}  // namespace

const std::vector<std::string>& score_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> scores;
    for (const ResultNumber& number : result_numbers()) {
      if (number.stored == Stored::kScore) scores.emplace_back(number.name);
    }
    return scores;
  }();
  return names;
}

bool is_plausible_score(const std::string& name, double value) {
  const ResultNumber* number = find_result_number(name);
  return number != nullptr && number->stored == Stored::kScore && is_plausible(number->kind, value);
}

bool read_summary(const fs::path& dir, RunRecord& run) {
  const json summary = read_object(dir / "summary.json");
  if (!summary.is_object() || !summary.contains("status") || !summary["status"].is_string()) return false;
  run.test_accuracy = number(summary, "test_accuracy");
  run.test_loss = number(summary, "test_loss");
  run.train_loss = number(summary, "train_loss");
  run.train_accuracy = number(summary, "train_accuracy");
  for (const std::string& name : score_names()) {
    const double value = number(summary, name.c_str());
    if (is_plausible_score(name, value)) run.scores[name] = value;
  }
  run.updates = whole_at(summary, "updates");
  run.epochs = number(summary, "epochs");
  run.seconds = number(summary, "seconds");
  run.images_per_second = number(summary, "images_per_second");
  run.peak_memory_mib = number(summary, "peak_memory_mib");
  const std::string status = summary["status"];
  run.status = status == "diverged"                   ? RunStatus::kDiverged
               : status == "done" && has_outcome(run) ? RunStatus::kDone
                                                      : RunStatus::kFailed;
  run.error = run.status == RunStatus::kDone ? ""
              : status != "done"             ? plain_error(status)
                                             : "summary.json has neither a test_accuracy nor a loss";
  return true;
}

bool read_result(RunRecord& run) {
  if (!read_summary(run.directory, run)) return false;
  if (run.status == RunStatus::kDiverged) {
    const std::string message = last_message(run.directory / "log.txt");
    run.error = message.empty() ? "the loss became infinite or NaN" : message;
  }
  return run.status != RunStatus::kFailed;
}

std::vector<CurvePoint> read_metrics(const fs::path& dir) {
  std::vector<CurvePoint> curve;
  LineFile lines(dir / "metrics.jsonl");
  for (std::string line; lines.next(line);) {
    const json point = parse_object(line);
    const std::string kind = text_at(point, "kind");
    if (kind != "train" && kind != "eval") continue;
    curve.push_back({kind, whole_at(point, "step"), number(point, "progress"), number(point, "lr"),
                     number(point, "loss"), number(point, "accuracy")});
  }
  return curve;
}

std::vector<MeasurePoint> read_measure_lines(const fs::path& dir) {
  std::vector<MeasurePoint> measures;
  LineFile lines(dir / "metrics.jsonl");
  for (std::string line; lines.next(line);) {
    const json point = parse_object(line);
    if (text_at(point, "kind") != "measure") continue;
    for (const auto& [name, value] : point.items()) {
      const bool says_when = name == "step" || name == "epoch" || name == "progress" || name == "lr";
      if (says_when || !value.is_number()) continue;
      measures.push_back({name, whole_at(point, "step"), number(point, "progress"), number(point, "lr"),
                          value.get<double>()});
    }
  }
  return measures;
}

double latest_progress(const fs::path& dir) {
  const std::string text = tail_of(dir / "metrics.jsonl", 8192);
  std::istringstream lines(text);
  double progress = 0;
  for (std::string line; std::getline(lines, line);) {
    const json point = parse_object(line);
    const std::string kind = text_at(point, "kind");
    if (kind != "train" && kind != "eval") continue;
    const double value = number(point, "progress");
    if (value >= 0 && value <= 1) progress = value;
  }
  return progress;
}

std::string last_message(const fs::path& log) {
  std::istringstream lines(tail_of(log, 4096));
  std::string last;
  for (std::string line; std::getline(lines, line);) {
    if (line.find_first_not_of(" \t\r") != std::string::npos) last = line;
  }
  const std::string name = "glidepath train: ";
  if (last.compare(0, name.size(), name) == 0) last.erase(0, name.size());
  return plain_error(last);
}

bool holds_run(const fs::path& dir, const std::string& id) {
  std::error_code error;
  const fs::path file = dir / "config.toml";
  if (!fs::is_regular_file(file, error)) return false;  // a pipe would be waited for
  try {
    return is_run(read_train_config(file, ConfigOrigin::kWritten), id);
  } catch (const Error&) {
    return false;
  }
}

}  // namespace glidepath
