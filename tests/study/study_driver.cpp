// tests/study/study_driver.cpp - FILE OUT TRAINER JOBS: runs a study as `glidepath study` does, without
// torch.
#include <csignal>
#include <cstdio>
#include <string>

#include "glidepath/error.h"
#include "glidepath/table.h"

namespace {
volatile std::sig_atomic_t stop_signal = 0;
void on_signal(int signal) { stop_signal = signal; }
}  // namespace

int main(int, char** argv) {
  std::signal(SIGINT, on_signal);
  std::signal(SIGTERM, on_signal);
  try {
    glidepath::StudyOptions options;
    options.out = argv[2];
    options.program = argv[3];
    options.jobs = std::stol(argv[4]);
    options.stop_signal = [] { return static_cast<int>(stop_signal); };
    const auto results = glidepath::run_study(glidepath::read_study_plan(argv[1]), options);
    glidepath::write_tables(options.out, results);
    return 0;
  } catch (const glidepath::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return error.exit_status();
  }
}
