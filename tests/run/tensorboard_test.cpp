// tests/run/tensorboard_test.cpp - events files against TensorBoard's own writer and reader.
#include "run/tensorboard.h"

#include <csignal>
#include <fstream>
#include <limits>
#include <sys/resource.h>

#include <gmock/gmock.h>

#include "glidepath/error.h"
#include "support/files.h"
#include "support/python.h"
#include "support/temporary_folder.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

class TensorBoard : public testing::Test {
 protected:
  const TemporaryFolder temporary_{"events"};
  const fs::path& folder_ = temporary_.path();
};

// Examples of RFC 3720, appendix B.4, and the check value of the CRC catalogue.
TEST(Crc32c, GivesThePublishedValues) {
  std::string rising, falling;
  for (int i = 0; i < 32; ++i) {
    rising.push_back(static_cast<char>(i));
    falling.push_back(static_cast<char>(31 - i));
  }
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8A9136AAU);
  EXPECT_EQ(crc32c(std::string(32, '\xFF')), 0x62A8AB43U);
  EXPECT_EQ(crc32c(rising), 0x46DD794EU);
  EXPECT_EQ(crc32c(falling), 0x113FDB5CU);
  EXPECT_EQ(crc32c("123456789"), 0xE3069283U);
  EXPECT_EQ(crc32c(""), 0U);
}

TEST_F(TensorBoard, WritesTheBytesThatTensorBoardsOwnWriterDoes) {
  TensorBoardWriter writer(Folder::open(folder_));
  writer.flush();
  const std::size_t version_record = text_of(writer.file()).size();
  writer.scalar("train/loss", 0, 2.5, 1700000000.25);
  writer.scalar("lr", 300, 0.1, 1700000001.5);
  writer.resumed_at(250, 1700000002.0);
  writer.flush();
  const std::string expected = text_of(fs::path(GLIDEPATH_TEST_DATA) / "run" / "events.bin");
  ASSERT_FALSE(expected.empty());
  EXPECT_EQ(text_of(writer.file()).substr(version_record), expected);
}

TEST_F(TensorBoard, EveryWriterHasAFileOfItsOwn) {
  const Folder made = Folder::open(folder_).make_inside("made");
  const TensorBoardWriter first(made), second(made);
  EXPECT_NE(first.file(), second.file());
  EXPECT_THAT(first.file().filename().string(), testing::StartsWith("events.out.tfevents."));
}

TEST_F(TensorBoard, SaysSoWhenTheDiskRefuses) {
  TensorBoardWriter writer(Folder::open(folder_));
  writer.flush();
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit none{0, before.rlim_max};  // a size limit of 0 stands in for a full disk
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &none), 0);
  std::string message = "nothing was thrown";
  try {
    writer.scalar("loss", 1, 1, 1);
    writer.flush();
  } catch (const RunError& error) {
    message = error.what();
  }
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  EXPECT_THAT(message, testing::StartsWith(writer.file().string() + ": cannot be written: "));
}

// The reader checks both checksums of every record.
TEST_F(TensorBoard, IsReadByTensorBoard) {
  GLIDEPATH_NEED_PYTHON("tensorboard");
  TensorBoardWriter first(Folder::open(folder_));
  for (int step = 0; step < 400; step += 100)
    first.scalar("train/loss", step, 4.0 - step / 100.0, 1e9 + step);
  first.scalar("lr", std::int64_t{1} << 40, 1e-30, 2e9);
  first.scalar("nan", 1, std::numeric_limits<double>::quiet_NaN(), 2e9);
  first.flush();
  const PythonResult read = run_python(folder_, R"(
import sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
events = EventAccumulator(sys.argv[1]).Reload()
for tag in sorted(events.Tags()["scalars"]):
    for e in events.Scalars(tag):
        print(tag, e.step, repr(e.value), e.wall_time)
)",
                                       folder_.string());
  EXPECT_EQ(read.status, 0) << read.output;
  EXPECT_EQ(read.output,
            "lr 1099511627776 1.0000000031710769e-30 2000000000.0\n"
            "nan 1 nan 2000000000.0\n"
            "train/loss 0 4.0 1000000000.0\n"
            "train/loss 100 3.0 1000000100.0\n"
            "train/loss 200 2.0 1000000200.0\n"
            "train/loss 300 1.0 1000000300.0\n");
}

TEST_F(TensorBoard, AResumedRunReplacesWhatItRepeats) {
  GLIDEPATH_NEED_PYTHON("tensorboard");
  TensorBoardWriter first(Folder::open(folder_));
  for (int step = 1; step <= 4; ++step) first.scalar("loss", step, 10 + step, 1e9 + step);
  first.flush();
  TensorBoardWriter second(Folder::open(folder_));
  second.resumed_at(3, 1e9 + 10);
  for (int step = 3; step <= 5; ++step) second.scalar("loss", step, 20 + step, 1e9 + 10 + step);
  second.flush();
  const PythonResult read = run_python(folder_, R"(
import sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
events = EventAccumulator(sys.argv[1]).Reload()
print([(e.step, e.value) for e in events.Scalars("loss")])
)",
                                       folder_.string());
  EXPECT_EQ(read.status, 0) << read.output;
  EXPECT_THAT(read.output, testing::EndsWith("[(1, 11.0), (2, 12.0), (3, 23.0), (4, 24.0), (5, 25.0)]\n"));
}

}  // namespace
}  // namespace glidepath
