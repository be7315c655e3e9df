// tests/nn/kernels/parallel_test.cpp - every index once, on more than one thread.
#include "nn/kernels/parallel.h"

#include <algorithm>
#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <torch/types.h>

namespace glidepath {
namespace {

class Parallel : public testing::Test {
 protected:
  void TearDown() override { at::set_num_threads(threads_); }
  int threads_ = at::get_num_threads();
};

TEST_F(Parallel, EveryIndexComesOnce) {
  for (const int threads : {1, 2, 5}) {
    at::set_num_threads(threads);
    for (const std::int64_t count : {0, 1, 2, 16, 1000, 100'003}) {
      std::vector<int> seen(static_cast<std::size_t>(count));
      parallel_ranges(count, 7, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) ++seen[static_cast<std::size_t>(i)];
      });
      EXPECT_TRUE(std::all_of(seen.begin(), seen.end(), [](int times) { return times == 1; }))
          << threads << " threads, " << count;
    }
  }
}

// at::parallel_for, compiled without OpenMP, fails this.
TEST_F(Parallel, TwoThreadsWork) {
  at::set_num_threads(2);
  std::mutex mutex;
  std::set<std::thread::id> workers;
  parallel_ranges(2, 1, [&](std::int64_t, std::int64_t) {
    const std::lock_guard<std::mutex> lock(mutex);
    workers.insert(std::this_thread::get_id());
  });
  EXPECT_EQ(workers.size(), 2U);
}

TEST_F(Parallel, ExceptionsReachTheCaller) {
  at::set_num_threads(2);
  EXPECT_THROW(parallel_ranges(2, 1, [](std::int64_t, std::int64_t) { throw std::runtime_error("no"); }),
               std::runtime_error);
}

}  // namespace
}  // namespace glidepath
