// src/cli/terminal/stop_signal.h - signals that ask a command to save and stop.
#pragma once

namespace glidepath::cli {

/// From here on SIGINT, SIGTERM, SIGHUP, SIGUSR1 and SIGUSR2 are kept for stop_signal(); those that the
/// program was started to ignore (nohup) stay ignored. Until stop_signal() is first asked there is nothing to
/// save (data is being loaded): a signal ends the program at once with 128 + its number, and so does a second
/// SIGINT later, unless it comes within 0.1 s of the first: terminals and wrappers send one twice.
/// `acknowledgement`, a line that outlives the program, is printed on standard error at the first SIGINT, as
/// what is under way may take long; null prints nothing.
void catch_stop_signals(const char* acknowledgement = nullptr);

/// The first signal caught, or 0.
int stop_signal();

}  // namespace glidepath::cli
