// src/study/results/render.cpp - tables as text for terminals, Markdown, LaTeX and spreadsheets.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/safe_text.h"
#include "files/atomic_file.h"
#include "glidepath/table.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

/// One cell of any renderer: what to print and whether it stands out.
struct Field {
  std::string text;
  bool bold = false;
};
using Grid = std::vector<std::vector<Field>>;

std::string rank_title(const StudyTable& table) {
  if (table.ranked_columns == table.columns.size()) return "avg. rank";
  return fmt::format("avg. rank ({} of {})", table.ranked_columns, table.columns.size());
}

/// Titles in row 0; the renderers differ in nothing but marks around the fields, and how they make a text
/// safe.
Grid to_grid(const StudyTable& table) {
  Grid grid(1);
  grid[0].push_back({table.row_axis, false});
  for (const std::string& column : table.columns) grid[0].push_back({column, false});
  const auto& average = table.average_rank;
  if (!average.empty()) grid[0].push_back({rank_title(table), false});
  for (std::size_t row = 0; row < table.rows.size(); ++row) {
    grid.push_back({{row < table.row_labels.size() ? table.row_labels[row] : table.rows[row], false}});
    for (const TableCell& cell : table.cells[row])
      grid.back().push_back({cell.text(), cell.mark == Mark::kBest});
    if (average.empty()) continue;
    grid.back().push_back({fmt::format("{:.2f}", average[row]), false});
  }
  return grid;
}

/// Characters as a terminal counts them; every one of ours is one column wide.
std::size_t display_width(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

/// The only character above ASCII that a cell has is the sign.
std::string latex_cell(const std::string& text) {
  const std::string sign = " ± ";
  const auto place = text.find(sign);
  if (place == std::string::npos) return latex_text(text);
  return latex_text(text.substr(0, place)) + " $\\pm$ " + latex_text(text.substr(place + sign.size()));
}

std::string csv_number(double value) { return std::isfinite(value) ? fmt::format("{}", value) : ""; }

std::string csv_line(const std::vector<std::string>& fields) {
  std::vector<std::string> quoted;
  for (const std::string& field : fields) quoted.push_back(csv_field(field));
  return fmt::format("{}\n", fmt::join(quoted, ","));
}

bool has_captions(const std::vector<StudyTable>& tables) {
  return std::any_of(tables.begin(), tables.end(),
                     [](const StudyTable& table) { return !table.caption.empty(); });
}

std::vector<std::size_t> column_widths(const Grid& grid) {
  std::vector<std::size_t> widths(grid[0].size(), 0);
  for (const auto& row : grid) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], display_width(row[i].text));
  }
  return widths;
}

/// Those that any run has, in their order.
std::vector<std::string> scores_in(const StudyResults& results) {
  std::vector<std::string> names;
  for (const std::string& name : score_names()) {
    if (std::any_of(results.runs.begin(), results.runs.end(),
                    [&](const RunRecord& run) { return run.scores.count(name) > 0; }))
      names.push_back(name);
  }
  return names;
}

}  // namespace

std::string marks_text(const std::vector<StudyTable>& tables, const char* best) {
  const auto has = [&](Mark mark) {
    for (const StudyTable& table : tables) {
      for (const auto& row : table.cells) {
        if (std::any_of(row.begin(), row.end(), [&](const TableCell& cell) { return cell.mark == mark; }))
          return true;
      }
    }
    return false;
  };
  std::vector<std::string> parts;
  if (has(Mark::kBest)) parts.push_back(fmt::format("{}: every other row is shown to be behind", best));
  if (has(Mark::kLevel))
    parts.push_back(fmt::format("=: level with the best, less than {:g} {} apart", kLevelPoints,
                                tables.front().is_share ? "point" : "%"));
  if (has(Mark::kUnsure)) parts.emplace_back("~: not to be told from the best with these seeds");
  const std::string losses =
      std::any_of(tables.begin(), tables.end(), [](const auto& table) { return table.has_losses(); })
          ? "loss: of runs that have no accuracy, lower is better"
          : "";
  if (parts.empty()) return losses;
  return fmt::format("{} (differences paired by seed, 95 %, Holm over all pairs of a column){}{}",
                     fmt::join(parts, "; "), losses.empty() ? "" : "; ", losses);
}

