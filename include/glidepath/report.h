// include/glidepath/report.h - the paper's figures and the pages that show a study's results.
#pragma once
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "glidepath/schedule.h"

namespace glidepath {

struct ReportOptions {
  std::filesystem::path out;                       ///< empty: the study's own folder
  std::vector<std::string> formats{"svg", "png"};  ///< of the figures
  /// Told, in one line each, which figures cannot be drawn yet and what they need.
  std::function<void(const std::string&)> on_missing;
};

/// Writes the figures that the study's file names (figures 1 and 2 when it names none) as figures/figX.* with
/// their points in figures/figX.csv, the tables, report.md with all of it and the numbers behind it, and
/// report.html, a page that needs nothing beside it. Returns the files written. The figures are numbered as
/// in Li et al., ICLR 2020. Throws InputError when `study` holds no study, or no figure can be drawn from its
/// finished runs; RunError when gnuplot is missing or fails.
std::vector<std::filesystem::path> write_report(const std::filesystem::path& study,
                                                const ReportOptions& options = {});

/// Draws schedules' factors against progress into an .svg or .png file. Throws InputError for another ending
/// or a schedule that cannot be drawn; RunError as above.
void plot_schedules(const std::vector<std::string>& schedules, const ScheduleContext& context,
                    const std::filesystem::path& file);

}  // namespace glidepath
