// tests/files/read_file_test.cpp - all of a file, of whatever kind, and what is said of one that cannot be
// read.
#include "files/read_file.h"

#include <fstream>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

#include <gmock/gmock.h>

#include "glidepath/error.h"
#include "support/temporary_folder.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

using testing::StrEq;
using testing::ThrowsMessage;

class ReadFileTest : public testing::Test {
 protected:
  fs::path file() const { return folder_.path() / "a"; }
  void write(const std::string& bytes) const { std::ofstream(file(), std::ios::binary) << bytes; }

  TemporaryFolder folder_{"read-file"};
};

/// Bytes of every value, none of them a copy of those 4096 before.
std::string bytes_of(std::size_t count) {
  std::string bytes;
  for (std::size_t i = 0; i < count; ++i) bytes += static_cast<char>(i * 31 / 7 + i / 4096);
  return bytes;
}

TEST_F(ReadFileTest, GivesEveryByte) {
  for (const std::size_t count : {0, 1, 4095, 4096, 4097, 300'000}) {
    SCOPED_TRACE(count);
    write(bytes_of(count));
    EXPECT_EQ(read_file(file()), bytes_of(count));
    EXPECT_EQ(try_read_file(file()), bytes_of(count));
    std::vector<unsigned char> buffer;
    read_file(file().string(), buffer, count);
    EXPECT_EQ(std::string(buffer.begin(), buffer.end()), bytes_of(count));
  }
}

TEST_F(ReadFileTest, GivesABufferTheSizeOfEachFile) {
  std::vector<unsigned char> buffer;
  for (const char* text : {"a long one", "short", "", "the longest of all"}) {
    write(text);
    read_file(file().string(), buffer, 100);
    EXPECT_EQ(std::string(buffer.begin(), buffer.end()), text);
  }
}

TEST_F(ReadFileTest, ReadsPipesAndFilesOfProcToTheirEnd) {
  ASSERT_EQ(::mkfifo(file().c_str(), 0600), 0);
  std::thread writer([&] { write(bytes_of(300'000)); });
  const auto read = try_read_given_file(file());
  writer.join();
  EXPECT_EQ(read, bytes_of(300'000));
  EXPECT_THAT(read_file("/proc/self/status"), testing::HasSubstr("\nnonvoluntary_ctxt_switches:"));
}

TEST_F(ReadFileTest, SaysWhichFileCannotBeReadAndWhy) {
  std::vector<unsigned char> buffer;
  const std::string none = file().string() + ": cannot be read: No such file or directory";
  EXPECT_THAT([&] { read_file(file()); }, ThrowsMessage<RunError>(StrEq(none)));
  EXPECT_THAT([&] { read_file(file().string(), buffer, 100); }, ThrowsMessage<RunError>(StrEq(none)));
  EXPECT_THAT([&] { read_file(folder_.path()); },
              ThrowsMessage<RunError>(StrEq(folder_.path().string() + ": cannot be read: Is a directory")));
  EXPECT_EQ(try_read_file(file()), std::nullopt);
  EXPECT_EQ(try_read_file(folder_.path()), std::nullopt);
}

TEST_F(ReadFileTest, ReadsNoMoreThanItIsAllowed) {
  std::vector<unsigned char> buffer;
  const std::string told = file().string() + ": has more than 5 bytes";
  write("six by");
  EXPECT_THAT([&] { read_file(file().string(), buffer, 5); }, ThrowsMessage<RunError>(StrEq(told)));
  EXPECT_EQ(try_read_file(file(), 5), std::nullopt);
  EXPECT_EQ(try_read_given_file("/dev/zero", 1'000'000), std::nullopt);
  fs::resize_file(file(), std::uintmax_t{60} << 30);  // takes no room on the disk
  EXPECT_THROW(read_file(file()), RunError);
}

// A pipe that nobody writes would be waited for, a device may have no end.
TEST_F(ReadFileTest, TakesNothingButRegularFilesFromAFolder) {
  ASSERT_EQ(::mkfifo(file().c_str(), 0600), 0);
  const std::string told = ": cannot be read: it is no regular file";
  EXPECT_THAT([&] { read_file(file()); }, ThrowsMessage<RunError>(StrEq(file().string() + told)));
  EXPECT_THAT([&] { read_file("/dev/zero"); }, ThrowsMessage<RunError>(StrEq("/dev/zero" + told)));
  EXPECT_EQ(try_read_file(file()), std::nullopt);
  EXPECT_EQ(tail_of(file(), 10), "");
  std::string line;
  EXPECT_FALSE(LineFile(file()).next(line));
}

TEST_F(ReadFileTest, GivesLinesButNoneOfMoreThanAMegabyte) {
  write("one\n\n" + std::string(3'000'000, 'x') + "\ntwo\r\nhalf");
  LineFile lines(file());
  std::vector<std::string> read;
  for (std::string line; lines.next(line);) read.push_back(line);
  EXPECT_THAT(read, testing::ElementsAre("one", "", "two\r", "half"));
}

TEST_F(ReadFileTest, GivesTheEndsOfAFile) {
  write("beginning and end");
  EXPECT_EQ(head_of(file(), 5), "begin");
  EXPECT_EQ(tail_of(file(), 3), "end");
  EXPECT_EQ(tail_of(file(), 100), "beginning and end");
}

TEST_F(ReadFileTest, TakesNoTextOfAnothersFromASharedFolder) {
  write("4711\n");
  EXPECT_EQ(text_of_own_file(file()), "4711\n");
  fs::create_symlink(file(), folder_.path() / "link");
  EXPECT_EQ(text_of_own_file(folder_.path() / "link"), "");
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give a file away";
  ASSERT_EQ(::chown(file().c_str(), 12345, 12345), 0);
  EXPECT_EQ(text_of_own_file(file()), "");
}

}  // namespace
}  // namespace glidepath
