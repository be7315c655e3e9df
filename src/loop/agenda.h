// src/loop/agenda.h - what a run does between two updates, and what of it is done.
#pragma once
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "budget/budget_meter.h"
#include "budget/cadence.h"
#include "glidepath/train_config.h"
#include "run/checkpoint.h"

namespace glidepath {

/// What a run does next.
enum class Next {
  kKeepBranch,  ///< saves the state at which longer budgets part from this one
  kEvaluate,
  kMeasure,
  kSave,
  kTimeEvaluation,  ///< the machine's pace is another: what the end will cost is measured again
  kUpdate,
  kLanded,  ///< nothing: no further update fits
};

/// Answers depend on a clock, and on what a disk has taken. So where many processes make a run, rank 0's
/// agenda alone is asked and the others are told (Agreement::rank_0_says): they would part otherwise, as
/// every answer is followed by collectives.
class Agenda {
 public:
  /// Throws InputError for plans that the budget does not hold. `seconds` is the time at which the run began.
  Agenda(const TrainConfig& config, const BudgetContext& context, double seconds);

  /// Where longer budgets part from this one; -1: nowhere worth keeping.
  void set_branch_step(std::int64_t step) { branch_step_ = step; }
  std::size_t measures() const { return measure_cadences_.size(); }

  /// All questions are open again.
  void begin() { question_ = 0; }
  /// What is due now; once nothing is, reads the time into the meter and says whether another update fits.
  /// Between two updates everything is asked after once, whatever clock and disk say meanwhile.
  Next next(BudgetMeter& meter, double now, double seconds_spent);

  /// By place in the configuration's list.
  std::vector<bool> measures_due(const BudgetMeter& meter) const;
  std::vector<bool> measures_missing_at(std::int64_t step) const;

  /// An evaluation of the whole test set took, or would take, this long.
  void evaluation_takes(double seconds, BudgetMeter& meter);
  /// One that was due is done.
  void evaluated(const BudgetMeter& meter);
  /// `seconds`: what they took together.
  void measured(const std::vector<bool>& which, double seconds, BudgetMeter& meter);
  /// What the end of a run takes: as long as so many evaluations on the way, and other seconds (fresh
  /// statistics). Until it is told, one evaluation.
  void ending_takes(double evaluations, double seconds, BudgetMeter& meter);
  void measuring_takes(double seconds) { measuring_seconds_ = seconds; }
  /// A checkpoint was written, or refused by the disk: then it is tried again in a while.
  void saved(bool well, const BudgetMeter& meter, double begun, double now);

  void take(const RunState& state, const BudgetMeter& meter, double now);
  void tell(RunState& state) const;
  /// After a budget was changed its moments are others: those before this one are past.
  void start_anew(const BudgetMeter& meter);

  const Cadence& evaluations() const { return evaluation_cadence_; }
  double evaluation_seconds() const { return evaluation_seconds_; }
  double measuring_seconds() const { return measuring_seconds_; }
  double ending_seconds() const { return ending_evaluations_ * evaluation_seconds_ + ending_seconds_; }
  /// Of all measures of a run of so many updates.
  double measuring_seconds_of(std::int64_t updates) const;

 private:
  bool is_due(Next what, const BudgetMeter& meter, double now, double seconds_spent);
  bool evaluation_is_due(const BudgetMeter& meter, double seconds_spent);
  bool measure_is_due(const BudgetMeter& meter, double seconds_spent);
  bool checkpoint_is_due(const BudgetMeter& meter, double now) const;
  std::int64_t moments_passed(std::size_t measure, const BudgetMeter& meter) const;
  void pass_measures(const std::vector<bool>& which, const BudgetMeter& meter);
  void plan_final_cost(BudgetMeter& meter) const;

  Cadence evaluation_cadence_, checkpoint_cadence_;
  std::vector<Cadence> measure_cadences_;
  std::size_t question_ = 0;
  std::int64_t branch_step_ = -1;
  std::int64_t evaluations_ = 0;  // of the cadence, done
  std::vector<MeasureState> measures_;
  Moment last_checkpoint_;                                                // or the run's start
  double retry_checkpoint_at_ = std::numeric_limits<double>::infinity();  // after the disk refused one
  double evaluation_seconds_ = 0;
  double measuring_seconds_ = 0;                        // of everything together
  double ending_evaluations_ = 1, ending_seconds_ = 0;  // see ending_takes()
  double writing_seconds_ = 0;                          // of the last checkpoint
};

}  // namespace glidepath
