// src/study/store/stored_plan.h - the plan of a study that is there already, to go on with without its file.
#pragma once
#include <filesystem>

#include "glidepath/study.h"

namespace glidepath {

/// As it was run last, with its profile and what the command line changed. Throws InputError where DIR holds
/// no study, a study that was made of results (glidepath import) and not of a study file, or one that was
/// submitted to a cluster.
StudyPlan stored_plan(const std::filesystem::path& dir);

/// Adds a run that differs from those of the plan in options that become axes: its seed, its budget. Nothing
/// where the plan has it.
void add_run(StudyPlan& plan, const TrainConfig& run);

}  // namespace glidepath
