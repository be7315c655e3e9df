// tests/loop/budget_under_load_test.cpp - the program itself under a time budget, alone and with every core
// taken from it for a third of the run. Prints what docs/reliability.md tells.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "support/run_results.h"
#include "support/temporary_folder.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// Takes every core from `from` to `to` seconds after it was made.
class Load {
 public:
  Load(double from, double to) {
    const double begun = now();
    for (unsigned i = 0; i < std::thread::hardware_concurrency(); ++i) {
      threads_.emplace_back([=] {
        while (!stop_ && now() < begun + to) {
          if (now() < begun + from) std::this_thread::sleep_for(std::chrono::milliseconds(20));
        }
      });
    }
  }
  ~Load() {
    stop_ = true;
    for (std::thread& thread : threads_) thread.join();
  }

 private:
  std::atomic<bool> stop_{false};
  std::vector<std::thread> threads_;
};

struct Outcome {
  double seconds = 0;  // of the process, from outside
  double last_factor = 0;
  std::int64_t updates = 0;
  double largest_fall = 0;  // of the factor between neighbouring lines of the metrics
};

Outcome run(const std::string& flags, const std::string& budget) {
  const TemporaryFolder temporary("load");
  const fs::path& folder = temporary.path();
  const double begun = now();
  const int status = std::system(fmt::format("{} train {} --budget {} --base-lr 0.1 --out {}/run --quiet",
                                             GLIDEPATH_PROGRAM, flags, budget, folder.string())
                                     .c_str());
  Outcome outcome;
  outcome.seconds = now() - begun;
  EXPECT_EQ(status, 0);
  if (status == 0) {
    const auto summary = summary_of(folder / "run");
    outcome.updates = summary.at("updates");
    outcome.last_factor = summary.at("last_update_lr").get<double>() / 0.1;
    double last = 1;
    for (const auto& record : records_of(folder / "run")) {
      const double factor = record.at("lr").get<double>() / 0.1;
      outcome.largest_fall = std::max(outcome.largest_fall, last - factor);
      EXPECT_LE(factor, last);
      last = factor;
    }
  }
  return outcome;
}

void expect_kept(const std::string& what, int budget, const Outcome& outcome) {
  std::cout << fmt::format("{}: asked {} s, spent {:.2f} s, {} updates, last f(p) {:.4f}\n", what, budget,
                           outcome.seconds, outcome.updates, outcome.last_factor);
  const double tolerance = std::max(0.01 * budget, 2.0);
  EXPECT_NEAR(outcome.seconds, budget, tolerance);
  EXPECT_LT(outcome.last_factor, 0.02);
}

constexpr const char* kRun = "--data digits --model convnet";
constexpr const char* kCifar = "--data cifar10 --model resnet8 --width 0.5";

bool has_cifar() {
  const char* folder = std::getenv("GLIDEPATH_DATA");
  return folder != nullptr && *folder != '\0';
}

TEST(BudgetUnderLoad, TwentySecondsAlone) { expect_kept("alone", 20, run(kRun, "20s")); }

TEST(BudgetUnderLoad, SixtySecondsWithEveryCoreTakenForAThird) {
  const Load load(20, 40);
  expect_kept("cores taken from 20 s to 40 s", 60, run(kRun, "60s"));
}

TEST(BudgetUnderLoad, SixtySecondsWithEveryCoreTakenInTheLastThird) {
  const Load load(40, 70);
  expect_kept("cores taken from 40 s on", 60, run(kRun, "60s"));
}

TEST(BudgetUnderLoad, Cifar10Alone) {
  if (!has_cifar()) GTEST_SKIP() << "GLIDEPATH_DATA names no folder with CIFAR-10";
  expect_kept("CIFAR-10 alone", 90, run(kCifar, "90s"));
}

TEST(BudgetUnderLoad, Cifar10WithEveryCoreTakenForAThird) {
  if (!has_cifar()) GTEST_SKIP() << "GLIDEPATH_DATA names no folder with CIFAR-10";
  const Load load(30, 60);
  expect_kept("CIFAR-10, cores taken from 30 s to 60 s", 90, run(kCifar, "90s"));
}

// Slurm says when the job ends; the run leaves 10 s before it.
TEST(BudgetUnderLoad, SlurmsTimeLimit) {
  const auto end = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now()) + 35;
  ::setenv("SLURM_JOB_END_TIME", std::to_string(end).c_str(), 1);
  expect_kept("Slurm ends the job in 35 s", 25, run(kRun, "slurm"));
  ::unsetenv("SLURM_JOB_END_TIME");
}

}  // namespace
}  // namespace glidepath
