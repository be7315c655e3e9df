// tests/files/read_file_test.cpp - all of a file, of whatever kind, and what is said of one that cannot be
// read.
#include "files/read_file.h"

#include <fstream>
#include <sys/stat.h>
#include <thread>

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
  const std::string read = read_file(file());
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
  fs::remove(file());
  ASSERT_EQ(::mkfifo(file().c_str(), 0600), 0);  // tells no size
  std::thread writer([&] { write("six by"); });
  EXPECT_THAT([&] { read_file(file().string(), buffer, 5); }, ThrowsMessage<RunError>(StrEq(told)));
  writer.join();
}

}  // namespace
}  // namespace glidepath
