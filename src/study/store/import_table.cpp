// src/study/store/import_table.cpp - a table of runs, a row each, as everyone has them.
#include "study/store/import_table.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <limits>
#include <optional>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "config/result_numbers.h"
#include "core/csv.h"
#include "core/safe_text.h"
#include "core/words.h"
#include "glidepath/error.h"
#include "schedule/synonyms.h"

namespace glidepath {
namespace {

/// "config/Learning Rate" and "learning-rate" are "learning_rate".
std::string plain_name(const std::string& column) {
  std::string name;
  for (const char c : column) {
    const auto byte = static_cast<unsigned char>(c);
    name += std::isalnum(byte) != 0 ? static_cast<char>(std::tolower(byte)) : '_';
  }
  for (const char* prefix : {"config_", "hparams_", "args_"}) {
    if (name.rfind(prefix, 0) == 0) return name.substr(std::string(prefix).size());
  }
  return name;
}

/// Columns of W&B's tables that say nothing of how a run was trained.
bool is_meta(const std::string& column) {
  static const std::set<std::string> names = {"name",     "notes",     "user",     "tags",        "created",
                                              "sweep",    "id",        "group",    "job_type",    "host",
                                              "gpu_type", "gpu_count", "commit",   "updated",     "end_time",
                                              "project",  "entity",    "hostname", "display_name"};
  return column.empty() || column.front() == '_' || names.count(column) > 0;
}

/// What a study's own results.csv says of a run beside its options.
bool is_result(const std::string& column) {
  const auto& numbers = result_numbers();
  return column == "id" || column == "attempts" || column == "error" ||
         std::any_of(numbers.begin(), numbers.end(),
                     [&](const ResultNumber& number) { return number.name == column; });
}

bool is_key(const std::string& name) {
  const auto& keys = train_config_keys();
  return std::any_of(keys.begin(), keys.end(), [&](const ConfigKey& key) { return key.name == name; });
}

/// What a column is for.
struct Column {
  std::string name;  // in the file
  std::string key;   // an option, "score", "seconds", "state", "status"; empty: left out
  std::string unit;  // of its numbers
};

/// One file's table of runs.
class TableReader {
 public:
  TableReader(const std::string& name, const ImportOptions& options, RunCollector& into)
      : name_(terminal_text(name)), options_(options), into_(into) {}

  void read(const std::vector<CsvRow>& rows) {
    rows_ = rows;
    for (const CsvRow& row : rows_) {
      if (row.fields.size() != rows_.front().fields.size())
        refuse(row.line, fmt::format("{} fields, where the first line names {} columns", row.fields.size(),
                                     rows_.front().fields.size()));
    }
    if (rows_.size() < 2) throw InputError(fmt::format("{}: has no row below its names of columns", name_));
    choose_columns();
    scale_ = options_.is_loss ? 1 : scale();
    for (std::size_t i = 1; i < rows_.size(); ++i) add_run(rows_[i]);
    if (unfinished_ > 0)
      into_.results.notes.push_back(
          fmt::format("{} rows are of runs that did not finish, and are left out", unfinished_));
    if (scoreless_ > 0)
      into_.results.notes.push_back(
          fmt::format("{} rows have no {}, and are left out", scoreless_, options_.score));
  }

 private:
  [[noreturn]] void refuse(std::size_t line, const std::string& why) const {
    throw InputError(fmt::format("{}:{}: {}", name_, line, why));
  }

  bool is_constant(std::size_t column) const {
    return std::all_of(rows_.begin() + 1, rows_.end(),
                       [&](const CsvRow& row) { return row.fields[column] == rows_[1].fields[column]; });
  }

  Column meaning_of(std::size_t place) const {
    const std::string& column = rows_.front().fields[place];
    const std::string plain = plain_name(column);
    if (column == options_.score) return {column, "score", ""};
    if (std::count(options_.ignored.begin(), options_.ignored.end(), column) > 0) return {column, "", ""};
    if (const auto given = options_.keys.find(column); given != options_.keys.end())
      return {column, given->second, ""};
    if (plain == "state" || plain == "seconds") return {column, plain, ""};
    if (is_of_study_ && plain == "status") return {column, plain, ""};
    if (is_of_study_ && is_result(plain)) return {column, "", ""};
    if (is_key(plain)) return {column, plain, ""};
    if (plain == "runtime" || plain == "duration") return {column, "seconds", ""};
    // Of a number that stands there for one: "1ep" of epochs.
    const auto other = words::option_elsewhere(plain, "1");
    if (other && is_key(other->key) && other->example.rfind('1', 0) == 0)
      return {column, other->key, other->example.substr(1)};
    if (is_meta(plain) || is_constant(place)) return {column, "", ""};
    refuse(rows_.front().line,
           fmt::format(
               "column \"{}\" is no option of glidepath train, which axes are; say which it is, as --key "
               "\"{}=model\" (model and data take any text, others their own values), or leave it out with "
               "--ignore \"{}\"",
               terminal_text(column), terminal_text(column), terminal_text(column)));
  }

