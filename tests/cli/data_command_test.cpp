// tests/cli/data_command_test.cpp - `glidepath data fetch` and `verify` as a user runs them, on the real
// CIFAR-10.
#include "data/fetch/fetch_support.h"
#include "support/process.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

using testing::Contains;
using testing::HasSubstr;

/// The real files, packed and served.
class DataCommand : public FetchTest {
 protected:
  void SetUp() override {
    GLIDEPATH_NEED_PYTHON("http.server");
    const char* data = std::getenv("GLIDEPATH_DATA");
    official_ = fs::path(data == nullptr ? "" : data) / "cifar-10-batches-bin";
    if (!fs::exists(official_ / "data_batch_1.bin"))
      GTEST_SKIP() << "GLIDEPATH_DATA names no folder with CIFAR-10";
    const std::string packed = (folder_ / "served/cifar-10-binary.tar.gz").string();
    const std::string command = "tar -C '" + official_.parent_path().string() +
                                "' -cf - cifar-10-batches-bin | gzip -1 > '" + packed + "'";
    ASSERT_EQ(std::system(command.c_str()), 0);
    serve();
  }
  fs::path official_;
};

TEST_F(DataCommand, KilledItGoesOnThenVerifiesThenRepairs) {
  const fs::path target = folder_ / "data/cifar-10-batches-bin";
  const std::string where = "--data-dir '" + (folder_ / "data").string() + "'";
  const std::string mirror = server_->url("slow=60000000/cifar-10-binary.tar.gz");
  const fs::path part =
      target / ".fetch" / ("cifar-10-binary.tar.gz." + checksum(mirror).substr(7, 8) + ".part");
  const pid_t child = ::fork();
  if (child == 0) {
    ::execl(GLIDEPATH_PROGRAM, GLIDEPATH_PROGRAM, "data", "fetch", "cifar10", "--quiet", "--source",
            mirror.c_str(), "--data-dir", (folder_ / "data").c_str(), nullptr);
    ::_exit(127);
  }
  for (int i = 0; i < 6000; ++i) {
    std::error_code error;
    const auto bytes = fs::file_size(part, error);
    if (!error && bytes > 10000000) break;
    ::usleep(10000);
  }
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  const auto kept = fs::file_size(part);
  ASSERT_GT(kept, 10000000u);
  EXPECT_FALSE(fs::exists(target / "data_batch_1.bin"));

  const ProcessResult fetched = run_shell("glidepath data fetch cifar10 --source '" + mirror + "' " + where);
  EXPECT_EQ(fetched.exit_status, 0) << fetched.err;
  EXPECT_THAT(server_->requests(), Contains(HasSubstr(" bytes=" + std::to_string(kept) + "- 206")));
  for (const DataFile& file : data_source("cifar10").files) {
    EXPECT_TRUE(text_of(target / file.name) == text_of(official_ / file.name)) << file.name;
  }
  EXPECT_FALSE(fs::exists(target / ".fetch"));

  EXPECT_EQ(run_shell("glidepath data verify cifar10 " + where).exit_status, 0);
  fs::resize_file(target / "data_batch_2.bin", 1000);
  const ProcessResult damaged = run_shell("glidepath data verify cifar10 " + where);
  EXPECT_EQ(damaged.exit_status, 2);
  EXPECT_THAT(damaged.out + damaged.err,
              HasSubstr("data_batch_2.bin: 1000 bytes, expected 30730000; the copy is truncated; "
                        "\"glidepath data fetch cifar10 --data-dir "));
  for (const std::string& quiet :
       {"glidepath data fetch cifar10 --quiet --from '" + official_.string() + "' " + where,
        "glidepath data verify cifar10 --quiet " + where}) {
    const ProcessResult result = run_shell(quiet);
    EXPECT_EQ(result.out + result.err, "") << quiet;
  }
}

}  // namespace
}  // namespace glidepath
