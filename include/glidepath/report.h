// include/glidepath/report.h - the paper's figures and the pages that show a study's results.
#pragma once
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "glidepath/schedule.h"

namespace glidepath {

struct ReportOptions {
  std::filesystem::path out;                       ///< empty: the study's own folder
  std::vector<std::string> formats{"svg", "png"};  ///< of the figures: svg, png, pdf
  bool caption = true;                             ///< figures with title and text
  double width_cm = 0;  ///< of every figure, as a column of a paper has it; 0: as wide as its panels
  /// What rows and lines are called instead, before the study's own [labels]. Throws InputError for a name
  /// that the study has not, as does `envelope`.
  std::map<std::string, std::string> labels;
  /// The subject (a schedule's text, as in the legend) whose trade-off figure 1 shows; empty: the one with
  /// the best average rank over the budgets.
  std::string envelope;
  /// Percent that guessing gets right of a data set by name; none where it is not known. For forecasts.
  std::function<std::optional<double>(const std::string& data)> chance;
  /// Told, in one line each, which figures cannot be drawn yet and what they need.
  std::function<void(const std::string&)> on_missing;
};

/// Writes the figures that the study's file names (figures 1 and 2 when it names none), and where its budgets
/// are still below the full one what that would reach, as figures/figX.* with
/// their points in figures/figX.csv, the tables, report.md with all of it and the numbers behind it, and
/// report.html, a page that needs nothing beside it. Returns the files written. The figures are numbered as
/// in Li et al., ICLR 2020. Throws InputError when `study` holds no study, or no figure can be drawn from its
/// finished runs; RunError when gnuplot is missing or fails.
std::vector<std::filesystem::path> write_report(const std::filesystem::path& study,
                                                const ReportOptions& options = {});

/// Draws schedules' factors against progress into an .svg, .png or .pdf file. Throws InputError for another
/// ending or a schedule that cannot be drawn; RunError as above.
void plot_schedules(const std::vector<std::string>& schedules, const ScheduleContext& context,
                    const std::filesystem::path& file);

}  // namespace glidepath
