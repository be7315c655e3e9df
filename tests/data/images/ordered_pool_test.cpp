// tests/data/images/ordered_pool_test.cpp - batches in order from any number of threads.
#include "data/images/ordered_pool.h"

#include <atomic>
#include <chrono>
#include <fstream>
#include <stdexcept>
#include <sys/resource.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "glidepath/error.h"

namespace glidepath {
namespace {

class Squares : public PoolBatch {
 public:
  Squares(std::int64_t number, std::int64_t items, std::function<void(std::int64_t, std::int64_t)> before)
      : number_(number), values_(static_cast<std::size_t>(items)), before_(std::move(before)) {}
  std::int64_t items() const override { return static_cast<std::int64_t>(values_.size()); }
  void make(std::int64_t item, int) override {
    if (before_) before_(number_, item);
    values_[static_cast<std::size_t>(item)] = (number_ * 100 + item) * (number_ * 100 + item);
  }
  const std::vector<std::int64_t>& values() const { return values_; }

 private:
  std::int64_t number_;
  std::vector<std::int64_t> values_;
  std::function<void(std::int64_t, std::int64_t)> before_;
};

OrderedPool::Begin batches_of(std::int64_t batches,
                              std::function<void(std::int64_t, std::int64_t)> before = {},
                              std::atomic<int>* begun = nullptr) {
  return [=, number = std::int64_t{0}]() mutable -> std::shared_ptr<PoolBatch> {
    if (number == batches) return nullptr;
    if (begun != nullptr) ++*begun;
    const std::int64_t items = 1 + number % 5;
    return std::make_shared<Squares>(number++, items, before);
  };
}

TEST(OrderedPool, GivesEveryBatchInOrderWhateverTheThreads) {
  for (const int threads : {1, 2, 4, 9}) {
    for (const int ahead : {1, 3}) {
      const auto dawdle = [](std::int64_t number, std::int64_t item) {  // the first of them last
        std::this_thread::sleep_for(std::chrono::microseconds(number % 3 == 0 && item == 0 ? 500 : 0));
      };
      OrderedPool pool(threads, ahead, batches_of(30, dawdle));
      for (std::int64_t number = 0; number < 30; ++number) {
        const auto batch = pool.next();
        ASSERT_NE(batch, nullptr);
        std::vector<std::int64_t> expected;
        for (std::int64_t i = 0; i < 1 + number % 5; ++i)
          expected.push_back((number * 100 + i) * (number * 100 + i));
        EXPECT_EQ(static_cast<Squares&>(*batch).values(), expected) << threads << " " << ahead;
      }
      EXPECT_EQ(pool.next(), nullptr);
      EXPECT_EQ(pool.next(), nullptr);
    }
  }
}

TEST(OrderedPool, BeginsNoMoreThanItMayKeep) {
  std::atomic<int> begun{0};
  OrderedPool pool(4, 3, batches_of(1000, {}, &begun));
  for (int taken = 1; taken <= 20; ++taken) {
    pool.next();
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    EXPECT_LE(begun, taken + 3);
  }
  EXPECT_GE(begun, 20);
}

TEST(OrderedPool, CarriesTheFirstFailureToItsBatch) {
  for (const int threads : {1, 4}) {
    const auto fail = [](std::int64_t number, std::int64_t item) {
      if (number == 4 && item >= 1) throw std::runtime_error("item " + std::to_string(item));
    };
    OrderedPool pool(threads, 3, batches_of(10, fail));
    for (int i = 0; i < 4; ++i) EXPECT_NE(pool.next(), nullptr);
    for (int time = 0; time < 2; ++time) {
      try {
        pool.next();
        FAIL();
      } catch (const std::runtime_error& error) {
        EXPECT_STREQ(error.what(), "item 1");
      }
    }
  }
}

TEST(OrderedPool, CarriesAFailureToBegin) {
  OrderedPool pool(2, 2, [number = 0]() mutable -> std::shared_ptr<PoolBatch> {
    if (number++ == 2) throw std::runtime_error("no more of these");
    return std::make_shared<Squares>(number, 1, nullptr);
  });
  pool.next();
  pool.next();
  EXPECT_THROW(pool.next(), std::runtime_error);
}

TEST(OrderedPool, StopsInTheMiddle) {
  for (int time = 0; time < 50; ++time) {
    OrderedPool pool(3, 4, batches_of(1000));
    if (time % 2 == 1) pool.next();
  }
}

// Memory for their stacks is the one thing that even the superuser can run out of.
TEST(OrderedPool, SaysHowManyThreadsCanBeStarted) {
  std::size_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_AS, &before), 0);
  rlimit little = before;
  little.rlim_cur = pages * static_cast<std::size_t>(sysconf(_SC_PAGESIZE)) + (std::size_t{512} << 20);
  ASSERT_EQ(setrlimit(RLIMIT_AS, &little), 0);
  std::string message;
  try {
    OrderedPool pool(2000, 3, batches_of(10));
  } catch (const RunError& error) {
    message = error.what();
  }
  setrlimit(RLIMIT_AS, &before);
  EXPECT_THAT(message, testing::MatchesRegex("2000 threads to decode images cannot be started, only [0-9]+: "
                                             "Resource temporarily unavailable; ask for fewer"));
}

}  // namespace
}  // namespace glidepath
