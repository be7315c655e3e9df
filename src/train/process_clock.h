// src/train/process_clock.h - the clock that budgets are spent by.
#pragma once

namespace glidepath {

/// Seconds on a clock that never goes back, and that goes on while the machine is suspended where the system
/// has such a clock (Linux: CLOCK_BOOTTIME): a budget of 20 minutes is over 20 minutes later.
double budget_clock_seconds();

}  // namespace glidepath
