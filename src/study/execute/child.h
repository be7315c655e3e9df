// src/study/execute/child.h - a child process that does not outlive its parent.
#pragma once
#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace glidepath {

/// A signal meant for a whole job may reach a child before it reaches its parent.
constexpr std::chrono::seconds kSignalMayFollow{1};

/// How a process ended.
struct ChildEnd {
  int exit_status = 0;  ///< when signal is 0
  int signal = 0;       ///< that killed it; 0: it exited by itself
  /// True if it stopped because it was asked to: SIGINT, SIGTERM, SIGHUP or SIGUSR1/2, handled or not.
  bool interrupted() const;
  /// "exit status 3", "killed by signal 9 (Killed)".
  std::string text() const;
};

/// In a process group of its own, so that Ctrl-C reaches the parent alone, which decides; the kernel kills it
/// when the parent is gone. The destructor kills what still runs.
class Child {
 public:
  Child() = default;  ///< none
  /// Starts `program`; its input is empty, both outputs go to the file descriptor `log`, which stays the
  /// caller's; it keeps the file descriptor `inherited`. It is no part of the job that this process may be
  /// in: variables of launchers are left out. Throws RunError if it cannot be started.
  Child(const std::filesystem::path& program, const std::vector<std::string>& arguments, int log,
        int inherited);
  ~Child();
  Child(Child&& other) noexcept : pid_(other.pid_) { other.pid_ = 0; }
  Child& operator=(Child&& other) noexcept;
  /// Looks without waiting; empty while it runs. Ask once after the end.
  std::optional<ChildEnd> poll();
  void send(int signal) const;

 private:
  pid_t pid_ = 0;
};

/// The program that is running.
std::filesystem::path this_program();

}  // namespace glidepath
