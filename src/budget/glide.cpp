// src/budget/glide.cpp - a budget, a clock and a schedule in one object.
#include "glidepath/glide.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "budget/budget_meter.h"
#include "budget/change.h"
#include "budget/deadline.h"
#include "core/blame.h"
#include "glidepath/error.h"

namespace glidepath {

class Glide::Parts {
 public:
  explicit Parts(const GlideOptions& options)
      : options_(options),
        started_(now()),
        last_(started_),
        seconds_before_(options.seconds_before),
        told_seconds_(options.seconds_before),
        state_(first_state()),
        meter_(amount_of(state_.budget, seconds_before_), options_.context, 0, seconds_before_),
        schedule_(schedule_for(state_.schedule_updates)),
        plateau_(schedule_.plateau().value_or(PlateauOptions())) {}

  Parts(const GlideOptions& options, const GlideState& state)
      : options_(options),
        started_(now()),
        last_(started_),
        seconds_before_(state.seconds),
        told_seconds_(state.seconds),
        rate_(checked(state).rate),
        state_(state.budget),
        meter_(amount_had(state_.budget, state.seconds), options_.context, state.step, state.seconds,
               state_.clock, state_.origin),
        schedule_(schedule_for(state_.schedule_updates)),
        plateau_(schedule_.plateau().value_or(PlateauOptions())) {
    plateau_.set_state(state.plateau);
  }

  bool by_clock() const { return meter_.by_clock(); }
  bool done() const {
    if (followed_done_) return *followed_done_;
    if (!by_clock() || !options_.clock) return meter_.finished();
    return meter_.clock().finished_at(std::max(told_seconds_, seconds_spent()));
  }
  double progress() const {
    if (done()) return 1;
    return meter_.progress();
  }
  double factor() const { return schedule_.plateau() ? plateau_.factor() : schedule_(progress()); }
  double base_lr() const { return options_.base_lr * rate_; }
  double seconds_spent() const { return options_.clock ? seconds_before_ + now() - started_ : told_seconds_; }
  double seconds_left() const { return std::max(0.0, meter_.seconds_left()); }

  void begin() {
    require_clock("begin");
    last_ = now();
    is_timed_ = true;
    tick(seconds_spent());
  }
  void update(std::int64_t count) {
    require_clock("update");
    if (count < 1) throw InputError(fmt::format("update {}: must be 1 or more", count));
    // Several are taken to have been equally long, one after the other: progress has a limit for each.
    const double begun = last_, ended = now(), each = (ended - begun) / static_cast<double>(count);
    for (std::int64_t i = 1; i <= count; ++i) {
      // Of the first one only the end is known, unless its beginning was told.
      count_update(is_timed_ ? std::optional<double>(each) : std::nullopt);
      tick(seconds_before_ + begun + static_cast<double>(i) * each - started_);
    }
    is_timed_ = true;
    last_ = ended;
  }
  void count_update(std::optional<double> seconds) {
    past_the_end_ += followed_done_.value_or(meter_.finished()) ? 1 : 0;  // by the clock as it was before it
    seconds ? meter_.update_done(*seconds) : meter_.untimed_update_done();
  }
  void tick(double seconds) {
    told_seconds_ = seconds;
    followed_done_.reset();
    meter_.tick(seconds);
  }
  void follow(double progress, bool done) {
    meter_.follow(progress);
    followed_done_ = done;
  }
  void keep_back(const FinalCost& cost) {
    for (const double seconds : {cost.evaluation, cost.writing}) {
      if (!(seconds >= 0) || std::isinf(seconds))
        throw InputError(fmt::format("keep_back {}: must be seconds, 0 or more", seconds));
    }
    final_cost_ = cost;
    meter_.clock().set_final_cost(cost.evaluation, cost.writing);
  }

  std::string replan(const std::string& budget, Replan how) {
    const std::string asked = without_slurm(budget);
    return how == Replan::kRewind ? become(asked) : re_anneal_to(asked);
  }

  GlideState state() const {
    GlideState state{meter_.step(), seconds_spent(), state_, plateau_.state(), rate_};
    if (by_clock()) state.budget.clock = meter_.clock().state();
    return state;
  }

  std::string set_state(const GlideState& state, Replan how) {
    Parts changed(options_, state);
    changed.past_the_end_ = past_the_end_;
    changed.keep_back(final_cost_);
    std::string told;
    if (!same_budget(state_.budget, state.budget.budget)) told = changed.replan(state_.budget, how);
    *this = std::move(changed);
    return told;
  }

