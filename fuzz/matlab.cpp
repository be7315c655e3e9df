// fuzz/matlab.cpp - a MATLAB file is refused, or its classes have whole numbers. If the first byte is odd,
// the rest is compressed into one element, which a fuzzer does not do by itself.
#include "data/stores/matlab.h"

#include <cstring>

#include <zlib.h>

#include "harness.h"

using namespace glidepath;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  std::string file = "MATLAB 5.0 MAT-file";
  file.resize(124, ' ');
  file += std::string("\0\1IM", 4);
  if ((data[0] & 1) != 0) {
    uLongf bytes = compressBound(size);
    std::string packed(bytes, '\0');
    fuzz::require(compress(reinterpret_cast<Bytef*>(packed.data()), &bytes, data + 1, size - 1) == Z_OK,
                  "zlib compresses");
    const std::uint32_t tag[2] = {15, static_cast<std::uint32_t>(bytes)};
    file.append(reinterpret_cast<const char*>(tag), sizeof tag);
    file.append(packed, 0, bytes);
  } else {
    file += fuzz::text_of(data + 1, size - 1);
  }
  fuzz::accepts([&] {
    for (const Synset& synset : read_synsets(file, "meta.mat")) {
      fuzz::require(synset.id >= 0 && synset.children >= 0, "counts are not negative");
    }
  });
  return 0;
}
