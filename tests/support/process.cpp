// tests/support/process.cpp - a child process, its output and its end.
#include "support/process.h"

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <stdexcept>
#include <sys/wait.h>
#include <unistd.h>

namespace glidepath {
namespace {

struct Channel {
  int ours = -1, theirs = -1;
};

[[noreturn]] void fail(const char* what) {
  throw std::runtime_error(std::string(what) + ": " + std::strerror(errno));
}

Channel open_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) fail("pipe");
  return {ends[0], ends[1]};
}

Channel open_terminal(int columns) {
  winsize size{};
  size.ws_row = 24;
  size.ws_col = static_cast<unsigned short>(columns);
  Channel channel;
  if (::openpty(&channel.ours, &channel.theirs, nullptr, nullptr, &size) != 0) fail("openpty");
  ::fcntl(channel.ours, F_SETFD, FD_CLOEXEC);
  ::fcntl(channel.theirs, F_SETFD, FD_CLOEXEC);
  return channel;
}

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> list;
  for (const std::string& text : texts) list.push_back(const_cast<char*>(text.c_str()));
  list.push_back(nullptr);
  return list;
}

std::vector<std::string> environment_with(const std::map<std::string, std::string>& changes) {
  std::vector<std::string> list;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    if (changes.count(text.substr(0, text.find('='))) == 0) list.push_back(text);
  }
  for (const auto& [name, value] : changes) {
    if (!value.empty()) list.push_back(name + "=" + value);
  }
  return list;
}

/// Takes what is there; false at the end of the stream (a terminal tells it by EIO).
bool take(int descriptor, std::string& text) {
  char buffer[8192];
  const ssize_t count = ::read(descriptor, buffer, sizeof buffer);
  if (count > 0) text.append(buffer, static_cast<std::size_t>(count));
  return count > 0 || (count < 0 && errno == EINTR);
}

}  // namespace

ProcessResult run_process(const std::vector<std::string>& arguments, const ProcessOptions& options) {
  const Channel out = open_pipe();
  const Channel err = options.terminal ? open_terminal(options.terminal_columns) : open_pipe();
  const auto variables = environment_with(options.environment);
  const auto argv = pointers(arguments), envp = pointers(variables);
  const pid_t child = ::fork();
  if (child < 0) fail("fork");
  if (child == 0) {
    ::setpgid(0, 0);
    const int null = ::open("/dev/null", O_RDONLY);
    ::dup2(null, 0);
    ::dup2(out.theirs, 1);
    ::dup2(err.theirs, 2);
    if (!options.folder.empty() && ::chdir(options.folder.c_str()) != 0) ::_exit(127);
    ::execvpe(argv[0], argv.data(), envp.data());
    ::_exit(127);
  }
  ::close(out.theirs);
  ::close(err.theirs);

  ProcessResult result;
  using Clock = std::chrono::steady_clock;
  const auto deadline = Clock::now() + std::chrono::duration<double>(options.timeout_seconds);
  bool out_open = true, err_open = true, signal_due = options.signal != 0;
  while (out_open || err_open) {
    pollfd watched[2] = {{out_open ? out.ours : -1, POLLIN, 0}, {err_open ? err.ours : -1, POLLIN, 0}};
    ::poll(watched, 2, 10);
    if (watched[0].revents != 0) out_open = take(out.ours, result.out);
    if (watched[1].revents != 0) err_open = take(err.ours, result.err);
    if (signal_due && result.err.find(options.signal_after) != std::string::npos) {
      ::kill(child, options.signal);
      signal_due = false;
    }
    if (!result.timed_out && Clock::now() > deadline) {
      result.timed_out = true;
      ::kill(-child, SIGKILL);  // with whatever it started
    }
  }
  ::close(out.ours);
  ::close(err.ours);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  result.exit_status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  return result;
}

ProcessResult run_shell(const std::string& line, ProcessOptions options) {
  const std::string program = GLIDEPATH_PROGRAM;
  const char* path = std::getenv("PATH");
  options.environment["PATH"] =
      program.substr(0, program.rfind('/')) + ":" + (path == nullptr ? "/usr/bin:/bin" : path);
  return run_process({"/bin/sh", "-c", line}, options);
}

ProcessResult run_glidepath(std::vector<std::string> arguments, const ProcessOptions& options) {
  arguments.insert(arguments.begin(), GLIDEPATH_PROGRAM);
  return run_process(arguments, options);
}

}  // namespace glidepath
