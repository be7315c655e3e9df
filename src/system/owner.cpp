// src/system/owner.cpp - a process that holds something, and whether it is still there.
#include "system/owner.h"

#include <cerrno>
#include <fstream>
#include <limits.h>
#include <signal.h>
#include <sstream>
#include <unistd.h>

namespace glidepath {
namespace {

std::string first_line(const char* file) {
  std::ifstream stream(file);
  std::string line;
  std::getline(stream, line);
  return line;
}

struct ProcessState {
  char state = 0;  // nothing is known
  std::int64_t start = -1;
};

/// State and start time from /proc/PID/stat; the name in it is in parentheses and may hold anything.
ProcessState read_process(std::int64_t pid) {
  const std::string line = first_line(("/proc/" + std::to_string(pid) + "/stat").c_str());
  const auto name_end = line.rfind(')');
  if (name_end == std::string::npos) return {};
  std::istringstream fields(line.substr(name_end + 1));
  ProcessState process;
  fields >> process.state;
  std::string skipped;
  for (int field = 4; field < 22; ++field) fields >> skipped;
  fields >> process.start;
  return process;
}

std::string process_namespace() {
  char target[128];
  const ssize_t length = ::readlink("/proc/self/ns/pid", target, sizeof target);
  return length > 0 ? std::string(target, static_cast<std::size_t>(length)) : std::string();
}

}  // namespace

std::int64_t process_start(std::int64_t pid) { return read_process(pid).start; }

char process_state(std::int64_t pid) { return read_process(pid).state; }

std::string host_name() {
  char name[HOST_NAME_MAX + 1] = {};
  ::gethostname(name, sizeof name - 1);
  return name;
}

Owner this_process() {
  const std::int64_t pid = ::getpid();
  return {host_name() + " " + first_line("/proc/sys/kernel/random/boot_id") + " " + process_namespace(), pid,
          read_process(pid).start};
}

bool is_gone(const Owner& owner, const Owner& self) {
  if (owner.host != self.host) return false;
  if (::kill(static_cast<pid_t>(owner.pid), 0) != 0 && errno == ESRCH) return true;
  const ProcessState process = read_process(owner.pid);
  if (process.state == 0) return false;  // there is one, of which nothing is shown
  return process.start != owner.start || process.state == 'Z' || process.state == 'X';
}

}  // namespace glidepath
