// src/study/execute/progress.h - what a study says while it runs, as text for a terminal.
#pragma once
#include <string>
#include <vector>

#include "glidepath/study.h"

namespace glidepath {

/// 41 s, 23 min, 1 h 20 min, 3 d 4 h.
std::string rough_duration(double seconds);

/// "[ 12/144] linear 10% seed 1: 78.31 % in 41 s, about 23 min left".
std::string finished_line(const RunRecord& run, const StudyProgress& progress,
                          const std::vector<std::string>& axes);

/// A line for every running job and one for the whole, each at most `width` characters.
std::vector<std::string> live_lines(const StudyProgress& progress, const std::vector<std::string>& axes,
                                    std::size_t width);

}  // namespace glidepath
