// src/system/launchers.h - what launchers of jobs leave in the environment.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace glidepath {

/// Whether a variable says, or may say, that its process is one of a job's: those of torchrun and glidepath
/// launch, Open MPI, MPICH and what is made of it, Slurm's steps, jsrun, flux, PALS, horovodrun. What says of
/// a whole Slurm job when it ends and what it has (SLURM_JOB_ID, SLURM_CPUS_PER_TASK) is none of them.
bool is_of_launcher(std::string_view name);

/// This process's, as NAME=VALUE, without those: for processes that are no part of the job that this one is
/// in.
std::vector<std::string> environment_without_launchers();

}  // namespace glidepath
