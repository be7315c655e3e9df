// src/system/standard_streams.cpp - standard input, output and error of a program that may have been started
// without them, or whose reader goes away.
#include "system/standard_streams.h"

#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <initializer_list>
#include <poll.h>
#include <unistd.h>

namespace glidepath {
namespace {

void on_broken_pipe(int) {}

}  // namespace

void prepare_standard_streams() {
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(descriptor, F_GETFD) >= 0 || errno != EBADF) continue;
    // The lowest that is free is this one, as those below it are open by now.
    [[maybe_unused]] const int opened = ::open("/dev/null", descriptor == STDIN_FILENO ? O_RDONLY : O_WRONLY);
  }
  // A handler, where ignoring it would pass on to every program that is started: exec gives them the default.
  struct sigaction action {};
  action.sa_handler = on_broken_pipe;
  action.sa_flags = SA_RESTART;
  ::sigaction(SIGPIPE, &action, nullptr);
}

bool has_lost_its_reader(int descriptor) {
  pollfd watched{descriptor, POLLOUT, 0};
  return ::poll(&watched, 1, 0) > 0 && (watched.revents & POLLERR) != 0;
}

}  // namespace glidepath
