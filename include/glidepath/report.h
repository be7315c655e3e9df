// include/glidepath/report.h - the paper's figures and a summary page from a study's results.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "glidepath/schedule.h"

namespace glidepath {

struct ReportOptions {
  std::filesystem::path out;                       ///< empty: the study's own folder
  std::vector<std::string> formats{"svg", "png"};  ///< of the figures
};

/// Writes figures/fig1.*, figures/fig2.*, the tables and report.md. Returns the files written.
/// Figure 1: test accuracy against budget, and relative to the best full-budget accuracy with the envelope of
/// the best trade-off (Li et al., ICLR 2020, figure 1). Figure 2: every schedule against progress, and
/// linear's learning rate at each budget against updates (its figure 2). Throws InputError when `study` holds
/// no study or no finished run; RunError when gnuplot is missing or fails.
std::vector<std::filesystem::path> write_report(const std::filesystem::path& study,
                                                const ReportOptions& options = {});

/// Draws schedules' factors against progress into an .svg or .png file. Throws InputError for another ending
/// or a schedule that cannot be drawn; RunError as above.
void plot_schedules(const std::vector<std::string>& schedules, const ScheduleContext& context,
                    const std::filesystem::path& file);

}  // namespace glidepath
