// src/data/sets/cifar.cpp - CIFAR-10 and CIFAR-100 in their official binary layout.
#include <cstring>

#include <fmt/format.h>
#include <torch/types.h>

#include "data/sets/readers.h"
#include "files/read_file.h"
#include "glidepath/error.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

constexpr std::int64_t kPixels = 3 * 32 * 32;

void check_size(const fs::path& file, std::int64_t expected) {
  std::error_code error;
  if (!fs::is_regular_file(file, error)) {
    throw_if_in_trouble(file, error);
    throw InputError(
        fmt::format("{}: missing; fetch the data set, or give the folder that holds it", file.string()));
  }
  const auto bytes = static_cast<std::int64_t>(fs::file_size(file, error));
  if (error || bytes == expected) return;
  throw InputError(fmt::format("{}: {} bytes, expected {}; {}, fetch it again", file.string(), bytes,
                               expected,
                               bytes < expected ? "the copy is truncated" : "this is not the official file"));
}

/// Throws ReadFailed where the disk is in trouble, InputError for a file that cannot be read.
void read_whole(const fs::path& file, std::size_t expected, std::vector<unsigned char>& bytes) {
  try {
    read_file(file.string(), bytes, expected);
  } catch (const ReadFailed& failure) {
    if (is_trouble_of_the_disk(failure.reason())) throw;
    throw InputError(failure.what());
  }
  if (bytes.size() < expected)
    throw ReadFailed(fmt::format("{}: {} bytes, and had {} just now", file.string(), bytes.size(), expected),
                     0);
}

}  // namespace

void check_labels(const torch::Tensor& labels, std::int64_t classes, const std::string& place) {
  const auto* values = labels.data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i < labels.size(0); ++i) {
    if (values[i] < 0 || values[i] >= classes) {
      throw InputError(
          fmt::format("{}: record {} has label {}, expected 0 to {}; the file is damaged, fetch it again",
                      place, i, values[i], classes - 1));
    }
  }
}

Split read_cifar(const std::vector<fs::path>& files, std::int64_t label_bytes, std::int64_t records,
                 std::int64_t classes) {
  const std::int64_t record_bytes = label_bytes + kPixels;
  for (const fs::path& file : files) check_size(file, records * record_bytes);
  const std::int64_t total = records * static_cast<std::int64_t>(files.size());
  Split split{torch::empty({total, 3, 32, 32}, torch::kUInt8), torch::empty({total}, torch::kInt64)};
  auto* images = split.images.data_ptr<std::uint8_t>();
  auto* labels = split.labels.data_ptr<std::int64_t>();
  std::vector<unsigned char> bytes;
  for (const fs::path& file : files) {
    read_whole(file, static_cast<std::size_t>(records * record_bytes), bytes);
    const unsigned char* record = bytes.data();
    for (std::int64_t i = 0; i < records; ++i, images += kPixels, record += record_bytes) {
      *labels++ = record[label_bytes - 1];
      std::memcpy(images, record + label_bytes, kPixels);
    }
    const std::int64_t done = labels - split.labels.data_ptr<std::int64_t>();
    check_labels(split.labels.narrow(0, done - records, records), classes, file.string());
  }
  return split;
}

}  // namespace glidepath
