// fuzz/cifar.cpp - CIFAR's binary layout: a file is refused, or every byte of it is where it belongs. The
// first byte chooses between CIFAR-10 and CIFAR-100; the sizes are those of two files of one record.
#include <cstring>

#include <torch/types.h>

#include "data/sets/readers.h"
#include "harness.h"

using namespace glidepath;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kPixels = 3 * 32 * 32;
  if (size == 0) return 0;
  const bool is_cifar100 = (data[0] & 1) != 0;
  const std::size_t label_bytes = is_cifar100 ? 2 : 1;
  const std::int64_t classes = is_cifar100 ? 100 : 10;
  const std::string text = fuzz::text_of(data + 1, size - 1);
  const std::string first = text.substr(0, label_bytes + kPixels), second = text.substr(first.size());
  static fuzz::MemoryFile files[2];
  files[0].assign(first);
  files[1].assign(second);
  Split split;
  if (!fuzz::accepts([&] {
        split = read_cifar({files[0].path(), files[1].path()}, static_cast<std::int64_t>(label_bytes), 1,
                           classes);
      }))
    return 0;
  for (const std::string* record : {&first, &second}) {
    const std::int64_t row = record == &first ? 0 : 1;
    fuzz::require(record->size() == label_bytes + kPixels, "only whole records are read");
    const auto label = static_cast<unsigned char>((*record)[label_bytes - 1]);
    fuzz::require(split.labels[row].item<std::int64_t>() == label && label < classes, "a label is a class");
    fuzz::require(
        std::memcmp(split.images[row].contiguous().data_ptr(), record->data() + label_bytes, kPixels) == 0,
        "pixels are the record's");
  }
  return 0;
}
