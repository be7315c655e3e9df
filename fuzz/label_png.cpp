// fuzz/label_png.cpp - masks: bytes are refused, or are a label for each pixel.
#include "data/formats/label_png.h"

#include "harness.h"

using namespace glidepath;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::vector<unsigned char> labels;
  try {
    const ImageSize found = decode_label_png(data, size, labels);
    fuzz::require(
        labels.size() == static_cast<std::size_t>(found.width) * static_cast<std::size_t>(found.height),
        "each pixel has a label");
  } catch (const CorruptImage& problem) {
    fuzz::require(problem.what()[0] != '\0', "an error says what is wrong");
  }
  return 0;
}