  void choose_columns() {
    const auto& names = rows_.front().fields;
    for (const auto& [column, key] : options_.keys) require_column(column, "--key");
    for (const std::string& column : options_.ignored) require_column(column, "--ignore");
    require_column(options_.score, "--score");
    const std::vector<std::string> ours = {"id", "status", "attempts", "images_per_second"};
    is_of_study_ = std::all_of(ours.begin(), ours.end(), [&](const std::string& name) {
      return std::find(names.begin(), names.end(), name) != names.end();
    });
    std::map<std::string, std::string> taken;
    for (std::size_t i = 0; i < names.size(); ++i) {
      columns_.push_back(meaning_of(i));
      const Column& column = columns_.back();
      if (column.key.empty()) continue;
      const auto [other, is_new] = taken.emplace(column.key, column.name);
      if (!is_new)
        refuse(rows_.front().line,
               fmt::format("columns \"{}\" and \"{}\" are both {}; leave one out with --ignore",
                           terminal_text(other->second), terminal_text(column.name), column.key));
      if (column.key != "score" && plain_name(column.name) != column.key)
        into_.results.notes.push_back(
            fmt::format("column \"{}\" is taken as {}", terminal_text(column.name), column.key));
      const bool varies = !is_constant(i) || column.key == "budget" || column.key == "seed";
      if (is_key(column.key) && varies &&
          std::count(into_.results.plan.axes.begin(), into_.results.plan.axes.end(), column.key) == 0)
        into_.results.plan.axes.push_back(column.key);
    }
    const bool has_budget =
        taken.count("budget") > 0 || std::any_of(options_.set.begin(), options_.set.end(),
                                                 [](const auto& option) { return option.first == "budget"; });
    if (!has_budget)
      refuse(rows_.front().line,
             "no column named budget (or epochs, max_steps); say which it is with --key \"COLUMN=budget\", "
             "or give "
             "all runs one with --set budget=100%");
  }

  void require_column(const std::string& column, const char* flag) const {
    const auto& names = rows_.front().fields;
    if (std::find(names.begin(), names.end(), column) != names.end()) return;
    throw InputError(fmt::format("{} \"{}\": is no column of {}; it has {}", flag, terminal_text(column),
                                 name_, terminal_text(fmt::format("{}", fmt::join(names, ", ")))));
  }

  /// A score as it stands, and whether it has a sign of percent.
  std::pair<std::optional<double>, bool> score_of(const CsvRow& row) const {
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      if (columns_[i].key != "score") continue;
      const std::string& text = row.fields[i];
      if (text.empty()) return {std::nullopt, false};
      const bool has_sign = text.back() == '%';
      const auto value = words::number(has_sign ? text.substr(0, text.size() - 1) : text);
      const bool is_right = value && *value >= 0 && (options_.is_loss || *value <= 100);
      if (!is_right)
        refuse(row.line,
               fmt::format("{} \"{}\": must be {}", terminal_text(options_.score), terminal_text(text),
                           options_.is_loss ? "a number, not negative" : "a number in [0, 100]"));
      return {value, has_sign};
    }
    return {std::nullopt, false};
  }

  /// What turns scores into shares: all are in percent, or all are in [0, 1].
  double scale() const {
    const CsvRow *share = nullptr, *percent = nullptr;
    for (std::size_t i = 1; i < rows_.size(); ++i) {
      const auto [value, has_sign] = score_of(rows_[i]);
      if (!value || has_sign || *value == 0) continue;
      (*value <= 1 ? share : percent) = &rows_[i];
    }
    if (share != nullptr && percent != nullptr)
      refuse(share->line,
             fmt::format("{} {:g} is in [0, 1], and {:g} in line {} is in percent; give all in one of them",
                         terminal_text(options_.score), *score_of(*share).first, *score_of(*percent).first,
                         percent->line));
    return percent != nullptr ? 0.01 : 1;
  }

  void set(RunRecord& run, const CsvRow& row, const Column& column, const std::string& text) const {
    const auto number = words::number(text);
    std::string value = text;
    if (column.key == "budget" && number) {
      const std::string unit = column.unit.empty() ? options_.unit : column.unit;
      if (unit.empty())
        refuse(row.line, fmt::format("{} \"{}\": a plain number; say what it counts, as --unit ep (it, %, s)",
                                     terminal_text(column.name), text));
      value = fmt::format("{}{}", words::number_text(*number), unit);
    }
    try {
      set_config_value(run.config, column.key, value);
    } catch (const InputError& error) {
      refuse(
          row.line,
          fmt::format("{}; leave the column out with --ignore \"{}\", or make it another option's with --key",
                      error.what(), terminal_text(column.name)));
    }
  }

  void add_run(const CsvRow& row) {
    RunRecord run = blank_run(options_);
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      const Column& column = columns_[i];
      const std::string& text = row.fields[i];
      if (column.key.empty() || column.key == "score" || text.empty()) continue;
      if (column.key == "state") {
        if (text == "finished") continue;
        ++unfinished_;
        return;
      }
      if (column.key == "status") {
        if (text == "diverged") run.status = RunStatus::kDiverged;
        if (text == "done" || text == "diverged") continue;
        ++unfinished_;
        return;
      }
      if (column.key == "seconds") {
        run.seconds = words::number(text).value_or(std::numeric_limits<double>::quiet_NaN());
        continue;
      }
      set(run, row, column, text);
    }
    if (run.status == RunStatus::kDiverged) {
      into_.add(run, fmt::format("{}:{}", name_, row.line));
      return;
    }
    const auto [value, has_sign] = score_of(row);
    if (!value) {
      ++scoreless_;
      return;
    }
    (options_.is_loss ? run.test_loss : run.test_accuracy) = *value * (options_.is_loss ? 1
                                                                       : has_sign       ? 0.01
                                                                                        : scale_);
    into_.add(run, fmt::format("{}:{}", name_, row.line));
  }

  std::string name_;
  const ImportOptions& options_;
  RunCollector& into_;
  std::vector<CsvRow> rows_;
  std::vector<Column> columns_;
  double scale_ = 1;
  bool is_of_study_ = false;  // a results.csv of ours
  std::size_t unfinished_ = 0, scoreless_ = 0;
};

}  // namespace

void read_run_table(const std::vector<CsvRow>& rows, const std::string& name, const ImportOptions& options,
                    RunCollector& into) {
  TableReader(name, options, into).read(rows);
}

}  // namespace glidepath
