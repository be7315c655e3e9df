// tests/support/process.h - runs a program as a user does and keeps what it said.
#pragma once
#include <map>
#include <string>
#include <vector>

namespace glidepath {

struct ProcessOptions {
  std::string folder;                              ///< working directory; empty: the test's
  std::map<std::string, std::string> environment;  ///< added to the test's; an empty value takes one away
  bool terminal = false;                           ///< standard error is a terminal
  int terminal_columns = 100;
  /// Sends `signal` once `signal_after` was seen on standard error.
  std::string signal_after;
  int signal = 0;
  double timeout_seconds = 120;  ///< then it is killed, and `timed_out` is true
};

struct ProcessResult {
  int exit_status = -1;  ///< 128 + number when a signal ended it, as a shell tells it
  std::string out, err;
  bool timed_out = false;
};

/// Runs arguments[0] with the rest, standard input closed, and waits for its end.
ProcessResult run_process(const std::vector<std::string>& arguments, const ProcessOptions& options = {});

/// Runs one line of sh in which `glidepath` is the program that was built.
ProcessResult run_shell(const std::string& line, ProcessOptions options = {});

/// Runs the program that was built.
ProcessResult run_glidepath(std::vector<std::string> arguments, const ProcessOptions& options = {});

}  // namespace glidepath
