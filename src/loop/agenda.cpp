// src/loop/agenda.cpp - what a run does between two updates, and what of it is done.
#include "loop/agenda.h"

#include <algorithm>
#include <array>

#include "config/measure_text.h"
#include "core/blame.h"

namespace glidepath {
namespace {

// In this order.
constexpr std::array kQuestions = {Next::kKeepBranch, Next::kEvaluate, Next::kMeasure, Next::kSave,
                                   Next::kTimeEvaluation};
constexpr double kRetrySeconds = 10;

bool any_of(const std::vector<bool>& flags) {
  return std::find(flags.begin(), flags.end(), true) != flags.end();
}

}  // namespace

Agenda::Agenda(const TrainConfig& config, const BudgetContext& context, double seconds) {
  const auto cadence = [&](const char* key, const std::string& every) {
    return blame(key, [&] { return Cadence(parse_budget(every), context); });
  };
  if (config.eval_every != "end") evaluation_cadence_ = cadence("eval_every", config.eval_every);
  checkpoint_cadence_ = cadence("checkpoint_every", config.checkpoint_every);
  for (const MeasureItem& item : parse_measures(config.measure))
    measure_cadences_.push_back(item.every ? blame("measure", [&] { return Cadence(*item.every, context); })
                                           : Cadence::points(item.points));
  measures_.resize(measure_cadences_.size());
  last_checkpoint_.seconds = seconds;
}

Next Agenda::next(BudgetMeter& meter, double now, double seconds_spent) {
  while (question_ < kQuestions.size()) {
    const Next what = kQuestions[question_++];
    if (is_due(what, meter, now, seconds_spent)) return what;
  }
  begin();
  meter.tick(seconds_spent);
  return meter.finished() ? Next::kLanded : Next::kUpdate;
}

bool Agenda::is_due(Next what, const BudgetMeter& meter, double now, double seconds_spent) {
  switch (what) {
    case Next::kKeepBranch:
      return meter.step() == branch_step_;
    case Next::kEvaluate:
      return evaluation_is_due(meter, seconds_spent);
    case Next::kMeasure:
      return measure_is_due(meter, seconds_spent);
    case Next::kSave:
      return checkpoint_is_due(meter, now);
    case Next::kTimeEvaluation:
      return meter.by_clock() && meter.clock().final_cost_is_old();
    default:
      return false;
  }
}

// One that would leave hardly any time is left to the end, which looks at the test set in any case.
bool Agenda::evaluation_is_due(const BudgetMeter& meter, double seconds_spent) {
  if (evaluation_cadence_.passed(meter.step(), meter.progress()) <= evaluations_ || meter.finished())
    return false;
  if (!meter.by_clock() || meter.clock().has_time_for(evaluation_seconds_, seconds_spent)) return true;
  evaluated(meter);
  return false;
}

bool Agenda::measure_is_due(const BudgetMeter& meter, double seconds_spent) {
  if (meter.finished()) return false;
  const std::vector<bool> due = measures_due(meter);
  if (!any_of(due)) return false;
  const bool is_late =
      meter.by_clock() && meter.step() > 0 && !meter.clock().has_time_for(measuring_seconds_, seconds_spent);
  if (is_late) pass_measures(due, meter);
  return !is_late;
}

bool Agenda::checkpoint_is_due(const BudgetMeter& meter, double now) const {
  if (meter.step() == last_checkpoint_.step) return false;
  return now >= retry_checkpoint_at_ ||
         checkpoint_cadence_.is_due({meter.step(), meter.progress(), now}, last_checkpoint_);
}

// Their first moment is the start.
std::int64_t Agenda::moments_passed(std::size_t measure, const BudgetMeter& meter) const {
  return 1 + measure_cadences_[measure].passed(meter.step(), meter.progress());
}

std::vector<bool> Agenda::measures_due(const BudgetMeter& meter) const {
  std::vector<bool> due;
  for (std::size_t i = 0; i < measures_.size(); ++i)
    due.push_back(moments_passed(i, meter) > measures_[i].done);
  return due;
}

std::vector<bool> Agenda::measures_missing_at(std::int64_t step) const {
  std::vector<bool> missing;
  for (const MeasureState& state : measures_) missing.push_back(state.step != step);
  return missing;
}

void Agenda::pass_measures(const std::vector<bool>& which, const BudgetMeter& meter) {
  for (std::size_t i = 0; i < which.size(); ++i) {
    if (which[i]) measures_[i].done = moments_passed(i, meter);
  }
}

void Agenda::evaluation_takes(double seconds, BudgetMeter& meter) {
  evaluation_seconds_ = seconds;
  plan_final_cost(meter);
}

void Agenda::ending_takes(double evaluations, double seconds, BudgetMeter& meter) {
  ending_evaluations_ = evaluations;
  ending_seconds_ = seconds;
  plan_final_cost(meter);
}

void Agenda::evaluated(const BudgetMeter& meter) {
  evaluations_ = evaluation_cadence_.passed(meter.step(), meter.progress());
}

void Agenda::measured(const std::vector<bool>& which, double seconds, BudgetMeter& meter) {
  pass_measures(which, meter);
  for (std::size_t i = 0; i < which.size(); ++i) {
    if (which[i]) measures_[i].step = meter.step();
  }
  if (std::find(which.begin(), which.end(), false) != which.end()) return;
  measuring_seconds_ = seconds;
  plan_final_cost(meter);
}

void Agenda::saved(bool well, const BudgetMeter& meter, double begun, double now) {
  last_checkpoint_ = {meter.step(), meter.progress(), now};
  writing_seconds_ = now - begun;
  retry_checkpoint_at_ = well ? std::numeric_limits<double>::infinity() : now + kRetrySeconds;
}

// The last checkpoint and the model's file, which is smaller.
void Agenda::plan_final_cost(BudgetMeter& meter) const {
  if (meter.by_clock())
    meter.clock().set_final_cost(ending_seconds() + measuring_seconds_, 2 * writing_seconds_);
}

void Agenda::take(const RunState& state, const BudgetMeter& meter, double now) {
  evaluations_ = state.evaluations;
  measures_.assign(measure_cadences_.size(), {});
  std::copy_n(state.measures.begin(), std::min(measures_.size(), state.measures.size()), measures_.begin());
  last_checkpoint_ = {state.step, meter.progress(), now};
}

void Agenda::tell(RunState& state) const {
  state.evaluations = evaluations_;
  state.measures = measures_;
}

void Agenda::start_anew(const BudgetMeter& meter) {
  evaluated(meter);
  for (std::size_t i = 0; i < measures_.size(); ++i) {
    measures_[i].done = meter.step() == 0 ? 0 : moments_passed(i, meter);
  }
}

double Agenda::measuring_seconds_of(std::int64_t updates) const {
  std::int64_t moments = 0;
  for (const Cadence& cadence : measure_cadences_) moments = std::max(moments, cadence.moments(updates));
  return static_cast<double>(moments) * measuring_seconds_;
}

}  // namespace glidepath
