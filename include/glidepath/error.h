// include/glidepath/error.h - the one family of exceptions that Glidepath throws.
#pragma once
#include <stdexcept>
#include <string>

namespace glidepath {

/// What a program returns for each kind of failure; `main` is the only place that turns one into the other.
enum ExitStatus : int { kExitOk = 0, kExitRunFailed = 1, kExitWrongInput = 2 };

/// Base of everything the library throws on purpose. The message is one line, names the flag or file, the
/// value as given, what is wrong and what would be right; it does not end in a full stop.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
  /// The exit status that `glidepath` ends with when this reaches `main`.
  virtual int exit_status() const noexcept { return kExitRunFailed; }
};

/// Wrong usage or input: a flag, a file, a configuration. Exit status 2.
class InputError : public Error {
 public:
  using Error::Error;
  int exit_status() const noexcept override { return kExitWrongInput; }
};

/// The input was right and the run failed all the same: disk, network, a diverged loss. Exit status 1.
class RunError : public Error {
 public:
  using Error::Error;
};

/// A promise of our own was broken: a defect in Glidepath. Exit status 1.
class InternalError : public Error {
 public:
  using Error::Error;
};

/// Stopped by a signal after the work was saved. Exit status 128 + signal number.
class Interrupted : public Error {
 public:
  Interrupted(const std::string& message, int signal_number)
      : Error(message), signal_number_(signal_number) {}
  int exit_status() const noexcept override { return 128 + signal_number_; }

 private:
  int signal_number_;
};

}  // namespace glidepath
