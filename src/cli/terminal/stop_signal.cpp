// src/cli/terminal/stop_signal.cpp - signals that ask a command to save and stop.
#include "cli/terminal/stop_signal.h"

#include <atomic>
#include <csignal>
#include <cstring>
#include <ctime>
#include <initializer_list>
#include <unistd.h>

namespace glidepath::cli {
namespace {

constexpr long kBounceMilliseconds = 100;

const char* acknowledgement = nullptr;  // set before any signal is caught
std::atomic<int> caught{0};
std::atomic<bool> asked{false};
std::atomic<long> interrupted_at{0};  // milliseconds, of the last SIGINT
static_assert(std::atomic<int>::is_always_lock_free && std::atomic<long>::is_always_lock_free,
              "signal handlers may use lock-free atomics only");

long milliseconds() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);  // allowed in signal handlers
  return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

// At once, as what is under way may take long: an update, a batch of an evaluation, a file.
void acknowledge() {
  if (acknowledgement == nullptr) return;
  const char clear[] = "\r\033[K";  // the live line
  [[maybe_unused]] ssize_t written = 0;
  if (::isatty(STDERR_FILENO) == 1) written = ::write(STDERR_FILENO, clear, sizeof clear - 1);
  written = ::write(STDERR_FILENO, acknowledgement, std::strlen(acknowledgement));
}

void on_signal(int signal_number) {
  if (!asked) _exit(128 + signal_number);
  if (signal_number == SIGINT) {
    const long now = milliseconds(), before = interrupted_at.exchange(now);
    if (caught != 0 && now - before > kBounceMilliseconds) _exit(128 + signal_number);
  }
  int none = 0;
  if (caught.compare_exchange_strong(none, signal_number) && signal_number == SIGINT) acknowledge();
}

}  // namespace

void catch_stop_signals(const char* what) {
  acknowledgement = what;
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2}) {
    struct sigaction action {};
    if (::sigaction(number, nullptr, &action) == 0 && action.sa_handler == SIG_IGN) continue;
    action = {};
    action.sa_handler = on_signal;
    action.sa_flags = SA_RESTART;
    ::sigaction(number, &action, nullptr);
  }
}

int stop_signal() {
  asked = true;
  return caught;
}

}  // namespace glidepath::cli
