// tests/study/fake_trainer.cpp - takes train's arguments and leaves a run's files, without training.
//
// The run's `data` says how it goes: fail, wrong-input, full-disk, no-summary, diverge, crash, killed-once,
// out-of-memory, hang; anything else is well. `data_dir` is how long it takes in milliseconds.
// $FAKE_TRAINER_LOG gets a line for each start, end and overlap.
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <string>
#include <unistd.h>

#include <fmt/format.h>

#include "glidepath/study.h"

namespace fs = std::filesystem;

namespace {

volatile std::sig_atomic_t stop_signal = 0;

void on_signal(int signal) { stop_signal = signal; }

void log_line(const std::string& what, const fs::path& run) {
  const char* file = std::getenv("FAKE_TRAINER_LOG");
  if (file == nullptr) return;
  const std::string line = what + " " + run.filename().string() + "\n";
  const int descriptor = ::open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (::write(descriptor, line.data(), line.size()) != static_cast<ssize_t>(line.size())) std::abort();
  ::close(descriptor);
}

/// Says so if another live process is in the same run directory.
void check_alone(const fs::path& run) {
  const fs::path lock = run / "fake.pid";
  long other = 0;
  if (std::ifstream(lock) >> other && ::kill(static_cast<pid_t>(other), 0) == 0) log_line("overlap", run);
  std::ofstream(lock) << ::getpid();
}

void sleep_ms(long milliseconds) {
  const timespec time{milliseconds / 1000, milliseconds % 1000 * 1'000'000};
  ::nanosleep(&time, nullptr);
}

/// Writes what train writes; the numbers come from the run's identity alone.
void write_files(const fs::path& run, const glidepath::TrainConfig& config, const std::string& status) {
  const auto number = std::stoull(glidepath::run_id(config).substr(0, 8), nullptr, 16);
  const double accuracy = static_cast<double>(number % 10'000) / 10'000;
  std::ofstream metrics(run / "metrics.jsonl");
  metrics << R"({"kind":"train","step":1,"progress":0.5,"lr":0.05,"loss":null,"accuracy":0.25})"
          << "\n";
  metrics << fmt::format(R"({{"kind":"eval","step":2,"progress":1.0,"loss":0.75,"accuracy":{}}})", accuracy)
          << "\n";
  metrics.close();
  std::ofstream summary(run / "summary.part");
  summary << fmt::format(R"({{"status":"{}","test_accuracy":{},"test_loss":0.75,"train_loss":0.5,)"
                         R"("train_accuracy":0.875,"updates":2,"epochs":0.5,"seconds":0.25,)"
                         R"("images_per_second":1000,"peak_memory_mib":64}})",
                         status, accuracy);
  summary.close();
  fs::rename(run / "summary.part", run / "summary.json");
}

int misbehave(const std::string& how, const fs::path& run, const glidepath::TrainConfig& config) {
  if (how == "fail" || how == "wrong-input") {
    std::fprintf(stderr, "warning: something\nglidepath train: the disk is on fire\n\n");
    return how == "fail" ? 1 : 2;
  }
  if (how == "full-disk") {
    std::fprintf(stderr, "glidepath train: model.safetensors: cannot write: No space left on device\n");
    return 1;
  }
  if (how == "crash") ::raise(SIGABRT);
  if (how == "out-of-memory") ::raise(SIGKILL);
  if (how == "diverge") {
    write_files(run, config, "diverged");
    std::fprintf(stderr, "glidepath train: diverged: the loss is nan at update 2 (lr 1e+09)\n");
    return 1;
  }
  return 0;  // no-summary
}

}  // namespace

int main(int argc, char** argv) {
  const std::string mode = argc > 2 ? argv[2] : "";
  const bool resumes = mode == "--resume";
  const fs::path run = resumes ? argv[3] : argc > 5 ? argv[5] : "";
  std::signal(SIGINT, on_signal);
  std::signal(SIGTERM, on_signal);
  const auto config = glidepath::read_train_config(run / "config.toml");
  log_line(resumes ? "resume" : "start", run);
  check_alone(run);
  if (resumes && !fs::exists(run / "checkpoint" / "step-000000001.safetensors")) return 2;
  const long milliseconds = config.data_dir.empty() ? 0 : std::stol(config.data_dir);
  for (long spent = 0; (spent < milliseconds || config.data == "hang") && stop_signal == 0; spent += 2)
    sleep_ms(2);
  if (config.data == "killed-once" && !fs::exists(run.string() + ".killed")) {
    std::ofstream(run.string() + ".killed") << "";
    ::raise(SIGKILL);
  }
  if (stop_signal != 0) {
    fs::create_directories(run / "checkpoint");
    std::ofstream(run / "checkpoint" / "step-000000001.safetensors") << "half way";
    return 128 + stop_signal;
  }
  for (const char* how :
       {"fail", "wrong-input", "full-disk", "crash", "out-of-memory", "diverge", "no-summary"}) {
    if (config.data == how) return misbehave(how, run, config);
  }
  write_files(run, config, "done");
  log_line("done", run);
  return 0;
}
