// src/cli/study_run.h - a study's runs done with their progress on standard error, as several commands do.
#pragma once
#include <string>
#include <utility>

#include "glidepath/study.h"

namespace glidepath::cli {

/// The key and the value of --set key=value. Throws InputError for what is none.
std::pair<std::string, std::string> parse_setting(const std::string& text);

/// Does what is left of a plan: a line for each run that ends, and on a terminal what is running; nothing
/// where `quiet`. Catches the signals that stop.
StudyResults run_with_progress(const StudyPlan& plan, StudyOptions options, bool quiet);

/// Throws InputError for a data set that is nowhere, which would fail run after run.
void check_data(const StudyPlan& plan);

/// Throws RunError where runs failed.
void refuse_failures(const StudyResults& results, const char* remedy);

}  // namespace glidepath::cli
