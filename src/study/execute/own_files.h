// src/study/execute/own_files.h - the user's own programs that the runs of a study are of.
#pragma once
#include <string>
#include <vector>

#include "files/folder.h"
#include "glidepath/train_config.h"

namespace glidepath {

/// Gives a run's folder the file that is its model: a second name for STUDY/models/HASH-model.pt, which is
/// copied once. Silent where the disk refuses, or knows no second names: the run then copies it itself.
void share_model_file(const TrainConfig& config, const Folder& study, const Folder& run);

/// Lines on files that have another content in runs that a store has, and the plan has not.
std::vector<std::string> changed_programs(const std::vector<TrainConfig>& plan,
                                          const std::vector<TrainConfig>& left_out);

}  // namespace glidepath