  GlideOptions options_;
  double started_, last_;      // by the clock
  double seconds_before_ = 0;  // spent by earlier sessions
  double told_seconds_ = 0;    // at the last tick, earlier sessions included
  bool is_timed_ = false;      // whether the beginning of the update at work is known
  std::int64_t past_the_end_ = 0;
  double rate_ = 1;
  std::optional<bool> followed_done_;
  FinalCost final_cost_;
  BudgetState state_;
  BudgetMeter meter_;
  Schedule schedule_;
  Plateau plateau_;

 private:
  double now() const { return options_.clock ? options_.clock() : 0; }
  void require_clock(const char* what) const {
    if (!options_.clock)
      throw InputError(fmt::format("{}: this Glide has no clock; use update_done and tick", what));
  }

  BudgetState first_state() const {
    if (!(options_.base_lr > 0) || std::isinf(options_.base_lr))
      throw InputError(fmt::format("base_lr {}: must be a number above 0", options_.base_lr));
    BudgetState state;
    state.budget = without_slurm(options_.budget);
    const Budget budget = amount_of(state.budget, 0);
    if (budget.unit != BudgetUnit::kSeconds)
      state.schedule_updates = blame("budget", [&] { return updates_in(budget, options_.context); });
    return state;
  }

  // A job's limit is a deadline.
  std::string without_slurm(const std::string& text) const {
    if (text != "slurm") return text;
    return kUntil + deadline_text(slurm_deadline(slurm_end_seconds(), options_.wall_clock()));
  }

  Budget amount_of(const std::string& text, double spent_seconds) const {
    if (!is_deadline(text))
      return blame("budget", [&] { return resolve_percent(parse_budget(text), options_.context.full); });
    const double left = left_until(text);
    if (!(left > 0)) throw InputError(fmt::format("budget \"{}\": has passed; give a later time", text));
    return {BudgetUnit::kSeconds, spent_seconds + left};
  }
  // Of a budget that the run has: a deadline may have passed meanwhile, and is a clock's all the same.
  Budget amount_had(const std::string& text, double spent_seconds) const {
    if (!is_deadline(text)) return amount_of(text, spent_seconds);
    return {BudgetUnit::kSeconds, spent_seconds + std::max(left_until(text), 1e-9)};
  }
  double left_until(const std::string& deadline) const {
    return blame("budget", [&] { return parse_deadline(deadline_in(deadline)); }) - options_.wall_clock();
  }

  Schedule schedule_for(std::int64_t updates) const {
    return glidepath::schedule_for(options_.schedule, options_.base_lr, options_.context, updates);
  }

  // The meter and the schedule of a budget of which `step` updates are made.
  void set_budget(const BudgetState& state, std::int64_t step, const Plateau::State& plateau) {
    state_ = state;
    schedule_ = schedule_for(state.schedule_updates);
    plateau_ = Plateau(schedule_.plateau().value_or(PlateauOptions()));
    plateau_.set_state(plateau);
    meter_ = BudgetMeter(amount_had(state.budget, seconds_spent()), options_.context, step, seconds_spent(),
                         state.clock, state.origin);
    meter_.clock().set_final_cost(final_cost_.evaluation, final_cost_.writing);
  }

  std::string re_anneal_to(const std::string& asked) {
    BudgetState changed = state().budget;
    const double spent = seconds_spent();
    const Budget before = amount_had(state_.budget, spent), after = amount_of(asked, spent);
    const std::string told =
        re_anneal(changed, asked, before, after, {meter_.step(), spent, plateau_.factor(), done()},
                  options_.context, schedule_, base_lr());
    set_budget(changed, meter_.step(), plateau_.state());
    return told;
  }

  std::string become(const std::string& asked) {
    const Budget before = amount_had(state_.budget, 0), after = amount_of(asked, 0);
    if (before.unit == BudgetUnit::kSeconds || after.unit == BudgetUnit::kSeconds) {
      throw InputError(fmt::format(
          "rewind: {} and {} cannot be compared update by update, as a clock's budget has no number "
          "of updates; use re-anneal",
          state_.budget, asked));
    }
    const std::int64_t updates = updates_in(after, options_.context), step = meter_.step();
    const std::int64_t shared = same_rates(state_, schedule_, schedule_for(updates), updates);
    if (step > shared) {
      throw InputError(fmt::format(
          "rewind: budgets {} and {} have the same rates for {} updates, and {} are made; go back to "
          "a checkpoint of update {} or before, or use re-anneal",
          state_.budget, asked, shared, step, shared));
    }
    BudgetState changed{asked, updates, {}, {}, state_.changes};
    changed.changes.push_back({step, state_.budget, asked, to_string(Replan::kRewind), step});
    const std::string was = state_.budget;
    set_budget(changed, step, plateau_.state());
    return fmt::format(
        "budget {} -> {}: both have the same rates for {} updates; nothing is lost at update {}, then "
        "{}",
        was, asked, shared, step,
        rest_of_schedule(schedule_.text(), base_lr() * schedule_(1), after, updates - step, 0));
  }

