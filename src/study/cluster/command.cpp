// src/study/cluster/command.cpp - a program of the system, run to its end, and what it said.
#include "study/cluster/command.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#include "glidepath/error.h"

extern char** environ;

namespace glidepath {
namespace {

[[noreturn]] void refuse(const std::string& program, int reason) {
  throw RunError(fmt::format("{}: cannot be started: {}", program, std::strerror(reason)));
}

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
      if (count > 0)
        (i == 0 ? result.out : result.err).append(buffer.data(), static_cast<std::size_t>(count));
      if (count == 0 || (count < 0 && errno != EINTR)) pipe.close(0);
    }
  }
}

}  // namespace

std::string CommandResult::why() const {
  if (!is_found) return "not found; is this a machine of the cluster?";
  std::string line = err.substr(0, err.find('\n'));
  const auto last = line.find_last_not_of(" \t\r");
  line = last == std::string::npos ? "" : line.substr(0, last + 1);
  return line.empty() ? fmt::format("exit status {} without a message", exit_status) : line;
}

CommandResult run_command(const std::vector<std::string>& arguments) {
  const std::string& program = arguments.front();
  std::vector<char*> argv;
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  Pipe out(program), err(program);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&actions, out[1], 1);
  ::posix_spawn_file_actions_adddup2(&actions, err[1], 2);
  pid_t pid = 0;
  const int reason = ::posix_spawnp(&pid, program.c_str(), &actions, nullptr, argv.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  CommandResult result;
  if (reason == ENOENT || reason == EACCES || reason == ENOTDIR) {
    result.is_found = false;
    result.exit_status = 127;
    return result;
  }
  if (reason != 0) refuse(program, reason);
  out.close(1);
  err.close(1);
  read_all(out, err, result);
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  result.exit_status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  return result;
}

}  // namespace glidepath
