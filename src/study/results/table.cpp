// src/study/results/table.cpp - sorts the runs of a study into rows, columns and cells.
#include "glidepath/table.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "config/result_numbers.h"
#include "config/task_facts.h"
#include "glidepath/error.h"
#include "glidepath/schedule.h"
#include "study/results/judge.h"
#include "study/results/run_words.h"

namespace glidepath {
namespace {

std::string checked_axis(const StudyResults& results, const std::string& flag, const std::string& axis) {
  if (std::find(results.axes.begin(), results.axes.end(), axis) == results.axes.end()) {
    throw InputError(fmt::format("{} \"{}\": not an axis of this study; its axes are {}", flag, axis,
                                 fmt::join(results.axes, ", ")));
  }
  return axis;
}

/// `preferred` if it is an axis, or else the first that is neither the seed nor taken; "" if there is none.
std::string default_axis(const StudyResults& results, const std::string& preferred,
                         const std::string& taken) {
  std::string first;
  for (const std::string& axis : results.axes) {
    if (axis == taken) continue;
    if (axis == preferred) return axis;
    if (first.empty() && axis != "seed") first = axis;
  }
  return first;
}

struct Axes {
  std::string row, column;
  std::vector<std::string> others;
  std::vector<std::string> joined;  // of a union: what a row's name says beside the row's axis
};

Axes choose_axes(const StudyResults& results, const TableOptions& options) {
  Axes axes;
  if (!options.rows.empty()) axes.row = checked_axis(results, "--rows", options.rows);
  if (!options.columns.empty()) axes.column = checked_axis(results, "--columns", options.columns);
  if (!axes.row.empty() && axes.row == axes.column) {
    throw InputError(fmt::format("--columns \"{}\": is already the rows' axis", axes.column));
  }
  if (axes.row.empty()) axes.row = default_axis(results, "schedule", axes.column);
  if (axes.column.empty()) axes.column = default_axis(results, "budget", axes.row);
  for (const std::string& axis : results.axes) {
    if (axis != axes.row && axis != axes.column && axis != "seed") axes.others.push_back(axis);
  }
  // The products of a union share few values: a table for each would be full of holes.
  if (results.is_union && options.rows.empty()) std::swap(axes.joined, axes.others);
  return axes;
}

std::vector<std::string> axis_values(const StudyResults& results, const std::string& axis) {
  if (axis.empty()) return {"test accuracy"};
  return results.values.at(axis);
}

std::size_t value_index(const std::vector<std::string>& values, const RunRecord& run,
                        const std::string& axis) {
  if (axis.empty()) return 0;
  const auto found = std::find(values.begin(), values.end(), config_value(run.config, axis));
  return static_cast<std::size_t>(found - values.begin());
}

/// A value as tables show it.
std::string shown(const std::string& axis, const std::string& value) {
  return axis == "schedule" ? schedule_label(value) : value;
}

std::vector<std::string> shown_values(const StudyResults& results, const std::string& axis) {
  std::vector<std::string> values = axis_values(results, axis);
  for (std::string& value : values) value = shown(axis, value);
  return values;
}

/// "const, optimizer amsgrad": the value on the row's axis, and what of the joined ones is not the default.
std::string row_name(const RunRecord& run, const Axes& axes, const std::string& fallback) {
  const std::string name = axes.row.empty() ? fallback : shown(axes.row, config_value(run.config, axes.row));
  return name + other_values(run.config, axes.joined);
}

/// The rows of a union, in the order of their axes' values.
std::vector<std::string> joined_rows(const StudyResults& results, const Axes& axes) {
  std::map<std::vector<std::size_t>, std::string> names;
  for (const RunRecord& run : results.runs) {
    std::vector<std::size_t> place;
    for (const std::string& axis : axes.joined)
      place.push_back(value_index(axis_values(results, axis), run, axis));
    place.push_back(value_index(axis_values(results, axes.row), run, axes.row));
    names[place] = row_name(run, axes, results.name);
  }
  std::vector<std::string> rows;
  for (const auto& [place, name] : names) rows.push_back(name);
  return rows;
}

/// Throws InputError for what says nothing of how good weights are.
void check_score(const std::string& name) {
  if (name == "test_accuracy" || name == "test_loss") return;
  const ResultNumber* number = find_result_number(name);
  if (number != nullptr && number->stored == Stored::kScore && score_kind(name)) return;
  std::vector<std::string> known = {"test_accuracy", "test_loss"}, metrics;
  for (const ResultNumber& each : result_numbers()) {
    if (each.stored == Stored::kScore && !each.is_metric && score_kind(each.name)) known.push_back(each.name);
  }
  for (const MetricFacts& metric : metric_facts()) metrics.push_back(metric.name);
  throw InputError(fmt::format("--score \"{}\": must be one of {}, or begin with test_ or val_ and end in {}",
                               name, fmt::join(known, ", "), fmt::join(metrics, ", ")));
}

/// Higher is better for all that is judged.
void add_run(TableCell& cell, const RunRecord& run, const std::string& score) {
  const ScoreKind kind = *score_kind(score);
  cell.planned += 1;
  if (run.status == RunStatus::kDiverged) cell.diverged += 1;
  if (run.status == RunStatus::kFailed) cell.failed += 1;
  const std::optional<double> value = score_of(run, score);
  if (const double loss = shown_loss(run); !std::isnan(loss) && !value) {
    cell.losses.push_back(loss);
    return;
  }
  if (run.status != RunStatus::kDone || !value) return;
  cell.values.push_back((kind.is_share ? 100 : 1) * (kind.higher_is_better ? 1 : -1) * *value);
  cell.seeds.push_back(run.config.seed);
}

void summarise(TableCell& cell) {
  cell.mean = mean(cell.values);
  cell.stddev = sample_stddev(cell.values);
}

Mark mark_of(Standing standing) {
  return standing == Standing::kBehind  ? Mark::kNone
         : standing == Standing::kLevel ? Mark::kLevel
                                        : Mark::kUnsure;
}

void mark_column(StudyTable& table, std::size_t column) {
  const ColumnVerdict verdict = judge(column_of(table, column));
  table.verdicts.push_back(verdict);
  if (!verdict.best) return;
  TableCell& best = table.cells[*verdict.best][column];
  best.best = true;
  // Compared as printed: a lead that the reader cannot see is none.
  const auto printed = [](const TableCell& cell) { return score_text(cell.mean, cell.is_share); };
  for (const Rival& rival : verdict.rivals) {
    TableCell& cell = table.cells[rival.row][column];
    cell.best = !rival.by_divergence && printed(cell) == printed(best);
  }
  if (verdict.verdict == Verdict::kClear) best.mark = Mark::kBest;
  if (verdict.verdict != Verdict::kLevel && verdict.verdict != Verdict::kNoisy) return;
  best.mark = verdict.verdict == Verdict::kLevel ? Mark::kLevel : Mark::kUnsure;
  for (const Rival& rival : verdict.rivals) table.cells[rival.row][column].mark = mark_of(rival.standing);
}

std::string caption_of(const RunRecord& run, const std::vector<std::string>& axes) {
  std::vector<std::string> parts;
  for (const std::string& axis : axes)
    parts.push_back(axis + " " + shown(axis, config_value(run.config, axis)));
  return fmt::format("{}", fmt::join(parts, ", "));
}

/// The place of a run's table among all: the other axes' values in the plan's order.
std::vector<std::size_t> table_place(const StudyResults& results, const RunRecord& run,
                                     const std::vector<std::string>& axes) {
  std::vector<std::size_t> place;
  for (const std::string& axis : axes) place.push_back(value_index(axis_values(results, axis), run, axis));
  return place;
}

}  // namespace

std::string table_score(const StudyResults& results, const TableOptions& options) {
  const std::string& named = options.score.empty() ? results.table.score : options.score;
  return named.empty() ? task_score(results.runs) : named;
}

std::string task_score(const std::vector<RunRecord>& runs) {
  for (const TaskFacts& task : task_facts()) {
    const std::string score = "test_" + task.score;
    if (std::any_of(runs.begin(), runs.end(),
                    [&](const RunRecord& run) { return run.scores.count(score) > 0; }))
      return score;
  }
  return "test_accuracy";
}

std::optional<double> score_of(const RunRecord& run, const std::string& name) {
  const auto number = [](double value) {
    return std::isnan(value) ? std::nullopt : std::optional<double>(value);
  };
  if (name == "test_accuracy") return number(run.test_accuracy);
  if (name == "test_loss") return number(run.test_loss);
  const auto found = run.scores.find(name);
  return found == run.scores.end() ? std::nullopt : std::optional<double>(found->second);
}

std::string score_text(double value, bool is_share) { return score_text(value, is_share, value); }

std::string score_text(double value, bool is_share, double beside) {
  if (is_share) return fmt::format("{:.2f}", value);
  const double size = std::abs(beside);
  if (!(size >= 1e-4 && size < 1e6)) return fmt::format("{:.4g}", value);
  return fmt::format("{:.{}f}", value, std::max(0, 3 - static_cast<int>(std::floor(std::log10(size)))));
}

std::string score_title(const StudyResults& results, const TableOptions& options) {
  const ResultNumber* number = find_result_number(table_score(results, options));
  return number == nullptr ? find_result_number("test_accuracy")->what : number->what;
}

std::vector<StudyTable> make_running_tables(const StudyResults& results, const TableOptions& options) {
  constexpr const char* kRunning = "test_accuracy_running";
  const bool is_other = std::any_of(results.runs.begin(), results.runs.end(), [&](const RunRecord& run) {
    const auto running = run.scores.find(kRunning);
    return run.status == RunStatus::kDone && running != run.scores.end() &&
           running->second != run.test_accuracy;
  });
  if (table_score(results, options) != "test_accuracy" || !is_other) return {};
  TableOptions running = options;
  running.score = kRunning;
  return make_tables(results, running);
}

std::string TableCell::text() const {
  std::vector<std::string> notes;
  const bool by_loss = values.empty() && !losses.empty();
  const std::vector<double>& shown = by_loss ? losses : values;
  if (!shown.empty() && shown.size() < planned)
    notes.push_back(fmt::format("{} of {}", shown.size(), planned));
  if (diverged > 0) notes.push_back(fmt::format("{} diverged", diverged));
  if (failed > 0) notes.push_back(fmt::format("{} failed", failed));
  if (diverged > 0 && diverged == planned) return "diverged";
  if (shown.empty()) return notes.empty() ? "-" : fmt::format("{}", fmt::join(notes, ", "));
  std::string text =
      by_loss ? fmt::format("loss {:.4f}", glidepath::mean(losses)) : score_text(mean, is_share);
  if (shown.size() > 1) {
    text += by_loss ? fmt::format(" ± {:.4f}", sample_stddev(losses))
                    : fmt::format(" ± {}", score_text(stddev, is_share, mean));
  }
  if (!notes.empty()) text += fmt::format(" ({})", fmt::join(notes, ", "));
  if (mark == Mark::kLevel) text += " =";
  if (mark == Mark::kUnsure) text += " ~";
  return text;
}

bool StudyTable::has_losses() const {
  return std::any_of(cells.begin(), cells.end(), [](const std::vector<TableCell>& row) {
    return std::any_of(row.begin(), row.end(), [](const TableCell& cell) { return !cell.losses.empty(); });
  });
}

std::vector<StudyTable> make_tables(const StudyResults& results, const TableOptions& given) {
  TableOptions options = given;
  if (given.rows.empty() && given.columns.empty()) {
    options.rows = results.table.rows;
    options.columns = results.table.columns;
  }
  options.score = table_score(results, given);
  options.labels.insert(results.table.labels.begin(), results.table.labels.end());
  const Axes axes = choose_axes(results, options);
  check_score(options.score);
  std::map<std::vector<std::size_t>, StudyTable> tables;
  for (const RunRecord& run : results.runs) {
    StudyTable& table = tables[table_place(results, run, axes.others)];
    if (table.cells.empty()) {
      table.caption = caption_of(run, axes.others);
      table.higher_is_better = score_kind(options.score)->higher_is_better;
      table.is_share = score_kind(options.score)->is_share;
      table.row_axis = axes.row;
      table.column_axis = axes.column;
      table.rows = results.is_union   ? joined_rows(results, axes)
                   : axes.row.empty() ? std::vector<std::string>{results.name}
                                      : shown_values(results, axes.row);
      table.columns = shown_values(results, axes.column);
      table.cells.assign(table.rows.size(), std::vector<TableCell>(table.columns.size()));
    }
    const auto found = std::find(table.rows.begin(), table.rows.end(), row_name(run, axes, results.name));
    const auto row = static_cast<std::size_t>(found - table.rows.begin());
    TableCell& cell =
        table.cells.at(row).at(value_index(axis_values(results, axes.column), run, axes.column));
    add_run(cell, run, options.score);
    if (run.status == RunStatus::kDone)
      cell.finished.push_back(static_cast<std::size_t>(&run - results.runs.data()));
  }
  std::vector<StudyTable> list;
  for (auto& [place, table] : tables) {
    for (auto& row : table.cells) {
      for (TableCell& cell : row) {
        cell.is_share = table.is_share;
        summarise(cell);
      }
    }
    for (std::size_t column = 0; column < table.columns.size(); ++column) mark_column(table, column);
    rank_rows(table);
    if (!table.higher_is_better) negate_scores(table);  // judged as higher being better, shown as they are
    for (const std::string& row : table.rows) {
      const auto label = options.labels.find(row);
      table.row_labels.push_back(label == options.labels.end() ? row : label->second);
    }
    list.push_back(std::move(table));
  }
  return list;
}

}  // namespace glidepath
