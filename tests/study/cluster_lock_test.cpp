// tests/study/cluster_lock_test.cpp - one holder at a time, and who may take a lock over.
#include <atomic>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include "study/cluster/lock.h"
#include "study/support.h"

namespace glidepath {
namespace {

class ClusterLockTest : public FolderTest {
 protected:
  ClusterLockTest() : file_(folder_ / "run.lock") {
    self_.slurm_job = "";
    elsewhere_ = self_;
    elsewhere_.owner.host = "another machine";
    elsewhere_.slurm_job = "17";
  }
  std::optional<ClusterLock> take(const ClusterLock::Holder& holder, double stale_seconds = 1000) {
    return ClusterLock::take(
        file_, holder, [] { return true; }, stale_seconds);
  }
  std::size_t files() const {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder_), {}));
  }

  std::filesystem::path file_;
  ClusterLock::Holder self_ = ClusterLock::this_holder(), elsewhere_;
};

TEST_F(ClusterLockTest, IsHeldByOneAndFreeAfterwards) {
  {
    const auto lock = take(self_);
    ASSERT_TRUE(lock);
    EXPECT_FALSE(take(elsewhere_));
    EXPECT_FALSE(take(self_));
  }
  EXPECT_EQ(files(), 0u);
  EXPECT_TRUE(take(elsewhere_));
}

TEST_F(ClusterLockTest, OfAProcessThatIsGoneIsTakenOver) {
  const pid_t child = ::fork();
  if (child == 0) {
    auto lock = ClusterLock::take(file_, ClusterLock::this_holder(), [] { return true; });
    ::_exit(lock ? 0 : 1);  // without its destructor, as after SIGKILL
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_EQ(status, 0);
  ASSERT_EQ(files(), 1u);
  EXPECT_TRUE(take(self_));
}

TEST_F(ClusterLockTest, OfAnEarlierStartOfTheSameJobIsTakenOver) {
  auto held = take(elsewhere_);
  ASSERT_TRUE(held);
  auto again = elsewhere_;
  again.owner.host = "a third machine";
  const auto lock = take(again);
  ASSERT_TRUE(lock);
  EXPECT_FALSE(held->renew()) << "the first holder is not told that it lost the lock";
}

TEST_F(ClusterLockTest, ThatIsNotRenewedIsTakenOverAndOneThatIsIsNot) {
  auto held = take(elsewhere_);
  ASSERT_TRUE(held);
  const auto never = [] { return false; };
  std::atomic<bool> is_over{false};
  std::thread holder([&] {
    while (!is_over) {
      held->renew();
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
  });
  EXPECT_FALSE(ClusterLock::take(file_, self_, never, 30)) << "the holder is alive";
  is_over = true;
  holder.join();
  auto lock = ClusterLock::take(file_, self_, never, 0.5);
  ASSERT_TRUE(lock);
  EXPECT_TRUE(lock->renew());
  EXPECT_FALSE(held->renew());
  held.reset();  // leaves the new holder's file alone
  EXPECT_TRUE(lock->renew());
}

TEST_F(ClusterLockTest, ManyThatTryAtOnceAreOne) {
  std::atomic<int> inside{0}, most{0}, total{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      auto holder = elsewhere_;
      holder.slurm_job = std::to_string(100 + i);
      for (int round = 0; round < 20; ++round) {
        const auto lock = ClusterLock::take(file_, holder, [] { return true; });
        if (!lock) continue;
        const int now = ++inside;
        int before = most;
        while (now > before && !most.compare_exchange_weak(before, now)) {
        }
        ++total;
        --inside;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(most, 1);
  EXPECT_GE(total, 1);
  EXPECT_EQ(files(), 0u);
}

TEST_F(ClusterLockTest, InNoFolderIsARunError) {
  EXPECT_THROW(ClusterLock::take(folder_ / "none" / "run.lock", self_, {}), RunError);
}

}  // namespace
}  // namespace glidepath
