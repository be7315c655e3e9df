// src/study/results/results.cpp - reading a study's store, from any process and at any time.
#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "core/safe_text.h"
#include "files/json_text.h"
#include "glidepath/error.h"
#include "glidepath/study.h"
#include "study/plan/check_plan.h"
#include "study/plan/reference.h"
#include "study/store/run_collection.h"
#include "study/store/run_files.h"
#include "study/store/run_points.h"
#include "study/store/store.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

constexpr std::size_t kMostMeasures = 200;

Database open_store(const fs::path& dir) {
  const fs::path file = store_file(dir);
  std::error_code ignored;
  if (!fs::exists(file, ignored)) {
    throw InputError(fmt::format(
        "{}: no study there (study.sqlite is missing); give the --out of glidepath study", dir.string()));
  }
  Database database(file, Database::Mode::kRead);
  if (checked_version(database, dir) == 0) {
    throw InputError(fmt::format("{}: holds no study yet; run one with glidepath study", file.string()));
  }
  return database;
}

/// One of the JSON texts of the plan.
template <typename Value>
Value parse_plan_entry(const std::string& text, const fs::path& dir, const std::string& key) {
  try {
    return parse_json(text).get<Value>();
  } catch (const nlohmann::json::exception&) {
    throw InputError(
        fmt::format("{}: {} of its plan is damaged; run glidepath study again, it is written anew",
                    store_file(dir).string(), key));
  }
}

RunRecord read_run(const Statement& row, const fs::path& dir) {
  RunRecord run;
  run.id = row.text(0);
  check_run_id(run.id, store_file(dir).string());
  run.config = parse_train_config(row.text(1), fmt::format("{}: run {}", store_file(dir).string(), run.id),
                                  ConfigOrigin::kWritten);
  const std::string status = row.text(2);
  for (const RunStatus known :
       {RunStatus::kRunning, RunStatus::kDone, RunStatus::kDiverged, RunStatus::kFailed}) {
    if (status == to_string(known)) run.status = known;
  }
  run.error = plain_error(row.text(3));
  run.test_accuracy = row.real(4);
  run.test_loss = row.real(5);
  run.train_loss = row.real(6);
  run.train_accuracy = row.real(7);
  run.updates = row.integer(8);
  run.epochs = row.real(9);
  run.seconds = row.real(10);
  run.images_per_second = row.real(11);
  run.peak_memory_mib = row.real(12);
  run.attempts = row.integer(13);
  run.directory = dir / "runs" / run.id;
  check_result(run, store_file(dir).string());
  return run;
}

/// Of the names that runs have, and such values.
void add_scores(Database& database, std::vector<RunRecord>& runs) {
  std::map<std::string, RunRecord*> by_id;
  for (RunRecord& run : runs) by_id[run.id] = &run;
  Statement rows(database, "SELECT run_id, name, value FROM scores");
  while (rows.step()) {
    const auto run = by_id.find(rows.text(0));
    const std::string name = rows.text(1);
    if (run != by_id.end() && is_plausible_score(name, rows.real(2)))
      run->second->scores[name] = rows.real(2);
  }
}

/// Nothing that is not finite, and nothing that no axis could show.
double plausible(double value) {
  constexpr double kLargest = 1e100;
  return std::abs(value) <= kLargest ? value : std::numeric_limits<double>::quiet_NaN();
}

/// A finished run keeps the configuration it ran with, in which a value may be spelt in another way.
void add_spellings(StudyResults& results) {
  for (const std::string& axis : results.axes) {
    std::vector<std::string>& values = results.values[axis];
    std::set<std::string> known(values.begin(), values.end());
    for (const RunRecord& run : results.runs) {
      const std::string value = config_value(run.config, axis);
      if (known.insert(value).second) values.push_back(value);
    }
  }
}

void require_run(Database& database, const fs::path& dir, const std::string& run_id) {
  Statement known(database, "SELECT 1 FROM runs WHERE id = ?1");
  if (!known.bind(1, run_id).step()) {
    throw InputError(fmt::format("{}: the study has no run {}", dir.string(), run_id));
  }
}

}  // namespace

StudyResults read_results(const fs::path& dir) {
  return is_run_collection(dir) ? read_run_collection(dir) : read_study_results(dir);
}

