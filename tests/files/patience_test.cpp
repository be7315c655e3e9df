// tests/files/patience_test.cpp - reads that fail for a while, and for good.
#include "files/patience.h"

#include <cerrno>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace glidepath {
namespace {

using std::chrono::duration;
using std::chrono::steady_clock;

const std::atomic<bool> kNever{false};

ReadFailed trouble() { return {"a.jpg: cannot be read: Input/output error", EIO}; }

double seconds_of(const std::function<void()>& action) {
  const auto begun = steady_clock::now();
  action();
  return duration<double>(steady_clock::now() - begun).count();
}

TEST(Patience, TriesAgainUntilTheDiskIsBackAndTellsOfItOnce) {
  Patience patience(5);
  int calls = 0;
  EXPECT_EQ(patience.read([&]() -> int { return ++calls < 4 ? throw trouble() : calls; }, kNever), 4);
  EXPECT_THAT(
      patience.take_news(),
      testing::ElementsAre("a.jpg: cannot be read: Input/output error; waiting for the data, for up to 5 s",
                           "the data can be read again"));
  calls = 0;
  patience.read([&]() -> int { return ++calls < 2 ? throw trouble() : calls; }, kNever);
  EXPECT_TRUE(patience.take_news().empty()) << "once a minute";
}

TEST(Patience, GivesUpAfterItsTimeAndThenAtOnce) {
  Patience patience(0.3);
  const auto failing = [&] {
    try {
      patience.read([]() -> int { throw trouble(); }, kNever);
      ADD_FAILURE();
    } catch (const DataLost& lost) {
      EXPECT_STREQ(lost.what(), "a.jpg: cannot be read: Input/output error, for 0.3 s");
    }
  };
  const double first = seconds_of(failing);
  EXPECT_GE(first, 0.3);
  EXPECT_LT(first, 2);
  EXPECT_LT(seconds_of(failing), 0.2) << "others need not wait again";
}

TEST(Patience, EndsWithWhoeverWaitedForIt) {
  Patience patience(60);
  std::atomic<bool> stopping{false};
  std::thread other([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    stopping = true;
  });
  EXPECT_LT(seconds_of(
                [&] { EXPECT_THROW(patience.read([]() -> int { throw trouble(); }, stopping), ReadFailed); }),
            5);
  other.join();
}

TEST(Patience, LeavesOtherErrorsAlone) {
  Patience patience(60);
  EXPECT_THROW(patience.read([]() -> int { throw RunError("is truncated"); }, kNever), RunError);
  EXPECT_TRUE(patience.take_news().empty());
}

TEST(ReadFailed, TellsTroubleFromWrongPaths) {
  for (const int reason :
       {EIO, ESTALE, EMFILE, ENFILE, ENOMEM, ETIMEDOUT, ENOTCONN, ENXIO, EAGAIN, EHOSTDOWN})
    EXPECT_TRUE(is_trouble_of_the_disk(reason)) << reason;
  for (const int reason : {ENOENT, ENOTDIR, EISDIR, EACCES, EPERM, ELOOP, ENAMETOOLONG})
    EXPECT_FALSE(is_trouble_of_the_disk(reason)) << reason;
}

}  // namespace
}  // namespace glidepath
