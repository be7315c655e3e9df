// src/watch/snapshot_json.cpp - a snapshot for the live page and for programs.
#include <cmath>

#include <nlohmann/json.hpp>

#include "files/json_text.h"
#include "glidepath/statistics.h"
#include "glidepath/table.h"
#include "report/page/html.h"
#include "report/page/page.h"
#include "report/page/report_json.h"
#include "report/study_data.h"
#include "study/results/run_words.h"
#include "watch/snapshot.h"

namespace glidepath {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kLatest = 12;  // of the ended runs, those that are told

Json run_json(const RunRecord& run, const std::vector<std::string>& axes, const Subjects& lines) {
  return {{"id", run.id},
          {"label", run_label(run.config, axes)},
          {"schedule", run.config.schedule},
          {"subject", lines.of(run.config)},
          {"status", to_string(run.status)},
          {"test_accuracy", run.status == RunStatus::kDone ? number_json(run.test_accuracy) : Json(nullptr)},
          {"score", score_json(run)},
          {"loss", number_json(shown_loss(run))},
          {"seconds", run.status == RunStatus::kDone ? number_json(run.seconds) : Json(nullptr)},
          {"error", run.error}};
}

Json curves_json(const std::vector<CurveTable>& curves) {
  Json list = Json::array();
  for (const CurveTable& table : curves) {
    Json values = Json::array();
    for (const auto& column : table.values) values.push_back(numbers_json(column));
    list.push_back({{"kind", table.kind}, {"columns", table.columns}, {"values", values}});
  }
  return list;
}

Json running_json(const WatchedRun& watched, const std::vector<std::string>& axes, const Subjects& lines,
                  bool curves) {
  Json json = run_json(watched.run, axes, lines);
  json["progress"] = watched.progress;
  json["seconds"] = number_json(watched.seconds);
  json["abandoned"] = watched.is_abandoned;
  if (curves) json["curves"] = curves_json(watched.curves);
  return json;
}

Json table_json(const StudyTable& table) {
  Json means = Json::array(), spreads = Json::array(), losses = Json::array();
  for (const auto& row : table.cells) {
    Json line = Json::array(), spread = Json::array(), loss = Json::array();
    for (const TableCell& cell : row) {
      line.push_back(number_json(cell.mean));
      spread.push_back(number_json(cell.stddev));
      loss.push_back(number_json(cell.losses.empty() ? NAN : mean(cell.losses)));
    }
    means.push_back(line);
    spreads.push_back(spread);
    losses.push_back(loss);
  }
  return {{"caption", table.caption},
          {"is_share", table.is_share},
          {"row_axis", table.row_axis},
          {"column_axis", table.column_axis},
          {"rows", table.rows},
          {"columns", table.columns},
          {"means", means},
          {"spreads", spreads},
          {"losses", losses}};
}

}  // namespace

std::string snapshot_json(const WatchSnapshot& snapshot, bool curves) {
  const StudyResults& results = snapshot.results;
  Json json = {{"name", results.name},
               {"title", results.heading()},
               {"total", results.runs.size()},
               {"done", snapshot.count(RunStatus::kDone)},
               {"running", snapshot.count(RunStatus::kRunning)},
               {"pending", snapshot.count(RunStatus::kPending)},
               {"diverged", snapshot.count(RunStatus::kDiverged)},
               {"failed", snapshot.count(RunStatus::kFailed)},
               {"over", snapshot.is_over()},
               {"seconds_left", number_json(snapshot.seconds_left)},
               {"subjects", subjects_json(subjects_of(results, {}))}};
  const Subjects lines(results);
  json["jobs"] = Json::array();
  for (const WatchedRun& watched : snapshot.running) {
    json["jobs"].push_back(running_json(watched, results.axes, lines, curves));
  }
  json["latest"] = json["failures"] = Json::array();
  for (const std::size_t index : snapshot.ended) {
    const RunRecord& run = results.runs[index];
    if (json["latest"].size() < kLatest) json["latest"].push_back(run_json(run, results.axes, lines));
    if (run.status != RunStatus::kDone) json["failures"].push_back(run_json(run, results.axes, lines));
  }
  json["score"] = score_title(results);
  json["tables"] = Json::array();
  for (const StudyTable& table : make_tables(results)) json["tables"].push_back(table_json(table));
  return json_text(json);
}

}  // namespace glidepath
