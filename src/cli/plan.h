// src/cli/plan.h - the plan of a study, for commands that end with one.
#pragma once
#include <string>

namespace glidepath::cli {

/// As `glidepath plan STUDY` prints it. Throws InputError where there is none.
void print_plan_of_study(const std::string& study, bool json);

}  // namespace glidepath::cli
