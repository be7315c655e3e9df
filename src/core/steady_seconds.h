// src/core/steady_seconds.h - seconds by a clock that stands still while the machine sleeps: for waiting.
#pragma once
#include <chrono>

namespace glidepath {

inline double steady_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace glidepath
