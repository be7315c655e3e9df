// fuzz/idx.cpp - the idx format, plain and compressed: a pair of files is refused, or is two images of 3 x 3.
// The first byte says how the rest is made into files: bits 0 and 1 compress images and labels, the upper
// bits are the length of the labels' file, which comes first.
#include <torch/types.h>
#include <zlib.h>

#include "data/sets/readers.h"
#include "harness.h"

using namespace glidepath;

namespace {

/// A gzip stream with the right checksum, which a fuzzer does not find by itself.
std::string compressed(const std::string& text) {
  z_stream stream{};
  fuzz::require(deflateInit2(&stream, 1, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY) == Z_OK,
                "zlib starts");
  std::string result(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<unsigned char*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<unsigned>(text.size());
  stream.next_out = reinterpret_cast<unsigned char*>(result.data());
  stream.avail_out = static_cast<unsigned>(result.size());
  fuzz::require(deflate(&stream, Z_FINISH) == Z_STREAM_END, "zlib compresses");
  result.resize(stream.total_out);
  deflateEnd(&stream);
  return result;
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string text = fuzz::text_of(data + 1, size - 1);
  const std::string labels = text.substr(0, data[0] >> 2), images = text.substr(labels.size());
  static fuzz::MemoryFile image_file, label_file;
  image_file.assign((data[0] & 1) != 0 ? compressed(images) : images);
  label_file.assign((data[0] & 2) != 0 ? compressed(labels) : labels);
  Split split;
  if (!fuzz::accepts([&] { split = read_idx(image_file.path(), label_file.path(), 2, 3, 10); })) return 0;
  fuzz::require(split.images.sizes() == torch::IntArrayRef({2, 1, 3, 3}), "images have the size asked for");
  fuzz::require(split.labels.sizes() == torch::IntArrayRef({2}), "each has a label");
  fuzz::require(split.labels.min().item<std::int64_t>() >= 0 && split.labels.max().item<std::int64_t>() < 10,
                "a label is a class");
  return 0;
}
