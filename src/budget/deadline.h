// src/budget/deadline.h - points in time as budgets: a deadline, a Slurm job's time limit.
#pragma once
#include <string>
#include <string_view>

namespace glidepath {

/// Reads `2026-12-01T06:00`, `2026-12-01 06:00:30` (local time), `2026-12-01T06:00Z`,
/// `2026-12-01T06:00+01:00`; seconds since 1970-01-01 UTC. Throws InputError for what is not one, for days
/// and hours that do not exist, and for local times that the clock's change to summer time leaves out.
double parse_deadline(std::string_view text);
/// As text that parse_deadline reads back wherever it is read: 2026-12-01T05:00:00Z. Whole seconds. What lies
/// behind the year 9999 is "after ...", which it does not read.
std::string deadline_text(double unix_seconds);

/// When the Slurm job that this process is in will be ended: $SLURM_JOB_END_TIME, or what squeue says of
/// $SLURM_JOB_ID. Throws InputError outside a job, and for a job without a time limit; RunError where squeue
/// does not answer.
double slurm_end_seconds();
/// The deadline that a job's end comes to: some time is left for the last checkpoint should the node be slow
/// (2 % of the time from `now`, at least 10 s, at most 2 min).
double slurm_deadline(double end_seconds, double now_seconds);

}  // namespace glidepath
