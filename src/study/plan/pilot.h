// src/study/plan/pilot.h - the cheapest runs that a forecast can be made of.
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "glidepath/study.h"

namespace glidepath {

struct PilotOptions {
  std::string spend = "25%";  ///< of each seed: a share of the run's budget, or an amount in its unit
  std::int64_t seeds = 1;     ///< the run's own and those that follow
  std::int64_t points = 5;    ///< budgets that are told of, each twice the one before
  bool is_separate = false;   ///< a run for each budget, in place of one run of annealed cycles
};

/// Cycles: one run a seed that anneals whenever what it has spent has doubled, and starts again at the
/// highest rate; what it reaches at the end of each is close to what a run of that budget reaches (Portes et
/// al. 2022, arXiv 2206.00832). So it buys the points up to all that is spent. Separate runs of the same
/// points cost nearly twice as much; of the same money they reach half as far.
struct Pilot {
  StudyPlan plan;               ///< what is run
  TrainConfig base;             ///< a run that is foretold: its full budget is that of the run asked for
  std::vector<double> budgets;  ///< of the points, in percent of it, rising
  PilotOptions options;
};

/// `wanted`: the run whose results are to be foretold; `source`: its file's text. Throws InputError,
/// beginning with the flag or the option, for a spend that is no part of its budget, and for what cycles
/// cannot be of: a schedule beside linear and cosine, and images held out, on which alone it would be tested
/// on its way.
Pilot plan_pilot(const TrainConfig& wanted, const PilotOptions& options, const std::string& source);

/// Where the runs of a pilot in DIR are kept: DIR itself, or of cycles a folder in it.
std::filesystem::path pilot_runs(const std::filesystem::path& dir, const PilotOptions& options);

/// Throws InputError where DIR holds another study, or a pilot of the other kind.
void check_pilot_folder(const std::filesystem::path& dir, const PilotOptions& options);

/// Of cycles: makes DIR/study.sqlite, with what each finished run reached at the end of each cycle as a run
/// of that budget, in place of what was there. Tests on the way are with running statistics of batch norm.
/// Returns how many.
std::size_t collect_cycles(const std::filesystem::path& dir, const Pilot& pilot);

}  // namespace glidepath
