// src/data/fetch/fetch_context.h - what every step of a fetch shares: progress, notes, being stopped.
#pragma once
#include <chrono>
#include <string>

#include "glidepath/fetch.h"

namespace glidepath {

/// A source did not work for a reason that leaves the others open.
struct SourceFailed {
  std::string reason;
};

class FetchContext {
 public:
  explicit FetchContext(const FetchOptions& options) : options(options) {}

  const FetchOptions& options;

  /// Starts a step of `total_bytes` (0: not known), of which `done` are there already.
  void begin(const std::string& doing, const std::string& file, std::int64_t total_bytes,
             std::int64_t done = 0);
  /// For a step whose size became known on the way.
  void set_total(std::int64_t total_bytes) { progress_.total_bytes = total_bytes; }
  /// `bytes` of the step are done. Throws Interrupted when asked to stop.
  void advance(std::int64_t bytes);
  void note(const std::string& line) const {
    if (options.on_note) options.on_note(line);
  }
  int signal() const { return options.stop_signal ? options.stop_signal() : 0; }
  /// Throws Interrupted when asked to stop.
  void check_stop() const;
  /// Sleeps, waking up to look whether to stop.
  void wait(double seconds) const;

 private:
  using Clock = std::chrono::steady_clock;
  FetchProgress progress_;
  Clock::time_point reported_, sampled_;  // when a report was made, when the rate was last measured
  std::int64_t sampled_bytes_ = 0;
};

}  // namespace glidepath
