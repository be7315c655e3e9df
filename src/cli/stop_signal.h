// src/cli/stop_signal.h - Ctrl-C and its kin ask a command to save and stop.
#pragma once

namespace glidepath::cli {

/// From now on the first SIGINT, SIGTERM or SIGHUP is only noted; a second one has its usual effect.
void watch_signals();

/// The number of the signal that came, or 0.
int stop_signal();

}  // namespace glidepath::cli
