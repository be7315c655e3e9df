// tests/data/own/patience_test.cpp - files of one's own on a disk in trouble, and made by several threads.
#include "files/patience.h"

#include <atomic>
#include <cerrno>
#include <fstream>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include "data/own/own_support.h"
#include "data/own/side_by_side.h"
#include "glidepath/loader.h"
#include "support/temporary_folder.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

/// Example i is the number i; every so many requests its disk gives nothing.
class FlakyExamples : public Examples {
 public:
  explicit FlakyExamples(int every) : every_(every) {}
  std::int64_t size() const override { return 20; }
  Batch batch(const Request& request) const override {
    if (every_ > 0 && ++asked_ % every_ != 0) throw ReadFailed("disk: cannot be read", EIO);
    if (every_ == 0) throw ReadFailed("disk: cannot be read", EIO);
    Batch batch;
    batch.inputs = {torch::tensor(request.numbers).unsqueeze(1)};
    batch.targets = {torch::tensor(request.numbers)};
    batch.examples = static_cast<std::int64_t>(request.numbers.size());
    return batch;
  }

 private:
  int every_;
  mutable std::atomic<int> asked_{0};
};

Dataset set_of(int every, double seconds) {
  const auto examples = std::make_shared<FlakyExamples>(every);
  Dataset set = own_data(examples, examples);
  set.train.patience = set.test.patience = std::make_shared<Patience>(seconds);
  return set;
}

std::vector<std::int64_t> tested(const Dataset& set) {
  PlainLoader loader(set, set.test, 2, 15, 4, torch::kFloat32, false);
  std::vector<std::int64_t> seen;
  while (const auto batch = loader.next()) {
    for (std::int64_t i = 0; i < batch->examples; ++i)
      seen.push_back(batch->targets[0][i].item<std::int64_t>());
  }
  return seen;
}

TEST(OwnPatience, WaitsForBatchesAndMakesTheSameOnes) {
  const Dataset flaky = set_of(3, 30);
  const auto sound = own_data(std::make_shared<FlakyExamples>(1), std::make_shared<FlakyExamples>(1));
  EXPECT_EQ(tested(flaky), tested(sound));
  EXPECT_EQ(tested(flaky).size(), 15U);
  LoaderOptions options;
  options.batch_size = 8;
  TrainLoader waits(flaky, options), plain(sound, options);
  for (int step = 0; step < 4; ++step)
    EXPECT_TRUE(torch::equal(waits.next().inputs[0], plain.next().inputs[0])) << step;
  EXPECT_THAT(flaky.train.patience->take_news(),
              testing::Contains(testing::HasSubstr("disk: cannot be read; waiting for the data")));
}

TEST(OwnPatience, HasAnEndAndLooksUpMeanwhile) {
  const Dataset lost = set_of(0, 0.5);
  int looked = 0;
  lost.train.patience->set_while_waiting([&] { ++looked; });
  LoaderOptions options;
  options.batch_size = 8;
  TrainLoader loader(lost, options);
  EXPECT_THROW(loader.next(), DataLost);
  EXPECT_GT(looked, 0);
  EXPECT_THROW(tested(lost), DataLost);
}

TEST(OwnPatience, WhoWantsNoMoreDoesNotWait) {
  const Dataset lost = set_of(0, 600);
  struct Stop {};
  lost.train.patience->set_while_waiting([] { throw Stop(); });
  LoaderOptions options;
  options.batch_size = 8;
  TrainLoader loader(lost, options);
  EXPECT_THROW(loader.next(), Stop);
  EXPECT_THROW(tested(lost), Stop);
}

TEST(OwnPatience, AFileThatIsCutOffInUseIsWaitedFor) {
  const TemporaryFolder folder("tokens");
  for (const char* name : {"train.bin", "val.bin"}) write_bytes(folder.path() / name, std::string(4000, 'a'));
  DataChoice choice;
  choice.context = 8;
  choice.wait_seconds = 0.2;
  const Dataset set = load_dataset("tokens:" + folder.path().string(), {}, choice);
  ASSERT_TRUE(set.train.patience);
  fs::resize_file(folder.path() / "train.bin", 100);
  LoaderOptions options;
  options.batch_size = 64;
  TrainLoader loader(set, options);
  EXPECT_THROW(loader.next(), DataLost);
}

TEST(SideBySide, DoesEachOnceWhateverTheThreads) {
  for (const int threads : {0, 1, 2, 7}) {
    std::vector<std::atomic<int>> done(100);
    side_by_side(done.size(), threads, [&](std::size_t i) { ++done[i]; });
    for (const auto& each : done) EXPECT_EQ(each, 1) << threads;
  }
  side_by_side(0, 3, [](std::size_t) { FAIL(); });
}

TEST(SideBySide, ThrowsTheFirstInOrder) {
  for (const int threads : {1, 4}) {
    for (int round = 0; round < 20; ++round) {
      try {
        side_by_side(50, threads, [](std::size_t i) {
          if (i >= 7 && i % 2 == 1) throw InputError(std::to_string(i));
        });
        FAIL() << "went well";
      } catch (const InputError& error) {
        EXPECT_STREQ(error.what(), "7");
      }
    }
  }
}

}  // namespace
}  // namespace glidepath
