// src/train/wall_clock.h - the time of day.
#pragma once
#include <chrono>

namespace glidepath {

/// Seconds since 1970 in UTC; it can be set, so it measures no durations.
inline double wall_clock_seconds() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace glidepath
