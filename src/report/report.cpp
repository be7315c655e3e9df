// src/report/report.cpp - the figures, tables and summary page of a study.
#include "glidepath/report.h"

#include <algorithm>
#include <cmath>
#include <set>

#include <fmt/format.h>

#include "glidepath/budget.h"
#include "glidepath/error.h"
#include "glidepath/study.h"
#include "glidepath/table.h"
#include "report/draw.h"
#include "report/figures.h"
#include "study/write_file.h"
#include "train/output_folder.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

/// What figure 2 needs of the study: updates of each budget, and of the full one.
struct Lengths {
  std::vector<double> budgets;
  ScheduleContext context;
};

Lengths lengths_of(const StudyResults& results) {
  Lengths lengths;
  const auto measured = std::find_if(results.runs.begin(), results.runs.end(), [](const RunRecord& run) {
    return run.status == RunStatus::kDone && run.epochs > 0;
  });
  if (measured == results.runs.end()) return lengths;
  BudgetContext context;
  context.steps_per_epoch = std::llround(static_cast<double>(measured->updates) / measured->epochs);
  context.full = parse_budget(measured->config.full);
  std::set<double> budgets;
  for (const RunRecord& run : results.runs) {
    if (run.status == RunStatus::kDone) budgets.insert(static_cast<double>(run.updates));
  }
  lengths.budgets.assign(budgets.begin(), budgets.end());
  lengths.context.steps_per_epoch = static_cast<double>(context.steps_per_epoch);
  // A full budget in time or FLOPs has no length in updates that is the same on every machine.
  const bool counted =
      context.full.unit == BudgetUnit::kEpochs || context.full.unit == BudgetUnit::kIterations;
  if (counted) lengths.context.full_updates = static_cast<double>(updates_in(context.full, context));
  lengths.context.updates = lengths.context.full_updates;
  lengths.context.base_lr = measured->config.base_lr;
  return lengths;
}

std::vector<Schedule> drawable_schedules(const StudyResults& results, const ScheduleContext& context) {
  std::set<std::string> texts;
  for (const RunRecord& run : results.runs) texts.insert(run.config.schedule);
  std::vector<Schedule> schedules;
  for (const std::string& text : texts) {
    Schedule schedule = parse_schedule(text, context);
    // A cut schedule depends on the budget, and plateau on the loss: neither is a line against progress.
    if (!schedule.plateau() && text.compare(0, 4, "cut(") != 0) schedules.push_back(std::move(schedule));
  }
  return schedules;
}

std::string page(const StudyResults& results, const std::string& caption, const std::string& kind) {
  return fmt::format(
      "# {}\n\n{}.\n\n{}\n\n![Accuracy against budget](figures/fig1.{})\n\nFigure 1. Left: test accuracy "
      "against budget, "
      "mean and one standard deviation over seeds. Right: relative to the best full-budget accuracy; dotted, "
      "the best "
      "trade-off.\n\n![Schedules](figures/fig2.{})\n\nFigure 2. Left: the schedules against progress. Right: "
      "linear at each "
      "budget.\n",
      results.title.empty() ? results.name : results.title, caption, render_markdown(make_tables(results)),
      kind, kind);
}

}  // namespace

std::vector<fs::path> write_report(const fs::path& study, const ReportOptions& options) {
  const StudyResults results = read_study_results(study);
  const Figure1 figure1 = make_figure1(results);
  const fs::path out = options.out.empty() ? study : options.out;
  make_output_folder(out / "figures");

  const std::string caption = study_caption(results);
  const Lengths lengths = lengths_of(results);
  Figure2 figure2{drawable_schedules(results, lengths.context), {}, lengths.budgets, lengths.context.base_lr};
  for (const AccuracyLine& line : figure1.lines) figure2.palette.push_back(line.schedule);
  std::vector<fs::path> written;
  for (const std::string& format : options.formats) {
    written.push_back(out / "figures" / ("fig1." + format));
    draw_figure1(figure1, caption, written.back());
    written.push_back(out / "figures" / ("fig2." + format));
    draw_figure2(figure2, caption, written.back());
  }
  write_tables(out, results);
  const fs::path summary = out / "report.md";
  write_file(summary, page(results, caption, options.formats.front()));
  written.push_back(summary);
  return written;
}

}  // namespace glidepath
