// src/cli/rank_until.h - `glidepath rank --until`: runs that decide, until a study's best row is told.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "glidepath/study.h"
#include "study/results/ranking.h"

namespace glidepath::cli {

struct UntilArguments {
  double until = 0;  ///< in (0.5, 1); 0: not asked for
  std::string spend;
  std::int64_t max_runs = 100, jobs = 0;
  bool quiet = false;
};

/// What was done, and why no more.
struct UntilOutcome {
  enum class Stop { kReached, kMaxRuns, kSpend, kNothing };
  struct Step {
    std::string what;
    std::size_t runs = 0;
    double seconds = 0;  ///< that they took
  };
  double until = 0;
  Stop stop = Stop::kNothing;
  std::vector<Step> steps;
  std::size_t runs = 0;
  double seconds = 0;
};

/// "95%" or 0.95. Throws InputError for what is no probability in (0.5, 1).
double parse_probability(const std::string& text);

/// Does what the study has left, and then what would decide soonest, until the best row of every ranking is
/// better than each other one with that probability, or a limit is reached. Says on standard error what it
/// does unless `quiet`. Throws InputError for a study that it cannot go on with.
UntilOutcome decide(const std::string& study, const RankOptions& options, const UntilArguments& arguments);

/// "P = 95 % was reached after 6 more runs, 41 s", a line.
std::string outcome_text(const UntilOutcome& outcome);

}  // namespace glidepath::cli
