// src/study/cluster/script.h - the sbatch script of a job array.
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>

#include "glidepath/study.h"

namespace glidepath {

struct ScriptOptions {
  SlurmSettings slurm;
  std::string job_name;
  std::filesystem::path study;    ///< the study's folder, absolute
  std::string array;              ///< "array-001"
  std::filesystem::path program;  ///< absolute
  std::filesystem::path working_folder;
  std::int64_t tasks = 1;
  std::int64_t cpus = 1;
  std::string data;  ///< $GLIDEPATH_DATA; empty: not set
};

/// The script. Throws InputError for a path that a line of sbatch cannot hold.
std::string job_script(const ScriptOptions& options);

/// How long before the time limit a task is told: a fifth of it, at least 10 s and at most 2 min; 2 min where
/// the cluster's own limit holds.
std::int64_t warning_seconds(const std::string& time);

}  // namespace glidepath
