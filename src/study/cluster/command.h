// src/study/cluster/command.h - a program of the system, run to its end, and what it said.
#pragma once
#include <string>
#include <vector>

namespace glidepath {

struct CommandResult {
  bool is_found = true;
  int exit_status = 0;  ///< 128 + number when a signal ended it
  std::string out, err;
  bool is_good() const { return is_found && exit_status == 0; }
  /// What it said is wrong, in one line: its first line on standard error, or else how it ended.
  std::string why() const;
};

/// Looks arguments[0] up in $PATH; no shell is involved, standard input is empty. Throws RunError when the
/// system refuses a process.
CommandResult run_command(const std::vector<std::string>& arguments);

}  // namespace glidepath
