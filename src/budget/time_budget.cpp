// src/budget/time_budget.cpp - progress under a clock.
#include "budget/time_budget.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace glidepath {
namespace {

// The last of few updates is aimed this far from the end; of many, 1 / updates.
constexpr double kSmallestLanding = 0.01;
// While not even two updates were timed nothing is known of the pace.
constexpr double kFirstStride = 0.02;
// Evaluations vary from one to the next.
constexpr double kMargin = 1.1;
// Updates this much slower or faster than when the evaluation was measured: it should be measured again.
constexpr double kOtherPace = 1.5;
// Updates of which the pace is the running mean. Where processes take the cores the middle of a few moves by
// far more than the work that gets done.
constexpr double kPaceUpdates = 16;
// Leaving the program, and the granularity of the process's start time.
constexpr double kExitSeconds = 0.3;
// Share of the tolerance (1 %, or 2 s where that is more) that landing may use when the end came suddenly.
constexpr double kLandingShare = 0.5;
// Updates over which a sudden end is landed, where they fit.
constexpr double kLandingUpdates = 10;

}  // namespace

TimeBudget::TimeBudget(double allowed_seconds, double spent_seconds, std::int64_t updates, const State& state)
    : allowed_(allowed_seconds), spent_(spent_seconds), updates_(updates), state_(state) {}

void TimeBudget::remember(double update_seconds) {
  recent_[static_cast<std::size_t>(updates_here_) % kRecent] = update_seconds;
  ++updates_here_;
  const auto count = static_cast<std::size_t>(std::min<std::int64_t>(updates_here_, kRecent));
  std::array<double, kRecent> sorted = recent_;
  for (std::size_t i = 1; i < count; ++i) {  // so few that nothing is quicker
    for (std::size_t j = i; j > 0 && sorted[j - 1] > sorted[j]; --j) std::swap(sorted[j - 1], sorted[j]);
  }
  const auto at = [&](double quantile) {
    return sorted[static_cast<std::size_t>(static_cast<double>(count - 1) * quantile)];
  };
  middle_ = at(0.5);
  // Before there are enough, the slow first ones would be taken for what is to be expected.
  slow_ = count < kRecent ? middle_ : at(0.9);
  if (updates_here_ < static_cast<std::int64_t>(kRecent)) return;
  const bool is_first = updates_here_ == static_cast<std::int64_t>(kRecent);
  // The middle of three: one long one, as of a machine that was suspended, says nothing of the pace.
  const auto before = [&](std::int64_t updates) {
    return recent_[static_cast<std::size_t>(updates_here_ - 1 - updates) % kRecent];
  };
  const double counted =
      std::max(std::min(before(0), before(1)), std::min(std::max(before(0), before(1)), before(2)));
  pace_.now = is_first ? middle_ : pace_.now + (counted - pace_.now) / kPaceUpdates;
  pace_.best = is_first ? pace_.now : std::min(pace_.best, pace_.now);
}

void TimeBudget::set_final_cost(double evaluation_seconds, double writing_seconds) {
  sudden_end_was_measured_ = ends_suddenly();
  evaluation_ = evaluation_seconds;
  writing_ = writing_seconds;
  evaluation_pace_ = pace_.now;
}

double TimeBudget::kept_back() const {
  const double pace = evaluation_pace_ > 0 ? std::max(1.0, pace_.now / evaluation_pace_) : 1;
  return kMargin * (evaluation_ * pace + writing_) + kExitSeconds;
}

// Whether the updates that fit would have to go faster to the end than progress can.
bool TimeBudget::ends_suddenly() const {
  if (updates_here_ < static_cast<std::int64_t>(kRecent) || state_.progress >= kLanded) return false;
  const double stride = state_.progress / static_cast<double>(updates_);
  return kLanded - state_.progress >
         kCatchUp * stride * std::max(1.0, updates_left(update_seconds(), spent_));
}

bool TimeBudget::final_cost_is_old() const {
  if (!(evaluation_pace_ > 0)) return false;
  if (ends_suddenly() && !sudden_end_was_measured_) return true;
  const double change = pace_.now / evaluation_pace_;
  return change > kOtherPace || change < 1 / kOtherPace;
}

// Those that still fit, the one about to begin included. Where the end came suddenly and the rate has not
// landed, a part of the tolerance is used to land it.
double TimeBudget::updates_left(double seconds, double spent_seconds) const {
  seconds = std::max(seconds, 1e-9);
  const double usable = allowed_ - kept_back();
  const double fit = std::floor((usable - spent_seconds) / seconds);
  if (fit >= 1 || state_.progress >= kLanded) return std::max(0.0, fit);
  const double slack = kLandingShare * std::max(0.01 * allowed_, 2.0);
  return std::clamp(std::floor((usable + slack - spent_seconds) / seconds), 0.0, kLandingUpdates);
}

void TimeBudget::tick(double spent_seconds) {
  const double passed = spent_seconds - spent_;
  spent_ = spent_seconds;
  if (!state_.begun) {
    state_.begun = true;
    state_.origin_seconds = spent_seconds;
    return;
  }
  if (updates_here_ == 0 || finished()) return;  // a resumed run goes on from where it was
  // Landed as if updates were slow from here: should they be, the last one is landed all the same.
  const double seconds = slow_update_seconds(), left = std::max(1.0, updates_left(seconds, spent_));
  const double goal =
      std::max(state_.progress, 1 - std::min(kSmallestLanding, 1 / (static_cast<double>(updates_) + left)));
  const double until_last = (left - 1) * seconds;  // from now to the beginning of the last update
  const double by_clock = state_.origin_progress + (goal - state_.origin_progress) *
                                                       (spent_ - state_.origin_seconds) /
                                                       (spent_ - state_.origin_seconds + until_last);
  const double even = (goal - state_.progress) / left;
  const double limit = updates_here_ < 2 ? std::min(kFirstStride, kCatchUp * even) : kCatchUp * even;
  // Evenly to the end, where the clock is behind.
  const double counted = std::min(passed, kCatchUp * update_seconds());
  const double onwards = (goal - state_.progress) * counted / (counted + until_last);
  state_.progress += std::clamp(std::max(by_clock - state_.progress, onwards), 0.0, limit);
  sudden_end_was_measured_ = sudden_end_was_measured_ && ends_suddenly();
}

void TimeBudget::update_done(double update_seconds) {
  remember(update_seconds);
  ++updates_;
  // Measured before the pace was known: the pace then is the first one known.
  if (evaluation_pace_ == 0) evaluation_pace_ = pace_.now;
}

bool TimeBudget::finished_at(double spent_seconds) const {
  if (updates_ == 0) return false;  // a run of no updates would be no run
  return updates_left(update_seconds(), spent_seconds) < 1;
}

bool TimeBudget::has_time_for(double seconds, double spent_seconds) const {
  return spent_seconds + 3 * seconds <= allowed_ - kept_back();
}

double TimeBudget::seconds_left() const { return std::max(0.0, allowed_ - kept_back() - spent_); }

}  // namespace glidepath
