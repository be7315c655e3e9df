// src/cli/stop_signal.cpp - notes the signal that asks for a stop.
#include "cli/stop_signal.h"

#include <csignal>
#include <initializer_list>

namespace glidepath::cli {
namespace {

volatile std::sig_atomic_t noted = 0;

void note(int signal_number) { noted = signal_number; }

}  // namespace

void watch_signals() {
  struct sigaction action = {};
  action.sa_handler = note;
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction before = {};
    sigaction(number, nullptr, &before);
    if (number == SIGHUP && before.sa_handler == SIG_IGN) continue;  // started by nohup
    sigaction(number, &action, nullptr);
  }
}

int stop_signal() { return static_cast<int>(noted); }

}  // namespace glidepath::cli
