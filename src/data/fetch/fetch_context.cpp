// src/data/fetch/fetch_context.cpp - progress, notes, being stopped.
#include "data/fetch/fetch_context.h"

#include <algorithm>
#include <thread>

#include <fmt/format.h>

#include "glidepath/error.h"

namespace glidepath {

void FetchContext::begin(const std::string& doing, const std::string& file, std::int64_t total_bytes,
                         std::int64_t done) {
  progress_ = {doing, file, done, total_bytes, 0, -1};
  reported_ = {};
  sampled_ = Clock::now();
  sampled_bytes_ = done;
  advance(done);
}

void FetchContext::advance(std::int64_t bytes) {
  progress_.bytes = bytes;
  check_stop();
  if (!options.on_progress) return;
  const Clock::time_point now = Clock::now();
  const bool ended = bytes == progress_.total_bytes;
  if (!ended && now - reported_ < std::chrono::milliseconds(100)) return;
  reported_ = now;
  // The rate follows the last seconds: half of it is new after 1 s.
  const double seconds = std::chrono::duration<double>(now - sampled_).count();
  if (seconds >= 0.5) {
    const double rate = static_cast<double>(bytes - sampled_bytes_) / seconds;
    progress_.bytes_per_second =
        progress_.bytes_per_second == 0 ? rate : (progress_.bytes_per_second + rate) / 2;
    sampled_ = now;
    sampled_bytes_ = bytes;
  }
  progress_.seconds_left =
      progress_.bytes_per_second > 0 && progress_.total_bytes > 0
          ? static_cast<double>(progress_.total_bytes - bytes) / progress_.bytes_per_second
          : -1;
  options.on_progress(progress_);
}

void FetchContext::check_stop() const {
  const int number = signal();
  if (number == 0) return;
  const bool known = progress_.doing == "downloading" && progress_.total_bytes > 0;
  throw Interrupted(
      fmt::format("stopped while {} {}{}; the same command goes on from here", progress_.doing,
                  progress_.file,
                  known ? fmt::format(", at {} of {} bytes", progress_.bytes, progress_.total_bytes) : ""),
      number);
}

void FetchContext::wait(double seconds) const {
  const Clock::time_point until =
      Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  for (;;) {
    check_stop();
    const auto left = until - Clock::now();
    if (left <= Clock::duration::zero()) return;
    std::this_thread::sleep_for(std::min<Clock::duration>(left, std::chrono::milliseconds(100)));
  }
}

}  // namespace glidepath
