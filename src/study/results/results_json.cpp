// src/study/results/results_json.cpp - a study's runs and tables as one JSON document.
#include <cmath>

#include <nlohmann/json.hpp>

#include "files/json_text.h"
#include "glidepath/table.h"

namespace glidepath {
namespace {

using Json = nlohmann::ordered_json;

Json number(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

Json run_json(const RunRecord& run) {
  const bool is_done = run.status == RunStatus::kDone;
  const auto result = [&](double value) { return is_done ? number(value) : Json(nullptr); };
  Json config = Json::object();
  for (const ConfigKey& key : train_config_keys()) config[key.name] = config_value(run.config, key.name);
  Json scores = Json::object();
  if (is_done) {
    for (const auto& [name, value] : run.scores) scores[name] = number(value);
  }
  return {{"id", run.id},
          {"status", to_string(run.status)},
          {"error", run.error},
          {"config", config},
          {"test_accuracy", result(run.test_accuracy)},
          {"test_loss", result(run.test_loss)},
          {"train_loss", result(run.train_loss)},
          {"train_accuracy", result(run.train_accuracy)},
          {"scores", scores},
          {"updates", run.updates},
          {"epochs", result(run.epochs)},
          {"seconds", result(run.seconds)},
          {"images_per_second", result(run.images_per_second)},
          {"peak_memory_mib", result(run.peak_memory_mib)},
          {"attempts", run.attempts},
          {"directory", run.directory.string()}};
}

Json cell_json(const TableCell& cell) {
  return {{"mean", number(cell.mean)}, {"stddev", number(cell.stddev)}, {"n", cell.values.size()},
          {"planned", cell.planned},   {"diverged", cell.diverged},     {"failed", cell.failed},
          {"best", cell.best}};
}

const char* name_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::kNoResult:
      return "no result";
    case Verdict::kAlone:
      return "alone";
    case Verdict::kOneSeed:
      return "one seed";
    case Verdict::kClear:
      return "clear";
    case Verdict::kLevel:
      return "level";
    case Verdict::kNoisy:
      return "too noisy to tell";
  }
  return "";
}

const char* name_of(Standing standing) {
  return standing == Standing::kBehind ? "behind" : standing == Standing::kLevel ? "level" : "unsure";
}

Json verdict_json(const ColumnVerdict& verdict) {
  Json rivals = Json::array();
  for (const Rival& rival : verdict.rivals) {
    rivals.push_back({{"row", rival.row},
                      {"standing", name_of(rival.standing)},
                      {"by_divergence", rival.by_divergence},
                      {"pairs", rival.difference.pairs},
                      {"difference", number(rival.difference.mean)},
                      {"half_width", number(rival.half_width)},
                      {"p_value", rival.p_value}});
  }
  return {{"verdict", name_of(verdict.verdict)},
          {"best", verdict.best ? Json(*verdict.best) : Json(nullptr)},
          {"rivals", rivals}};
}

Json table_json(const StudyTable& table) {
  Json cells = Json::array();
  for (const auto& row : table.cells) {
    Json line = Json::array();
    for (const TableCell& cell : row) line.push_back(cell_json(cell));
    cells.push_back(line);
  }
  Json verdicts = Json::array();
  for (const ColumnVerdict& verdict : table.verdicts) verdicts.push_back(verdict_json(verdict));
  return {{"caption", table.caption},
          {"higher_is_better", table.higher_is_better},
          {"in_percent", table.is_share},
          {"row_axis", table.row_axis},
          {"column_axis", table.column_axis},
          {"rows", table.rows},
          {"columns", table.columns},
          {"cells", cells},
          {"average_rank", table.average_rank},
          {"ranked_columns", table.ranked_columns},
          {"verdicts", verdicts}};
}

}  // namespace

std::string results_json(const StudyResults& results, const TableOptions& options) {
  Json document = {{"name", results.name}, {"title", results.title}, {"axes", results.axes}};
  document["runs"] = Json::array();
  for (const RunRecord& run : results.runs) document["runs"].push_back(run_json(run));
  document["tables"] = Json::array();
  for (const StudyTable& table : make_tables(results, options))
    document["tables"].push_back(table_json(table));
  return json_text(document, 2) + "\n";
}

}  // namespace glidepath
