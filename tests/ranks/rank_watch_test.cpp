// tests/ranks/rank_watch_test.cpp - a watch whose store gives no answers.
#include "ranks/rank_watch.h"

#include <condition_variable>
#include <map>
#include <mutex>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace glidepath {
namespace {

using testing::HasSubstr;

constexpr double kLong = 60;

/// A store of one process; while it is silent, who asks waits.
class OneStore {
 public:
  WatchStore store() {
    return {[this](const std::string& key, const std::string& value) { answered()[key] = value; },
            [this](const std::string& key) { return answered()[key]; },
            [this](const std::string& key, const std::string& value) {
              return answered().emplace(key, value).first->second;
            }};
  }
  void be_silent(bool silent) {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      silent_ = silent;
    }
    changed_.notify_all();
  }

 private:
  std::map<std::string, std::string>& answered() {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [this] { return !silent_; });
    return values_;  // of the watch's thread, while the test asks nothing
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  bool silent_ = false;
  std::map<std::string, std::string> values_;
};

std::vector<RankInfo> two_on_other_machines() {
  return {{"a", {"machine-a", 11, 1}, {}}, {"b", {"machine-b", 12, 1}, {}}};
}

// A rank that hears a connection break looks for who is gone, and nobody asks failure() meanwhile.
TEST(RankWatch, WhoWaitsForAFailureFindsASilentStore) {
  OneStore store;
  store.be_silent(true);
  RankWatch watch(store.store(), 1, two_on_other_machines(), "rank 0 (host a, pid 11)", 0.5);
  const auto failure = watch.wait_for_failure(kLong);
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->rank, 0);
  EXPECT_TRUE(failure->gone);
  EXPECT_THAT(failure->message, HasSubstr("rank 0 (host a, pid 11) has given no sign of life"));
  store.be_silent(false);
}

TEST(RankWatch, NobodyIsFoundSilentAtOnce) {
  OneStore store;
  store.be_silent(true);
  RankWatch watch(store.store(), 1, two_on_other_machines(), "rank 0 (host a, pid 11)", 1.5);
  EXPECT_FALSE(watch.failure());
  store.be_silent(false);
  EXPECT_FALSE(watch.wait_for_failure(1.2));
}

TEST(RankWatch, ASilentRankIsNamed) {
  OneStore store;
  RankWatch watch(store.store(), 0, two_on_other_machines(), "rank 0 (host a, pid 11)", 0.5);
  const auto failure = watch.wait_for_failure(kLong);
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->rank, 1);
  EXPECT_THAT(failure->message, HasSubstr("rank 1 (host b, pid 12) has given no sign of life"));
}

}  // namespace
}  // namespace glidepath