std::string render_terminal(const std::vector<StudyTable>& tables, bool styled) {
  std::string text;
  for (const StudyTable& table : tables) {
    if (!text.empty()) text += '\n';
    if (!table.caption.empty()) text += terminal_text(table.caption) + '\n';
    Grid grid = to_grid(table);
    for (auto& row : grid) {
      for (Field& field : row) field.text = terminal_text(field.text) + (field.bold && !styled ? " *" : "");
    }
    const std::vector<std::size_t> widths = column_widths(grid);
    for (const auto& row : grid) {
      std::string line;
      for (std::size_t i = 0; i < row.size(); ++i) {
        const std::string padding(widths[i] - display_width(row[i].text), ' ');
        const std::string shown = styled && row[i].bold ? "\x1b[1m" + row[i].text + "\x1b[0m" : row[i].text;
        line += i == 0 ? shown + padding : "  " + padding + shown;
      }
      text += line.substr(0, line.find_last_not_of(' ') + 1) + '\n';
    }
  }
  const std::string marks = marks_text(tables, styled ? "bold" : "*");
  return marks.empty() ? text : text + marks + '\n';
}

std::string render_markdown(const std::vector<StudyTable>& tables) {
  std::string text;
  for (const StudyTable& table : tables) {
    if (!text.empty()) text += '\n';
    if (!table.caption.empty()) text += markdown_text(table.caption) + "\n\n";
    const Grid grid = to_grid(table);
    for (std::size_t row = 0; row < grid.size(); ++row) {
      for (const Field& field : grid[row]) {
        const std::string escaped = markdown_text(field.text);
        text += field.bold ? fmt::format("| **{}** ", escaped) : fmt::format("| {} ", escaped);
      }
      text += "|\n";
      if (row != 0) continue;
      text += "|---";
      for (std::size_t i = 1; i < grid[0].size(); ++i) text += "|---:";
      text += "|\n";
    }
  }
  const std::string marks = marks_text(tables);
  return marks.empty() ? text : text + '\n' + markdown_text(marks) + '\n';
}

std::string render_latex(const std::vector<StudyTable>& tables, const std::string& title) {
  const std::string marks = marks_text(tables);
  std::string text;
  for (const StudyTable& table : tables) {
    if (!text.empty()) text += '\n';
    const Grid grid = to_grid(table);
    if (!title.empty()) {
      text += fmt::format(
          "\\begin{{table}}\n\\centering\n\\caption{{{}{}. Mean and standard deviation over seeds.{}}}\n",
          latex_text(title), table.caption.empty() ? "" : ": " + latex_text(table.caption),
          marks.empty() ? "" : " " + latex_text(marks));
    } else if (!table.caption.empty()) {
      text += fmt::format("% {}\n", plain_line(table.caption));
    }
    text += fmt::format("\\begin{{tabular}}{{l{}}}\n\\toprule\n", std::string(grid[0].size() - 1, 'r'));
    for (std::size_t row = 0; row < grid.size(); ++row) {
      std::vector<std::string> fields;
      for (const Field& field : grid[row]) {
        const std::string shown = latex_cell(field.text);
        fields.push_back(field.bold ? fmt::format("\\textbf{{{}}}", shown) : shown);
      }
      text += fmt::format("{} \\\\\n{}", fmt::join(fields, " & "), row == 0 ? "\\midrule\n" : "");
    }
    text += "\\bottomrule\n\\end{tabular}\n";
    if (!title.empty()) text += "\\end{table}\n";
  }
  return marks.empty() || !title.empty() ? text : text + "% " + marks + '\n';
}

