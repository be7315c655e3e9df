// tests/system/folder_lock_test.cpp - the second writer of a folder is refused, and told of the first.
#include "system/folder_lock.h"

#include <fstream>
#include <sys/wait.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "glidepath/error.h"
#include "support/temporary_folder.h"

namespace glidepath {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class FolderLockTest : public testing::Test {
 protected:
  std::string refusal() const {
    try {
      FolderLock::take(temporary_.path(), "--out a", {});
    } catch (const InputError& error) {
      return error.what();
    }
    return "taken";
  }
  std::filesystem::path file() const { return temporary_.path() / "run.lock"; }
  /// Left by a process that ended without removing it.
  void leave_lock() const {
    const pid_t child = ::fork();
    if (child == 0) {
      auto lock = FolderLock::take(temporary_.path(), "--out a", {});
      ::_exit(lock ? 0 : 1);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    ASSERT_EQ(status, 0);
    ASSERT_TRUE(std::filesystem::exists(file()));
  }
  const TemporaryFolder temporary_{"folder-lock"};
};

TEST_F(FolderLockTest, NamesWhoHasItAndSinceWhen) {
  {
    const auto lock = FolderLock::take(temporary_.path(), "--out a", {});
    EXPECT_THAT(refusal(), AllOf(HasSubstr("--out a: "), HasSubstr("process " + std::to_string(::getpid())),
                                 HasSubstr("on " + host_name()), HasSubstr("since 20")));
    EXPECT_THROW(FolderLock::clear(temporary_.path()), RunError);
    lock->require();
  }
  EXPECT_FALSE(std::filesystem::exists(file()));
  EXPECT_EQ(refusal(), "taken");
}

TEST_F(FolderLockTest, OfADeadProcessIsTakenOver) {
  leave_lock();
  EXPECT_EQ(refusal(), "taken");
}

TEST_F(FolderLockTest, IsLostWhenAnotherHasTakenItOver) {
  const auto lock = FolderLock::take(temporary_.path(), "--out a", {});
  std::filesystem::remove(file());
  const auto other = LockFile::take(file(), LockFile::this_holder(), {});
  ASSERT_TRUE(other);
  // The first finds it out at its next sign of life, at the latest.
  std::this_thread::sleep_for(std::chrono::duration<double>(LockFile::kRenewSeconds + 1));
  EXPECT_THROW(lock->require(), RunError);
}

TEST_F(FolderLockTest, OfAnotherMachineIsClearedByWhoKnowsBetter) {
  LockFile::Holder far = LockFile::this_holder();
  far.owner.host = "another machine";
  auto lock = LockFile::take(file(), far, {});
  ASSERT_TRUE(lock);
  FolderLock::clear(temporary_.path());
  EXPECT_EQ(refusal(), "taken");
}

TEST_F(FolderLockTest, FollowsNoLinkAndReadsNoOtherKindOfFile) {
  std::filesystem::create_symlink(temporary_.path() / "elsewhere", file());
  EXPECT_THROW(FolderLock::take(temporary_.path(), "--out a", {}), RunError);
  EXPECT_FALSE(std::filesystem::exists(temporary_.path() / "elsewhere"));
  std::filesystem::remove(file());
  std::filesystem::create_directory(file());
  EXPECT_THROW(FolderLock::take(temporary_.path(), "--out a", {}), RunError);
}

}  // namespace
}  // namespace glidepath
