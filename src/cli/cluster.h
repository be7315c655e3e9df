// src/cli/cluster.h - `glidepath study` on a cluster: its flags, the submission, status, cancel and collect.
#pragma once
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include "glidepath/study.h"
#include "glidepath/table.h"

namespace glidepath::cli {

/// What the command line asks of Slurm: keys of a [slurm] table and their text.
struct SlurmArguments {
  std::vector<std::pair<std::string, std::string>> values;
};

/// --partition, --time, --cpus, ...
void add_slurm_options(CLI::App& study, const std::shared_ptr<SlurmArguments>& arguments);

struct SubmitArguments {
  std::string out;
  bool retry_failed = false, dry_run = false, quiet = false, json = false;
};
/// Submits what is left, and says what and how to go on.
void submit_and_print(const StudyPlan& plan, const SlurmArguments& slurm, const SubmitArguments& arguments);

/// Throws InputError unless a study of this machine may work in `out`.
void refuse_cluster_study(const std::string& out);

/// study status, cancel, collect, and the hidden run-task.
void add_cluster_commands(CLI::App& study);

}  // namespace glidepath::cli
