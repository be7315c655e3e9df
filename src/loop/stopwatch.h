// src/loop/stopwatch.h - the time that a run has spent, in all its sessions.
#pragma once

namespace glidepath {

class Stopwatch {
 public:
  /// `started` by the clock of this session; `before` was spent by others.
  explicit Stopwatch(double started, double before = 0) : started_(started), before_(before) {}
  double spent(double now) const { return before_ + now - started_; }
  double started() const { return started_; }
  double before() const { return before_; }
  /// What earlier sessions have spent is known.
  void set_before(double seconds) { before_ = seconds; }

 private:
  double started_, before_;
};

}  // namespace glidepath
