// src/cli/rank_until.cpp - `glidepath rank --until`: runs that decide, until a study's best row is told.
#include "cli/rank_until.h"

#include <algorithm>
#include <cstdio>
#include <set>

#include <fmt/format.h>

#include "cli/cluster.h"
#include "cli/study_run.h"
#include "core/safe_text.h"
#include "core/words.h"
#include "glidepath/budget.h"
#include "glidepath/budget_curve.h"
#include "glidepath/error.h"
#include "study/results/next_runs.h"
#include "study/store/stored_plan.h"

namespace glidepath::cli {
namespace {

/// 0: no limit.
double seconds_to_spend(const std::string& text) {
  if (text.empty()) return 0;
  try {
    const Budget budget = parse_budget(text);
    if (budget.unit == BudgetUnit::kSeconds) return budget.amount;
  } catch (const InputError&) {  // told below
  }
  throw InputError(fmt::format("--spend \"{}\": must be a time, the sum over the runs, as 2h", text));
}

std::string runs_text(std::size_t runs, double seconds, const char* more = "") {
  const std::string count = fmt::format("{} {}run{}", runs, more, runs == 1 ? "" : "s");
  return seconds > 0 ? fmt::format("{}, {}", count, budget_text(seconds, "s")) : count;
}

/// The runs that a study has left: a step that comes first.
NextRuns left_of(const StudyPlan& plan, const StudyResults& results) {
  NextRuns left;
  left.what = "what the study has left";
  for (std::size_t i = 0; i < results.runs.size(); ++i) {
    const RunStatus status = results.runs[i].status;
    if (status == RunStatus::kPending || status == RunStatus::kRunning) left.runs.push_back(plan.runs[i]);
  }
  return left;
}

class Deciding {
 public:
  Deciding(const std::string& study, const RankOptions& options, const UntilArguments& arguments)
      : study_(study),
        options_(options),
        arguments_(arguments),
        spend_(seconds_to_spend(arguments.spend)),
        plan_(stored_plan(study)) {
    made_.until = arguments.until;
  }

  UntilOutcome run() {
    check_data(plan_);
    const NextRuns left = left_of(plan_, read_study_results(study_));
    if (left.runs.size() > static_cast<std::size_t>(arguments_.max_runs))
      throw InputError(
          fmt::format("--max-runs {}: the study itself has {} runs left; run glidepath study, or allow more",
                      arguments_.max_runs, left.runs.size()));
    if (!left.runs.empty()) do_step(left);
    while (true) {
      const StudyResults results = read_study_results(study_);
      const std::vector<Ranking> rankings = rank_study(results, options_);
      const auto is_open = [&](const Ranking& each) { return !lead_of(each, made_.until).open.empty(); };
      if (std::none_of(rankings.begin(), rankings.end(), is_open)) return ended(UntilOutcome::Stop::kReached);
      const auto next = next_runs(results, rankings, options_, made_.until);
      if (!next) return ended(UntilOutcome::Stop::kNothing);
      if (made_.runs + next->runs.size() > static_cast<std::size_t>(arguments_.max_runs))
        return ended(UntilOutcome::Stop::kMaxRuns);
      if (spend_ > 0 && made_.seconds + next->seconds > spend_) return ended(UntilOutcome::Stop::kSpend);
      for (const Ranking& each : rankings) tell_lead(each);
      do_step(*next);
    }
  }

 private:
  UntilOutcome ended(UntilOutcome::Stop stop) {
    made_.stop = stop;
    return made_;
  }

  void tell_lead(const Ranking& ranking) const {
    const Lead lead = lead_of(ranking, made_.until);
    if (arguments_.quiet || lead.open.empty()) return;
    const std::string title = ranking.title.empty() ? "" : ranking.title + ": ";
    std::fprintf(stderr, "%s\n",
                 terminal_text(fmt::format("{}{} is better than each other with P {:.2f} at least, {} open",
                                           title, ranking.rows[lead.row].name, lead.odds, lead.open.size()))
                     .c_str());
  }

  void do_step(const NextRuns& next) {
    if (!arguments_.quiet) {
      std::fprintf(stderr, "next: %s\n",
                   terminal_text(fmt::format("{} ({})", next.what, runs_text(next.runs.size(), next.seconds)))
                       .c_str());
    }
    for (const TrainConfig& run : next.runs) add_run(plan_, run);
    StudyOptions options;
    options.out = study_;
    options.jobs = arguments_.jobs;
    const StudyResults results = run_with_progress(plan_, options, arguments_.quiet);
    refuse_failures(results, "glidepath study --retry-failed runs them again");
    std::set<std::string> ids;
    for (const TrainConfig& run : next.runs) ids.insert(run_id(run));
    UntilOutcome::Step step{next.what, next.runs.size(), 0};
    for (const RunRecord& run : results.runs) {
      if (ids.count(run.id) > 0 && run.seconds > 0) step.seconds += run.seconds;
    }
    made_.runs += step.runs;
    made_.seconds += step.seconds;
    made_.steps.push_back(step);
  }

  const std::string study_;
  const RankOptions& options_;
  const UntilArguments& arguments_;
  const double spend_;
  StudyPlan plan_;
  UntilOutcome made_;
};

}  // namespace

double parse_probability(const std::string& text) {
  const bool has_sign = !text.empty() && text.back() == '%';
  const auto value = words::number(has_sign ? text.substr(0, text.size() - 1) : text);
  const double share = value ? (has_sign ? *value / 100 : *value) : 0;
  if (share > 0.5 && share < 1) return share;
  throw InputError(
      fmt::format("--until \"{}\": must be a probability above 50 and below 100 %, as 95%", text));
}

UntilOutcome decide(const std::string& study, const RankOptions& options, const UntilArguments& arguments) {
  return Deciding(study, options, arguments).run();
}

std::string outcome_text(const UntilOutcome& outcome) {
  const std::string done = runs_text(outcome.runs, outcome.seconds, "more ");
  const std::string asked = fmt::format("P = {:g} %", 100 * outcome.until);
  switch (outcome.stop) {
    case UntilOutcome::Stop::kReached:
      return fmt::format("{} of the best against each other is reached, after {}", asked, done);
    case UntilOutcome::Stop::kMaxRuns:
      return fmt::format("{} is not reached after {}: the next would be more than --max-runs", asked, done);
    case UntilOutcome::Stop::kSpend:
      return fmt::format("{} is not reached after {}: the next would take more than --spend", asked, done);
    case UntilOutcome::Stop::kNothing:
      break;
  }
  return fmt::format("{} is not reached after {}: all runs of the others diverged", asked, done);
}

}  // namespace glidepath::cli
