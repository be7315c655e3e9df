// tests/data/sets/dataset_test.cpp - the official files, whole and damaged.
#include "glidepath/dataset.h"

#include <cstdlib>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>
#include <zlib.h>

#include "data/sets/readers.h"
#include "glidepath/error.h"
#include "support/temporary_folder.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

template <typename Action>
std::string message_of(const Action& action) {
  try {
    action();
  } catch (const InputError& error) {
    return error.what();
  }
  return "no error";
}

class FilesTest : public testing::Test {
 protected:
  fs::path write(const std::string& name, const std::string& bytes) const {
    std::ofstream(folder_ / name, std::ios::binary) << bytes;
    return folder_ / name;
  }
  const TemporaryFolder temporary_{"data"};
  const fs::path& folder_ = temporary_.path();
};

std::string cifar_record(char label, char pixel) { return std::string(1, label) + std::string(3072, pixel); }

TEST_F(FilesTest, CifarRecordsAreLabelThenPlanes) {
  std::string second = cifar_record(7, 0);
  second[1] = 11;              // red, first pixel
  second[1 + 1024 + 33] = 22;  // green, row 1, column 1
  second[1 + 3071] = 33;       // blue, last pixel
  const Split split = read_cifar({write("a.bin", cifar_record(3, 9) + second)}, 1, 2, 10);
  EXPECT_TRUE(torch::equal(split.labels, torch::tensor({3, 7}, torch::kInt64)));
  EXPECT_TRUE(split.images[0].eq(9).all().item<bool>());
  EXPECT_EQ(split.images[1][0][0][0].item<int>(), 11);
  EXPECT_EQ(split.images[1][1][1][1].item<int>(), 22);
  EXPECT_EQ(split.images[1][2][31][31].item<int>(), 33);
}

TEST_F(FilesTest, Cifar100UsesTheFineLabel) {
  const Split split = read_cifar({write("a.bin", std::string(1, 4) + cifar_record(77, 0))}, 2, 1, 100);
  EXPECT_EQ(split.labels[0].item<int>(), 77);
}

TEST_F(FilesTest, DamagedCifarFilesAreNamed) {
  const auto read = [&](const fs::path& file) { return message_of([&] { read_cifar({file}, 1, 2, 10); }); };
  const std::string one = cifar_record(1, 0);
  const fs::path file = write("a.bin", one);
  EXPECT_EQ(read(file), file.string() + ": 3073 bytes, expected 6146; the copy is truncated, fetch it again");
  write("a.bin", one + one + "x");
  EXPECT_EQ(read(file),
            file.string() + ": 6147 bytes, expected 6146; this is not the official file, fetch it again");
  write("a.bin", one + cifar_record(10, 0));
  EXPECT_EQ(read(file),
            file.string() + ": record 1 has label 10, expected 0 to 9; the file is damaged, fetch it again");
  write("a.bin", "");
  EXPECT_THAT(read(file), testing::HasSubstr("0 bytes, expected 6146"));
  EXPECT_THAT(read(folder_), testing::HasSubstr("missing"));
  EXPECT_THAT(read(folder_ / "none"), testing::HasSubstr("missing"));
}

std::string idx(std::uint32_t magic, const std::vector<std::uint32_t>& extents, const std::string& data) {
  std::string bytes;
  const auto put = [&](std::uint32_t value) {
    for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift);
  };
  put(magic);
  for (const std::uint32_t extent : extents) put(extent);
  return bytes + data;
}

TEST_F(FilesTest, IdxPlainAndCompressedAreTheSame) {
  const std::string images = idx(0x803, {2, 3, 3}, "abcdefghiABCDEFGHI"),
                    labels = idx(0x801, {2}, std::string{4, 9});
  const Split plain = read_idx(write("i", images), write("l", labels), 2, 3, 10);
  EXPECT_EQ(plain.images[1][0][0][2].item<int>(), 'C');
  EXPECT_TRUE(torch::equal(plain.labels, torch::tensor({4, 9}, torch::kInt64)));
  gzFile file = gzopen((folder_ / "i.gz").c_str(), "wb");
  gzwrite(file, images.data(), static_cast<unsigned>(images.size()));
  gzclose(file);
  const Split compressed = read_idx(folder_ / "i.gz", folder_ / "l", 2, 3, 10);
  EXPECT_TRUE(torch::equal(compressed.images, plain.images));

  fs::resize_file(folder_ / "i.gz", fs::file_size(folder_ / "i.gz") - 6);
  EXPECT_THAT(message_of([&] { read_idx(folder_ / "i.gz", folder_ / "l", 2, 3, 10); }),
              testing::EndsWith("its compressed stream is cut off; fetch it again"));
}

