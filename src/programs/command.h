// src/programs/command.h - a program of the system, run to its end, and what it said.
#pragma once
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

#include "programs/environment.h"

namespace glidepath {

struct CommandOptions {
  ProgramKind kind = ProgramKind::kSlurm;
  int folder = -1;                   ///< descriptor of the folder it works in; -1: this process's
  int output = -1, complaints = -1;  ///< descriptors of what it writes; -1: /dev/null
  bool own_group = false;            ///< so that Ctrl-C reaches this process alone
};

/// A program that has been started; the one place where one of another's making is. It gets no descriptors
/// but the three, no input, and the environment of its kind. No shell is involved.
class StartedProgram {
 public:
  /// Looks arguments[0] up in $PATH. Throws RunError when the system refuses a process.
  StartedProgram(const std::vector<std::string>& arguments, const CommandOptions& options);
  /// Ends it, with all of its group, when it still runs.
  ~StartedProgram();
  StartedProgram(const StartedProgram&) = delete;
  StartedProgram& operator=(const StartedProgram&) = delete;

  bool is_found() const { return is_found_; }
  /// Its exit status, 128 + number when a signal ended it; nothing while it runs.
  std::optional<int> poll();
  int wait();

 private:
  pid_t pid_ = 0;  // 0: has ended
  int status_ = 0;
  bool is_found_ = true, own_group_ = false;
};

struct CommandResult {
  bool is_found = true;
  int exit_status = 0;  ///< 128 + number when a signal ended it
  std::string out, err;
  bool is_good() const { return is_found && exit_status == 0; }
  /// What it said is wrong, in one line: its first line on standard error, or else how it ended.
  std::string why() const;
};

/// Runs it to its end; `output` and `complaints` of the options do not matter. Of each output the first 64
/// MiB are kept.
CommandResult run_command(const std::vector<std::string>& arguments, CommandOptions options = {});

}  // namespace glidepath