  static const GlideState& checked(const GlideState& state) {
    check(state);
    return state;
  }
  static void check(const GlideState& state) {
    const auto require = [](bool right, const char* what) {
      if (!right) throw InputError(fmt::format("a Glide's state: {} cannot be; it is damaged", what));
    };
    const auto is_share = [](double value) { return value >= 0 && value <= 1; };
    const BudgetState& budget = state.budget;
    require(state.step >= 0, "a step below 0");
    require(std::isfinite(state.seconds) && state.seconds >= 0,
            "seconds spent that are no number of 0 or more");
    require(is_share(state.rate) && state.rate > 0, "a rate outside (0, 1]");
    require(budget.schedule_updates >= 0, "a number of updates below 0");
    require(is_share(budget.origin.progress) && budget.origin.step >= 0 && budget.origin.step <= state.step,
            "the place where its budget was changed");
    require(is_share(budget.clock.progress) && is_share(budget.clock.origin_progress) &&
                budget.clock.origin_progress <= budget.clock.progress,
            "a progress outside [0, 1]");
    require(budget.clock.origin_seconds >= 0 && budget.clock.origin_seconds <= state.seconds,
            "a beginning later than the time spent");
    require(is_share(state.plateau.factor) && is_share(state.plateau.best_progress), "a plateau's factor");
  }
};

Glide::Glide(const GlideOptions& options) : parts_(std::make_unique<Parts>(options)) {}
Glide::Glide(const GlideOptions& options, const GlideState& state)
    : parts_(std::make_unique<Parts>(options, state)) {}
Glide::~Glide() = default;
Glide::Glide(Glide&&) noexcept = default;
Glide& Glide::operator=(Glide&&) noexcept = default;

bool Glide::done() const { return parts_->done(); }
std::int64_t Glide::step() const { return parts_->meter_.step(); }
std::int64_t Glide::updates() const { return parts_->meter_.updates(); }
bool Glide::by_clock() const { return parts_->by_clock(); }
double Glide::progress() const { return parts_->progress(); }
double Glide::factor() const { return parts_->factor(); }
double Glide::lr() const { return parts_->base_lr() * parts_->factor(); }
double Glide::lr_until(double share) const {
  if (!(share > 0 && share <= 1)) throw InputError(fmt::format("lr_until {}: must be in (0, 1]", share));
  return schedule().plateau() ? lr() : base_lr() * schedule()(std::min(1.0, progress() / share));
}
double Glide::base_lr() const { return parts_->base_lr(); }
double Glide::final_lr() const {
  return base_lr() * (schedule().plateau() ? parts_->plateau_.factor() : schedule()(1));
}
double Glide::seconds_allowed() const { return by_clock() ? parts_->meter_.clock().allowed() : 0; }
bool Glide::has_time_for(double seconds, double spent_seconds) const {
  return !by_clock() || parts_->meter_.clock().has_time_for(seconds, spent_seconds);
}
UpdatePace Glide::pace() const { return by_clock() ? parts_->meter_.clock().pace() : UpdatePace{}; }
bool Glide::kept_back_is_old() const { return by_clock() && parts_->meter_.clock().final_cost_is_old(); }
double Glide::seconds_spent() const { return parts_->seconds_spent(); }
double Glide::seconds_left() const { return parts_->seconds_left(); }
double Glide::seconds_kept_back() const { return by_clock() ? parts_->meter_.clock().kept_back() : 0; }
std::int64_t Glide::updates_past_the_end() const { return parts_->past_the_end_; }
const std::string& Glide::budget() const { return parts_->state_.budget; }
const Schedule& Glide::schedule() const { return parts_->schedule_; }
void Glide::begin() { parts_->begin(); }
void Glide::update(std::int64_t count) { parts_->update(count); }
void Glide::update_done(double seconds) { parts_->count_update(seconds); }
void Glide::tick(double spent_seconds) { parts_->tick(spent_seconds); }
void Glide::follow(double progress, bool done) { parts_->follow(progress, done); }
void Glide::observe_loss(double mean) { parts_->plateau_.observe(parts_->progress(), mean); }
void Glide::keep_back(const FinalCost& cost) { parts_->keep_back(cost); }
std::string Glide::replan(const std::string& budget, Replan how) { return parts_->replan(budget, how); }
void Glide::halve_rate() { parts_->rate_ /= 2; }
GlideState Glide::state() const { return parts_->state(); }
std::string Glide::set_state(const GlideState& state, Replan how) { return parts_->set_state(state, how); }

}  // namespace glidepath