TEST_F(FilesTest, DamagedIdxFilesAreNamed) {
  const fs::path labels = write("l", idx(0x801, {2}, std::string{4, 9}));
  const auto read = [&](const std::string& bytes) {
    const fs::path file = write("i", bytes);
    return message_of([&] { read_idx(file, labels, 2, 3, 10); }).substr(file.string().size());
  };
  EXPECT_EQ(read(idx(0x801, {2}, "")), ": magic number 2049, expected 2051; fetch it again");
  EXPECT_EQ(read(idx(0x803, {3, 3, 3}, "")), ": number of images 3, expected 2; fetch it again");
  EXPECT_EQ(read(idx(0x803, {2, 4294967295U, 3}, "")),
            ": image height 4294967295, expected 3; fetch it again");
  EXPECT_EQ(read(idx(0x803, {2, 3, 3}, "abc")), ": ends 15 bytes early; fetch it again");
  EXPECT_EQ(read(idx(0x803, {2, 3, 3}, "abcdefghiABCDEFGHI!")),
            ": goes on after its last record; fetch it again");
  EXPECT_EQ(read(""), ": ends 4 bytes early; fetch it again");
}

TEST(Dataset, UnknownNameListsTheKnown) {
  EXPECT_EQ(message_of([] { load_dataset("cifar11"); }),
            "data \"cifar11\": must be one of cifar10, cifar100, mnist, fashion-mnist, digits, or "
            "imagefolder:PATH, tensors:PATH, tokens:PATH or segmentation:PATH");
}

TEST(Dataset, MissingFilesSayWhereTheyWereLookedFor) {
  const std::string message = message_of([] { load_dataset("cifar10", "/nowhere"); });
  EXPECT_THAT(message, testing::HasSubstr("data_batch_1.bin is not in /nowhere"));
  EXPECT_THAT(message, testing::HasSubstr("\"glidepath data fetch cifar10 --data-dir /nowhere\""));
  EXPECT_THAT(message, testing::HasSubstr("--data-dir or GLIDEPATH_DATA"));
}

// Counts and the first picture as scikit-learn's load_digits() has them.
TEST(Dataset, DigitsAreCarried) {
  const Dataset digits = load_dataset("digits");
  EXPECT_EQ(digits.train.labels.size(0), 1438);
  EXPECT_EQ(digits.test.labels.size(0), 359);
  EXPECT_TRUE(
      torch::equal(digits.train.labels.narrow(0, 0, 5), torch::tensor({0, 1, 2, 3, 5}, torch::kInt64)));
  EXPECT_EQ(digits.test.labels[0].item<int>(), 4);
  const std::vector<int> first_row{0, 0, 5, 13, 9, 1, 0, 0};
  for (std::size_t i = 0; i < 8; ++i) {
    EXPECT_EQ(digits.train.images[0][0][0][static_cast<std::int64_t>(i)].item<int>(),
              static_cast<int>(std::lround(first_row[i] * 255 / 16.0)));
  }
  EXPECT_EQ(torch::cat({digits.train.labels, digits.test.labels}).bincount().sum().item<int>(), 1797);
}

// Counts, first labels and channel means as the data set's authors and users publish them.
TEST(Dataset, Cifar10IsTheOfficialOne) {
  if (std::getenv("GLIDEPATH_DATA") == nullptr)
    GTEST_SKIP() << "GLIDEPATH_DATA names no folder with CIFAR-10";
  const Dataset cifar = load_dataset("cifar10");
  EXPECT_EQ(cifar.train.labels.size(0), 50000);
  EXPECT_TRUE(cifar.train.labels.bincount().eq(5000).all().item<bool>());
  EXPECT_TRUE(cifar.test.labels.bincount().eq(1000).all().item<bool>());
  EXPECT_TRUE(
      torch::equal(cifar.train.labels.narrow(0, 0, 5), torch::tensor({6, 9, 9, 4, 1}, torch::kInt64)));
  for (std::int64_t channel = 0; channel < 3; ++channel) {
    const double mean = cifar.train.images.select(1, channel).to(torch::kFloat32).mean().item<double>() / 255;
    EXPECT_NEAR(mean, cifar.mean[static_cast<std::size_t>(channel)], 1e-4);
  }
}

}  // namespace
}  // namespace glidepath