std::string render_running(const std::vector<StudyTable>& tables) {
  return "With batch norm's running statistics in place of fresh ones:\n\n" + render_markdown(tables);
}

std::string render_csv(const std::vector<StudyTable>& tables) {
  std::string text;
  const bool captioned = has_captions(tables);
  for (const StudyTable& table : tables) {
    if (text.empty()) {
      std::vector<std::string> titles;
      if (captioned) titles.push_back("table");
      titles.push_back(table.row_axis);
      for (const std::string& column : table.columns) {
        for (const char* what : {" mean", " std", " n", " diverged", " failed"})
          titles.push_back(column + what);
      }
      titles.push_back("average rank");
      text += csv_line(titles);
    }
    for (std::size_t row = 0; row < table.rows.size(); ++row) {
      std::vector<std::string> fields;
      if (captioned) fields.push_back(table.caption);
      fields.push_back(table.rows[row]);
      for (const TableCell& cell : table.cells[row]) {
        fields.push_back(csv_number(cell.mean));
        fields.push_back(csv_number(cell.stddev));
        fields.push_back(fmt::format("{}", cell.values.size()));
        fields.push_back(fmt::format("{}", cell.diverged));
        fields.push_back(fmt::format("{}", cell.failed));
      }
      fields.push_back(table.average_rank.empty() ? "" : csv_number(table.average_rank[row]));
      text += csv_line(fields);
    }
  }
  return text;
}

std::string results_csv(const StudyResults& results) {
  std::vector<std::string> titles = {"id", "status"};
  titles.insert(titles.end(), results.axes.begin(), results.axes.end());
  titles.insert(titles.end(),
                {"test_accuracy", "test_loss", "train_loss", "train_accuracy", "updates", "epochs", "seconds",
                 "images_per_second", "peak_memory_mib", "attempts", "error"});
  const std::vector<std::string> scores = scores_in(results);
  titles.insert(titles.end(), scores.begin(), scores.end());
  std::string text = csv_line(titles);
  for (const RunRecord& run : results.runs) {
    std::vector<std::string> fields = {run.id, to_string(run.status)};
    for (const std::string& axis : results.axes) fields.push_back(config_value(run.config, axis));
    // The accuracy of a run that failed or diverged would be taken for a result.
    const bool is_done = run.status == RunStatus::kDone;
    const bool has_updates = is_done || run.status == RunStatus::kDiverged;
    const auto add = [&](double value) { fields.push_back(is_done ? csv_number(value) : ""); };
    for (const double value : {run.test_accuracy, run.test_loss, run.train_loss, run.train_accuracy})
      add(value);
    fields.push_back(has_updates ? fmt::format("{}", run.updates) : "");
    for (const double value : {run.epochs, run.seconds, run.images_per_second, run.peak_memory_mib})
      add(value);
    fields.push_back(fmt::format("{}", run.attempts));
    fields.push_back(run.error);
    for (const std::string& name : scores) {
      const auto score = run.scores.find(name);
      fields.push_back(is_done && score != run.scores.end() ? csv_number(score->second) : "");
    }
    text += csv_line(fields);
  }
  return text;
}

void write_tables(const fs::path& dir, const StudyResults& results, const TableOptions& options) {
  const std::vector<StudyTable> tables = make_tables(results, options);
  const std::vector<StudyTable> running = make_running_tables(results, options);
  write_shared_file(dir / "table.md",
                    render_markdown(tables) + (running.empty() ? "" : "\n" + render_running(running)));
  write_shared_file(dir / "table.csv", render_csv(tables));
  write_shared_file(dir / "table.tex",
                    render_latex(tables, results.title.empty() ? results.name : results.title));
  write_shared_file(dir / "results.csv", results_csv(results));
}

}  // namespace glidepath
