// src/study/execute/child.cpp - a child process that does not outlive its parent.
#include "study/execute/child.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#include "glidepath/error.h"
#include "system/launchers.h"

namespace glidepath {
namespace {

/// Between fork and exec: only calls that are safe there. The reason of a failure goes through `report`.
[[noreturn]] void become(const char* program, char* const* arguments, char* const* environment, int log,
                         int report, int inherited, pid_t parent) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);  // it died before prctl
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGPIPE}) ::signal(signal, SIG_DFL);
  const int null = ::open("/dev/null", O_RDONLY);
  ::fcntl(inherited, F_SETFD, 0);  // stays open
  if (null >= 0 && ::dup2(null, 0) >= 0 && ::dup2(log, 1) >= 0 && ::dup2(log, 2) >= 0) {
    ::execve(program, arguments, environment);
  }
  const int reason = errno;
  [[maybe_unused]] const ssize_t written = ::write(report, &reason, sizeof reason);
  ::_exit(127);
}

[[noreturn]] void cannot_start(const std::filesystem::path& program, int reason) {
  throw RunError(fmt::format("{}: cannot be started: {}", program.string(), std::strerror(reason)));
}

}  // namespace

bool ChildEnd::interrupted() const {
  const int number = signal != 0 ? signal : exit_status - 128;
  return number == SIGINT || number == SIGTERM || number == SIGHUP || number == SIGUSR1 || number == SIGUSR2;
}

std::string ChildEnd::text() const {
  if (signal == 0) return fmt::format("exit status {}", exit_status);
  return fmt::format("killed by signal {} ({})", signal, ::strsignal(signal));
}

Child::Child(const std::filesystem::path& program, const std::vector<std::string>& arguments, int log,
             int inherited) {
  std::vector<char*> argv = {const_cast<char*>(program.c_str())};
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  std::vector<std::string> variables = environment_without_launchers();
  std::vector<char*> envp;
  for (std::string& variable : variables) envp.push_back(variable.data());
  envp.push_back(nullptr);
  int report[2];
  if (::pipe2(report, O_CLOEXEC) != 0) cannot_start(program, errno);
  const pid_t parent = ::getpid();
  pid_ = ::fork();
  if (pid_ == 0) become(program.c_str(), argv.data(), envp.data(), log, report[1], inherited, parent);
  const int fork_error = errno;
  ::close(report[1]);
  int reason = 0;
  ssize_t count = 0;
  if (pid_ > 0) {
    do count = ::read(report[0], &reason, sizeof reason);  // ends when exec closes the pipe
    while (count < 0 && errno == EINTR);
  }
  ::close(report[0]);
  if (pid_ < 0) {
    pid_ = 0;
    cannot_start(program, fork_error);
  }
  if (count == sizeof reason) {
    ::waitpid(std::exchange(pid_, 0), nullptr, 0);
    cannot_start(program, reason);
  }
}

Child::~Child() {
  if (pid_ == 0) return;
  ::kill(pid_, SIGKILL);
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

Child& Child::operator=(Child&& other) noexcept {
  std::swap(pid_, other.pid_);
  return *this;
}

std::optional<ChildEnd> Child::poll() {
  int status = 0;
  if (pid_ == 0 || ::waitpid(pid_, &status, WNOHANG) != pid_) return std::nullopt;
  pid_ = 0;
  return WIFSIGNALED(status) ? ChildEnd{0, WTERMSIG(status)} : ChildEnd{WEXITSTATUS(status), 0};
}

void Child::send(int signal) const {
  if (pid_ != 0) ::kill(pid_, signal);
}

std::filesystem::path this_program() { return std::filesystem::read_symlink("/proc/self/exe"); }

}  // namespace glidepath
