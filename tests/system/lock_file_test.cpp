// tests/system/lock_file_test.cpp - one holder at a time, and who may take a lock over.
#include "system/lock_file.h"

#include <atomic>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include <gtest/gtest.h>

#include "glidepath/error.h"
#include "support/temporary_folder.h"

namespace glidepath {
namespace {

class LockFileTest : public testing::Test {
 protected:
  LockFileTest() : file_(folder_ / "run.lock") {
    self_.slurm_job = "";
    elsewhere_ = self_;
    elsewhere_.owner.host = "another machine";
    elsewhere_.slurm_job = "17";
  }
  std::optional<LockFile> take(const LockFile::Holder& holder, double stale_seconds = 1000) {
    return LockFile::take(
        file_, holder, [] { return true; }, stale_seconds);
  }
  std::size_t files() const {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder_), {}));
  }

  const TemporaryFolder temporary_{"lock"};
  const std::filesystem::path& folder_ = temporary_.path();
  std::filesystem::path file_;
  LockFile::Holder self_ = LockFile::this_holder(), elsewhere_;
};

TEST_F(LockFileTest, IsHeldByOneAndFreeAfterwards) {
  {
    const auto lock = take(self_);
    ASSERT_TRUE(lock);
    EXPECT_FALSE(take(elsewhere_));
    EXPECT_FALSE(take(self_));
  }
  EXPECT_EQ(files(), 0u);
  EXPECT_TRUE(take(elsewhere_));
}

TEST_F(LockFileTest, OfAProcessThatIsGoneIsTakenOver) {
  const pid_t child = ::fork();
  if (child == 0) {
    auto lock = LockFile::take(file_, LockFile::this_holder(), [] { return true; });
    ::_exit(lock ? 0 : 1);  // without its destructor, as after SIGKILL
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_EQ(status, 0);
  ASSERT_EQ(files(), 1u);
  EXPECT_TRUE(take(self_));
}

TEST_F(LockFileTest, OfAnEarlierStartOfTheSameJobIsTakenOver) {
  auto held = take(elsewhere_);
  ASSERT_TRUE(held);
  auto again = elsewhere_;
  again.owner.host = "a third machine";
  const auto lock = take(again);
  ASSERT_TRUE(lock);
  EXPECT_FALSE(held->renew()) << "the first holder is not told that it lost the lock";
}

TEST_F(LockFileTest, ThatIsNotRenewedIsTakenOverAndOneThatIsIsNot) {
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
  EXPECT_FALSE(LockFile::take(file_, self_, never, 30)) << "the holder is alive";
  is_over = true;
  holder.join();
  auto lock = LockFile::take(file_, self_, never, 0.5);
  ASSERT_TRUE(lock);
  EXPECT_TRUE(lock->renew());
  EXPECT_FALSE(held->renew());
  held.reset();  // leaves the new holder's file alone
  EXPECT_TRUE(lock->renew());
}

TEST_F(LockFileTest, ManyThatTryAtOnceAreOne) {
  std::atomic<int> inside{0}, most{0}, total{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      auto holder = elsewhere_;
      holder.slurm_job = std::to_string(100 + i);
      for (int round = 0; round < 20; ++round) {
        const auto lock = LockFile::take(file_, holder, [] { return true; });
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

TEST_F(LockFileTest, InNoFolderIsARunError) {
  EXPECT_THROW(LockFile::take(folder_ / "none" / "run.lock", self_, {}), RunError);
}

}  // namespace
}  // namespace glidepath
