// src/programs/command.cpp - a program of the system, run to its end, and what it said.
#include "programs/command.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#include "files/read_file.h"
#include "glidepath/error.h"

namespace glidepath {
namespace {

[[noreturn]] void refuse(const std::string& program, int reason) {
  throw RunError(fmt::format("{}: cannot be started: {}", program, std::strerror(reason)));
}

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> list;
  for (const std::string& text : texts) list.push_back(const_cast<char*>(text.c_str()));
  list.push_back(nullptr);
  return list;
}

/// How a process is to begin.
class SpawnPlan {
 public:
  explicit SpawnPlan(const CommandOptions& options) {
    ::posix_spawn_file_actions_init(&files_);
    ::posix_spawn_file_actions_addopen(&files_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    send(options.output, STDOUT_FILENO);
    send(options.complaints, STDERR_FILENO);
    if (options.folder >= 0) ::posix_spawn_file_actions_addfchdir_np(&files_, options.folder);
    ::posix_spawnattr_init(&attributes_);
    // What this process ignores or blocks for itself is no program's of others business.
    sigset_t none, broken_pipe;
    sigemptyset(&none);
    sigemptyset(&broken_pipe);
    sigaddset(&broken_pipe, SIGPIPE);
    ::posix_spawnattr_setsigmask(&attributes_, &none);
    ::posix_spawnattr_setsigdefault(&attributes_, &broken_pipe);
    const int group = options.own_group ? POSIX_SPAWN_SETPGROUP : 0;
    ::posix_spawnattr_setflags(&attributes_,
                               static_cast<short>(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | group));
  }
  ~SpawnPlan() {
    ::posix_spawnattr_destroy(&attributes_);
    ::posix_spawn_file_actions_destroy(&files_);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;

  const posix_spawn_file_actions_t* files() const { return &files_; }
  const posix_spawnattr_t* attributes() const { return &attributes_; }

 private:
  void send(int descriptor, int number) {
    if (descriptor >= 0) {
      ::posix_spawn_file_actions_adddup2(&files_, descriptor, number);
    } else {
      ::posix_spawn_file_actions_addopen(&files_, number, "/dev/null", O_WRONLY, 0);
    }
  }
  posix_spawn_file_actions_t files_{};
  posix_spawnattr_t attributes_{};
};

class Pipe {
 public:
  explicit Pipe(const std::string& program) {
    if (::pipe2(ends_.data(), O_CLOEXEC) != 0) refuse(program, errno);
  }
  ~Pipe() {
    close(0);
    close(1);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  int operator[](std::size_t end) const { return ends_[end]; }
  void close(std::size_t end) {
    if (ends_[end] >= 0) ::close(std::exchange(ends_[end], -1));
  }

 private:
  std::array<int, 2> ends_{-1, -1};
};

void append(std::string& text, const char* data, std::size_t bytes) {
  text.append(data, std::min(bytes, kMostTextBytes - std::min(kMostTextBytes, text.size())));
}

/// Reads both until both are closed, so that neither can fill up.
void read_all(Pipe& out, Pipe& err, CommandResult& result) {
  std::array<char, 65536> buffer{};
  while (out[0] >= 0 || err[0] >= 0) {
    std::array<pollfd, 2> waiting{{{out[0], POLLIN, 0}, {err[0], POLLIN, 0}}};
    if (::poll(waiting.data(), waiting.size(), -1) < 0) continue;
    for (std::size_t i = 0; i < waiting.size(); ++i) {
      if (waiting[i].revents == 0) continue;
      Pipe& pipe = i == 0 ? out : err;
      const ssize_t count = ::read(pipe[0], buffer.data(), buffer.size());
      if (count > 0) append(i == 0 ? result.out : result.err, buffer.data(), static_cast<std::size_t>(count));
      if (count == 0 || (count < 0 && errno != EINTR)) pipe.close(0);
    }
  }
}

}  // namespace

StartedProgram::StartedProgram(const std::vector<std::string>& arguments, const CommandOptions& options)
    : own_group_(options.own_group) {
  const std::string& program = arguments.front();
  const std::vector<std::string> environment = environment_for(options.kind);
  std::vector<char*> argv = pointers(arguments), envp = pointers(environment);
  const SpawnPlan plan(options);
  const int reason =
      ::posix_spawnp(&pid_, program.c_str(), plan.files(), plan.attributes(), argv.data(), envp.data());
  is_found_ = reason != ENOENT && reason != EACCES && reason != ENOTDIR;
  if (reason == 0) return;
  pid_ = 0;
  status_ = 127;
  if (is_found_) refuse(program, reason);
}

StartedProgram::~StartedProgram() {
  if (pid_ == 0) return;
  ::kill(own_group_ ? -pid_ : pid_, SIGTERM);
  wait();
}

std::optional<int> StartedProgram::poll() {
  int status = 0;
  if (pid_ != 0 && ::waitpid(pid_, &status, WNOHANG) == pid_) {
    pid_ = 0;
    status_ = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  }
  return pid_ == 0 ? std::optional<int>(status_) : std::nullopt;
}

int StartedProgram::wait() {
  int status = 0;
  while (pid_ != 0 && ::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  if (pid_ != 0) status_ = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  pid_ = 0;
  return status_;
}

std::string CommandResult::why() const {
  if (!is_found) return "not found; is this a machine of the cluster?";
  std::string line = err.substr(0, err.find('\n'));
  const auto last = line.find_last_not_of(" \t\r");
  line = last == std::string::npos ? "" : line.substr(0, last + 1);
  return line.empty() ? fmt::format("exit status {} without a message", exit_status) : line;
}

CommandResult run_command(const std::vector<std::string>& arguments, CommandOptions options) {
  Pipe out(arguments.front()), err(arguments.front());
  options.output = out[1];
  options.complaints = err[1];
  StartedProgram program(arguments, options);
  CommandResult result;
  result.is_found = program.is_found();
  out.close(1);
  err.close(1);
  read_all(out, err, result);
  result.exit_status = program.wait();
  return result;
}

}  // namespace glidepath
