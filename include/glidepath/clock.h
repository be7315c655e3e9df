// include/glidepath/clock.h - the clocks that budgets are spent by.
#pragma once

namespace glidepath {

/// Seconds on a clock that never goes back, and that goes on while the machine is suspended where the system
/// has such a clock (Linux: CLOCK_BOOTTIME): a budget of 20 minutes is over 20 minutes later.
double budget_clock_seconds();

/// Seconds since 1970 in UTC; it can be set, so it measures no durations.
double wall_clock_seconds();

/// How long this process has run; 0 where the system does not tell.
double seconds_since_process_start();

}  // namespace glidepath
