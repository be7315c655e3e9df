// src/report/page/html.h - the report of a study as one page that needs nothing beside it.
#pragma once
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "glidepath/study.h"
#include "report/figures/chart.h"
#include "report/figures/curves.h"

namespace glidepath {

/// The curves of runs, by run id. Runs without an entry have none.
using RunCurves = std::map<std::string, std::vector<CurveTable>>;

/// One HTML file: summary, tables, the order of rows, figures, runs with their curves. It loads nothing,
/// works from a file and is kept under 3 MB by thinning the curves. `caption` says what the runs have in
/// common, `chance` the percent that guessing gets right of a data set by name, for the order.
std::string render_html(const StudyResults& results, const std::string& caption,
                        const std::vector<Figure>& figures, const RunCurves& curves,
                        const std::function<std::optional<double>(const std::string& data)>& chance = {});

/// Every subject of the figures and every schedule of the runs, sorted, "lr" and "envelope" left out: what
/// colours go by.
std::vector<std::string> subjects_of(const StudyResults& results, const std::vector<Figure>& figures);

}  // namespace glidepath
