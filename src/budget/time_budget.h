// src/budget/time_budget.h - progress under a clock: where the schedule is, and whether another update fits.
#pragma once
#include <array>
#include <cstdint>

#include "glidepath/budget_state.h"

namespace glidepath {

/// A time budget, told the time and what updates take, and never reading a clock itself.
///
/// Progress is the share of the training time that has passed: 0 at the first update, whatever loading took,
/// and near 1 at the last, which must end early enough for what is kept back (the final evaluation, the
/// writing of the model). It never falls. Where the machine keeps its speed this is time spent / time
/// allowed, to the last digit. Where it does not:
///   - it follows the clock, but goes at most kCatchUp times as fast as spreading what is left evenly over
///     the updates that are left would: a suspended machine or a long evaluation is made up for over the
///     following updates, not in one jump of the learning rate;
///   - when time is won (less is kept back than was thought) it goes on from where it is, evenly to the end.
/// With few updates left the last one is aimed at: of a run of 20 updates it has progress 0.99, not 0.95.
class TimeBudget {
 public:
  using State = ClockState;  ///< what a checkpoint keeps

  static constexpr double kCatchUp = 4;
  /// Progress that a run's last update has at least, where time allows: f(p) of linear is then below 0.02.
  static constexpr double kLanded = 0.985;

  TimeBudget() = default;
  /// `allowed_seconds` > 0 for the whole run; `spent_seconds` of them were used by earlier sessions, in which
  /// `updates` were made.
  TimeBudget(double allowed_seconds, double spent_seconds, std::int64_t updates, const State& state);

  /// What comes after the last update, measured just now. It is taken to grow as updates do: a process that
  /// takes the cores slows both. Writing, which waits for the disk, does not grow.
  void set_final_cost(double evaluation_seconds, double writing_seconds);
  /// Whether the machine's speed has changed so much since that it should be measured again, or so much is
  /// kept back that the end comes suddenly, which is believed when it was measured twice.
  bool final_cost_is_old() const;
  /// A running mean, in which those count that the system held up; 0 before the first few.
  const UpdatePace& pace() const { return pace_; }
  /// Reads the time, before an update: progress moves on.
  void tick(double spent_seconds);
  /// Another process has read it.
  void follow(double progress) { state_.progress = progress; }
  /// An update ended, and took this long.
  void update_done(double update_seconds);
  /// An update ended of which nobody knows how long it took.
  void untimed_update_done() { ++updates_; }

  double progress() const { return state_.progress; }
  /// Whether no further update fits. Never before the first update.
  bool finished() const { return finished_at(spent_); }
  /// The same when so much is spent.
  bool finished_at(double spent_seconds) const;
  /// Whether there is time for something that takes `seconds` now, and for a landing after it that does not
  /// have to be hurried.
  bool has_time_for(double seconds, double spent_seconds) const;
  /// Until the last update ends, from the last tick.
  double seconds_left() const;
  double kept_back() const;
  double allowed() const { return allowed_; }
  const State& state() const { return state_; }

 private:
  double updates_left(double seconds, double spent_seconds) const;
  bool ends_suddenly() const;

  double allowed_ = 0, spent_ = 0;
  double evaluation_ = 0, writing_ = 0;
  double evaluation_pace_ = 0;  // pace().now when the evaluation was measured; 0: not known yet
  bool sudden_end_was_measured_ = false;
  std::int64_t updates_ = 0;
  State state_;

  static constexpr std::size_t kRecent = 9;
  // The middle of the last few: one update that the system held up says nothing of the next. The first of all
  // is slow (memory is taken, kernels are chosen), so of two the faster counts.
  double update_seconds() const { return middle_; }
  // What some of the updates to come will take, as some did.
  double slow_update_seconds() const { return slow_; }
  void remember(double update_seconds);
  std::array<double, kRecent> recent_{};  // durations of the last updates
  double middle_ = 0, slow_ = 0;          // of them; 0 before there are any
  UpdatePace pace_;
  std::int64_t updates_here_ = 0;
};

}  // namespace glidepath
