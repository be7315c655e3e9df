// include/glidepath/table.h - the paper's table of a study: schedules by budgets, mean and spread over seeds.
#pragma once
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "glidepath/study.h"
#include "glidepath/verdict.h"

namespace glidepath {

/// How a cell stands in its column, as tables show it.
enum class Mark {
  kNone,   ///< shown to be behind, or nothing can be told: one seed, one row, no result
  kBest,   ///< the best, and every other row is shown to be behind: bold
  kLevel,  ///< the best or level with it, "="
  kUnsure  ///< the best or not to be told from it, "~"
};

/// What one row and one column have in common: the runs that differ in their seed alone.
struct TableCell {
  /// Scores of the finished runs, in the plan's order: in percent where they are shares, as accuracies are.
  std::vector<double> values;
  bool is_share = true;
  std::vector<std::int64_t> seeds;    ///< of values
  std::vector<std::size_t> finished;  ///< places in StudyResults::runs of the finished ones
  /// Of finished runs that have no accuracy: what shown_loss() says, which is shown and not judged.
  std::vector<double> losses;
  std::size_t planned = 0;   ///< runs of the plan
  std::size_t diverged = 0;  ///< of them, those whose loss diverged
  std::size_t failed = 0;    ///< of them, those that failed
  double mean = 0;           ///< of values; NaN when there are none
  double stddev = 0;         ///< sample standard deviation (n - 1) of values; NaN when there are fewer than 2
  bool best = false;         ///< the best of its column (ColumnVerdict), or one whose mean prints the same
  Mark mark = Mark::kNone;
  /// "93.25 ± 0.12" ("loss 0.1234 ± 0.0012" of runs without accuracy), then what is not in: "(2 of 3, 1
  /// diverged)", then the mark. "diverged" when all did, "-" when nothing has ended yet.
  std::string text() const;
};

/// One table. Axes other than the rows', the columns' and the seed give a table for each of their values.
struct StudyTable {
  std::string caption;      ///< "model resnet8": the values of the other axes; may be empty
  std::string row_axis;     ///< e.g. schedule
  std::string column_axis;  ///< e.g. budget; empty when the study has one axis alone
  bool higher_is_better = true, is_share = true;  ///< of the score
  std::vector<std::string> rows, columns;
  std::vector<std::string> row_labels;        ///< what the rows are called where people read
  std::vector<std::vector<TableCell>> cells;  ///< [row][column]
  std::vector<ColumnVerdict> verdicts;        ///< of each column
  /// Mean over the columns of the row's rank in the column, 1 being the best; equal rows share the mean of
  /// their ranks, and diverged seeds rank behind any mean. Only columns in which every row has a finished or
  /// diverged run count; empty when there are none, or one row.
  std::vector<double> average_rank;
  std::size_t ranked_columns = 0;  ///< how many columns the average is over
  bool has_losses() const;         ///< whether any cell has runs that are shown by their loss
};

/// What the options leave open is as the study keeps it. Throws InputError when rows or columns is no axis of
/// the study.
std::vector<StudyTable> make_tables(const StudyResults& results, const TableOptions& options = {});

/// The same with batch norm's running statistics (the score test_accuracy_running), where the tables are of
/// test accuracies and any run has another so; else none.
std::vector<StudyTable> make_running_tables(const StudyResults& results, const TableOptions& options = {});

/// The score of these runs' task, as summary.json calls it: "test_accuracy", "test_mean_iou".
std::string task_score(const std::vector<RunRecord>& runs);
/// The score of make_tables(): what the options or the study name, else that of the task.
std::string table_score(const StudyResults& results, const TableOptions& options = {});

/// What a run was tested with, by its name in summary.json; nothing where it was not, or has not finished.
std::optional<double> score_of(const RunRecord& run, const std::string& name);

/// A score, mean or difference of a table, as it is shown: two decimals of percent, four digits of others.
/// A spread has the decimals of the mean that it is `beside`.
std::string score_text(double value, bool is_share);
std::string score_text(double value, bool is_share, double beside);

/// What the cells of make_tables() are, in words: "test accuracy", "validation accuracy with running
/// statistics".
std::string score_title(const StudyResults& results, const TableOptions& options = {});

/// What the marks of these tables mean, and losses among accuracies, in a line; empty where there are none.
/// `best` is how clearly best cells stand out.
std::string marks_text(const std::vector<StudyTable>& tables, const char* best = "bold");

/// Aligned for a terminal; clearly best cells in bold when `styled`, else with a star. UTF-8.
std::string render_terminal(const std::vector<StudyTable>& tables, bool styled);
std::string render_markdown(const std::vector<StudyTable>& tables);
/// Those of make_running_tables(), introduced by a line.
std::string render_running(const std::vector<StudyTable>& tables);
/// One line a row: mean, standard deviation, n, diverged and failed of each column. Quoted as RFC 4180 says.
std::string render_csv(const std::vector<StudyTable>& tables);
/// LaTeX with the booktabs package: tables that float, with a caption that begins with the title and says
/// what cells and marks mean. Without a title the tabular alone.
std::string render_latex(const std::vector<StudyTable>& tables, const std::string& title = {});

/// One line a run: id, status, the axes, the numbers, error. Quoted likewise; accuracies in [0, 1].
std::string results_csv(const StudyResults& results);

/// Everything as one JSON document: runs with their configurations, and the tables (accuracies in percent).
std::string results_json(const StudyResults& results, const TableOptions& options = {});

/// Writes table.md, table.csv, table.tex and results.csv into `dir`, each whole or not at all.
/// Throws RunError naming the file.
void write_tables(const std::filesystem::path& dir, const StudyResults& results,
                  const TableOptions& options = {});

}  // namespace glidepath