StudyResults read_study_results(const fs::path& dir) {
  Database database = open_store(dir);
  database.execute("BEGIN");  // one moment for the plan and its runs
  StudyResults results;
  Statement plan(database, "SELECT key, value FROM plan");
  while (plan.step()) {
    const std::string key = plan.text(0), value = plan.text(1);
    if (key == "name") results.name = value;
    if (key == "title") results.title = value;
    if (key == "axes") results.axes = parse_plan_entry<std::vector<std::string>>(value, dir, key);
    if (key == "is_union") results.is_union = parse_plan_entry<bool>(value, dir, key);
    if (key == "figures") results.figures = parse_plan_entry<std::vector<std::string>>(value, dir, key);
    if (key == "reference") results.reference = parse_plan_entry<StudyReference>(value, dir, key);
    if (key == "table") {
      const auto table = parse_plan_entry<std::map<std::string, std::string>>(value, dir, key);
      const auto text = [&](const char* name) {
        return table.count(name) > 0 ? table.at(name) : std::string();
      };
      results.table.rows = text("rows");
      results.table.columns = text("columns");
      results.table.score = text("score");
    }
    if (key == "labels")
      results.table.labels = parse_plan_entry<std::map<std::string, std::string>>(value, dir, key);
    if (key == "axis_values") {
      results.values = parse_plan_entry<std::map<std::string, std::vector<std::string>>>(value, dir, key);
    }
  }
  const std::string place = store_file(dir).string();
  check_plan(results.name, results.title, results.axes, results.values, results.figures, place);
  check_reference(results.reference, place);
  try {
    for (const auto& [name, text] : results.table.labels) check_label(name, text);
  } catch (const InputError& error) {
    throw InputError(fmt::format("{}: label {}", place, error.what()));
  }
  for (std::string* axis : {&results.table.rows, &results.table.columns}) {
    if (std::find(results.axes.begin(), results.axes.end(), *axis) == results.axes.end()) axis->clear();
  }
  Statement rows(
      database,
      "SELECT id, config, status, error, test_accuracy, test_loss, train_loss, train_accuracy, updates, "
      "epochs, seconds, images_per_second, peak_memory_mib, attempts FROM runs "
      "WHERE position IS NOT NULL ORDER BY position");
  while (rows.step()) results.runs.push_back(read_run(rows, dir));
  if (checked_version(database, dir) >= 4) add_scores(database, results.runs);  // older ones have none
  add_spellings(results);
  return results;
}

struct RunPoints::Parts {
  fs::path dir;
  std::optional<std::map<std::string, fs::path>> folders;  // none of a study
  std::optional<Database> database;
  std::int64_t version = 0;

  /// Of a collection. Throws InputError where it has no such run, as require() does of a study.
  const fs::path& folder(const std::string& run_id) const {
    const auto found = folders->find(run_id);
    if (found == folders->end()) throw InputError(fmt::format("{}: has no run {}", dir.string(), run_id));
    return found->second;
  }
  void require(const std::string& run_id) { require_run(*database, dir, run_id); }
};

RunPoints::RunPoints(const fs::path& dir) : parts_(std::make_unique<Parts>()) {
  parts_->dir = dir;
  if (is_run_collection(dir)) {
    parts_->folders = folders_of_collection(dir);
  } else {
    parts_->database.emplace(open_store(dir));
    parts_->version = checked_version(*parts_->database, dir);
  }
}

RunPoints::~RunPoints() = default;

std::vector<CurvePoint> RunPoints::curve(const std::string& run_id) const {
  if (parts_->folders) return read_metrics(parts_->folder(run_id));
  parts_->require(run_id);
  std::vector<CurvePoint> curve;
  Statement rows(
      *parts_->database,
      "SELECT kind, step, progress, lr, loss, accuracy FROM curves WHERE run_id = ?1 ORDER BY position");
  rows.bind(1, run_id);
  while (rows.step()) {
    const std::string kind = rows.text(0);
    if (kind != "train" && kind != "eval") continue;
    curve.push_back({kind, std::max<std::int64_t>(0, rows.integer(1)), plausible(rows.real(2)),
                     plausible(rows.real(3)), plausible(rows.real(4)), plausible(rows.real(5))});
  }
  return curve;
}

std::vector<MeasurePoint> RunPoints::measures(const std::string& run_id) const {
  if (parts_->folders) return read_measure_lines(parts_->folder(run_id));
  parts_->require(run_id);
  std::vector<MeasurePoint> measures;
  constexpr std::int64_t kFirstWithMeasures = 3;
  if (parts_->version < kFirstWithMeasures) return measures;  // had no such table
  Statement rows(*parts_->database,
                 "SELECT name, step, progress, lr, value FROM measures WHERE run_id = ?1 ORDER BY position");
  rows.bind(1, run_id);
  std::set<std::string> names;
  while (rows.step()) {
    const std::string name = rows.text(0);
    if (!problem_of_line(name, kMostMeasureNameBytes).empty()) continue;
    if (names.size() == kMostMeasures && names.count(name) == 0) continue;  // each is a column of a table
    names.insert(name);
    measures.push_back({name, std::max<std::int64_t>(0, rows.integer(1)), plausible(rows.real(2)),
                        plausible(rows.real(3)), plausible(rows.real(4))});
  }
  return measures;
}

std::vector<CurvePoint> read_curve(const fs::path& dir, const std::string& run_id) {
  return RunPoints(dir).curve(run_id);
}

std::vector<MeasurePoint> read_measures(const fs::path& dir, const std::string& run_id) {
  return RunPoints(dir).measures(run_id);
}

}  // namespace glidepath
