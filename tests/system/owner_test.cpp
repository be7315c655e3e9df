// tests/system/owner_test.cpp - whether a process is still there.
#include "system/owner.h"

#include <csignal>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace glidepath {
namespace {

TEST(Owner, IsGoneWhenItsProcessIsAndNotBefore) {
  const Owner self = this_process();
  EXPECT_EQ(self.pid, ::getpid());
  EXPECT_EQ(self.start, process_start(self.pid));
  EXPECT_FALSE(is_gone(self, self));
  Owner reused = self;
  reused.start -= 1;
  EXPECT_TRUE(is_gone(reused, self)) << "the id is in use, by a process that started at another time";
  const pid_t child = ::fork();
  if (child == 0) {
    ::pause();
    ::_exit(0);
  }
  Owner other = self;
  other.pid = child, other.start = process_start(child);
  EXPECT_FALSE(is_gone(other, self));
  ::kill(child, SIGSTOP);
  EXPECT_FALSE(is_gone(other, self)) << "it only stands still";
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  EXPECT_TRUE(is_gone(other, self));
  other.host = "another machine";
  EXPECT_FALSE(is_gone(other, self)) << "what cannot be seen is not known to be gone";
}

}  // namespace
}  // namespace glidepath
