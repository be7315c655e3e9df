// tests/files/atomic_file_test.cpp - files that appear whole, and what is said when the disk refuses.
#include "files/atomic_file.h"

#include <csignal>
#include <fstream>
#include <iterator>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gmock/gmock.h>

#include "glidepath/error.h"
#include "support/temporary_folder.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

using testing::ElementsAre;
using testing::StrEq;
using testing::ThrowsMessage;

class AtomicFileTest : public testing::Test {
 protected:
  fs::path file() const { return folder_.path() / "a.txt"; }
  std::string text() const {
    std::ifstream stream(file(), std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
  }
  std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder_.path()))
      names.push_back(entry.path().filename().string());
    return names;
  }
  /// Exit status of a process of its own that runs `body`; 1 for one that threw.
  template <typename Body>
  static int in_another_process(Body body) {
    const pid_t child = ::fork();
    if (child == 0) {
      try {
        body();
      } catch (const Error&) {
        ::_exit(1);
      }
      ::_exit(0);
    }
    int status = -1;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  TemporaryFolder folder_{"atomic-file"};
};

TEST_F(AtomicFileTest, HoldsTheOldTextUntilItIsCommitted) {
  write_file(file(), "old");
  AtomicFile out(file());
  out.write("new", 3);
  EXPECT_EQ(text(), "old");
  out.commit();
  EXPECT_EQ(text(), "new");
  EXPECT_THAT(names(), ElementsAre("a.txt"));
}

TEST_F(AtomicFileTest, LeavesNothingWithoutCommit) {
  AtomicFile(file()).write("half", 4);
  AtomicFile(file(), Writers::kSeveral).write("half", 4);
  EXPECT_THAT(names(), ElementsAre());
}

TEST_F(AtomicFileTest, RemovesWhatAKillLeft) {
  for (const char* ending :
       {".part", ".1234.part", ".0badcafe.part"})  // of earlier versions, and of this one
    std::ofstream(file().string() + ending) << "left by another, and longer";
  write_file(file(), "new");
  EXPECT_EQ(text(), "new");
  EXPECT_THAT(names(), ElementsAre("a.txt"));
}

// What the child writes in between must neither be lost for its reader nor end up in the parent's text.
TEST_F(AtomicFileTest, SharedFilesOfTwoProcessesDoNotMix) {
  AtomicFile out(file(), Writers::kSeveral);
  out.write("the parent's", 12);
  EXPECT_EQ(in_another_process([&] { write_shared_file(file(), "the child's, which is longer"); }), 0);
  EXPECT_EQ(text(), "the child's, which is longer");
  out.commit();
  EXPECT_EQ(text(), "the parent's");
  EXPECT_THAT(names(), ElementsAre("a.txt"));
}

TEST_F(AtomicFileTest, SaysWhichFileCannotBeWrittenAndWhy) {
  const fs::path none = folder_.path() / "none" / "a.txt";
  const std::string message = none.string() + ": cannot write: No such file or directory";
  EXPECT_THAT([&] { write_file(none, "text"); }, ThrowsMessage<RunError>(StrEq(message)));
  EXPECT_THAT([&] { write_shared_file(none, "text"); }, ThrowsMessage<RunError>(StrEq(message)));
}

// In a group's folder others of the group may have to write it.
TEST_F(AtomicFileTest, HasTheRightsThatTheUmaskLeaves) {
  for (const mode_t mask : {0002, 0022, 0077}) {
    EXPECT_EQ(in_another_process([&] {
                ::umask(mask);
                write_shared_file(file(), "text");
              }),
              0);
    EXPECT_EQ(static_cast<mode_t>(fs::status(file()).permissions()), 0666 & ~mask);
  }
}

// A file that may not grow stands in for a disk that is full.
TEST_F(AtomicFileTest, SaysThatTheDiskRefusesAndLeavesNothing) {
  EXPECT_EQ(in_another_process([&] {
              const rlimit limit{2, 2};
              ::signal(SIGXFSZ, SIG_IGN);
              ::setrlimit(RLIMIT_FSIZE, &limit);
              EXPECT_THAT([&] { write_file(file(), "text"); },
                          ThrowsMessage<RunError>(StrEq(file().string() + ": cannot write: File too large")));
              if (testing::Test::HasFailure()) ::_exit(2);
            }),
            0);
  EXPECT_THAT(names(), ElementsAre());
}

TEST_F(AtomicFileTest, SaysThatAFolderIsInTheWayAndLeavesNothing) {
  fs::create_directory(file());
  const std::string message = file().string() + ": cannot replace: Is a directory";
  EXPECT_THAT([&] { write_file(file(), "text"); }, ThrowsMessage<RunError>(StrEq(message)));
  EXPECT_THAT([&] { write_shared_file(file(), "text"); }, ThrowsMessage<RunError>(StrEq(message)));
  EXPECT_THAT(names(), ElementsAre("a.txt"));
}

}  // namespace
}  // namespace glidepath
