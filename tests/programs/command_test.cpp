// tests/programs/command_test.cpp - programs that are started: what they say, how they end, what they
// inherit.
#include "programs/command.h"

#include <csignal>
#include <fcntl.h>
#include <fstream>
#include <thread>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "files/folder.h"
#include "support/temporary_folder.h"

namespace glidepath {
namespace {

TEST(Command, SaysWhatItSaidAndHowItEnded) {
  const CommandResult result = run_command({"sh", "-c", "echo out; echo err >&2; exit 3"});
  EXPECT_TRUE(result.is_found);
  EXPECT_EQ(result.exit_status, 3);
  EXPECT_EQ(result.out, "out\n");
  EXPECT_EQ(result.err, "err\n");
  EXPECT_EQ(result.why(), "err");
  EXPECT_EQ(run_command({"sh", "-c", "kill -9 $$"}).exit_status, 137);
  EXPECT_FALSE(run_command({"no-such-program-here"}).is_found);
}

TEST(Command, HasNoInputAndWorksInTheFolderItIsGiven) {
  const TemporaryFolder folder("command");
  const Folder open = Folder::open(folder.path());
  CommandOptions options;
  options.folder = open.descriptor();
  EXPECT_EQ(run_command({"sh", "-c", "cat; pwd -P"}, options).out,
            std::filesystem::canonical(folder.path()).string() + "\n");
}

TEST(Command, InheritsNeitherIgnoredNorBlockedSignals) {
  const auto before = ::signal(SIGPIPE, SIG_IGN);
  sigset_t blocked, old;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &blocked, &old);
  const std::string state = run_command({"sh", "-c", "grep -E '^Sig(Blk|Ign)' /proc/self/status"}).out;
  ::pthread_sigmask(SIG_SETMASK, &old, nullptr);
  ::signal(SIGPIPE, before);
  std::istringstream lines(state);
  std::string name;
  unsigned long long mask = 0;
  lines >> name >> std::hex >> mask;
  EXPECT_EQ(mask & (1ULL << (SIGTERM - 1)), 0U) << state;
  lines >> name >> std::hex >> mask;
  EXPECT_EQ(mask & (1ULL << (SIGPIPE - 1)), 0U) << state;
}

TEST(Command, IsEndedWithItsWholeGroup) {
  const TemporaryFolder folder("command");
  const std::string file = (folder.path() / "alive").string();
  CommandOptions options;
  options.own_group = true;
  {
    const StartedProgram program({"sh", "-c", "sh -c 'sleep 2; touch " + file + "' & wait"}, options);
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(2300));
  EXPECT_FALSE(std::filesystem::exists(file));
}

}  // namespace
}  // namespace glidepath
