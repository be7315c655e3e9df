// src/data/sets/digits.cpp - the 8x8 digits that the program carries (data/digits/README.md).
#include <algorithm>
#include <charconv>
#include <string>
#include <vector>

#include <torch/types.h>
#include <zlib.h>

#include "data/sets/readers.h"
#include "glidepath/error.h"

namespace glidepath {

// Made by CMake from data/digits/digits.csv.gz.
extern const unsigned char kDigitsCsvGz[];
extern const std::size_t kDigitsCsvGzBytes;

namespace {

constexpr std::int64_t kPictures = 1797, kDigitPixels = 64, kLargestValue = 16, kTestEvery = 5;

std::string inflate_digits() {
  std::string text(1U << 20, '\0');
  z_stream stream{};
  constexpr int kGzip = 16 + MAX_WBITS;
  if (inflateInit2(&stream, kGzip) != Z_OK) throw InternalError("digits: zlib cannot start");
  stream.next_in =
      const_cast<unsigned char*>(kDigitsCsvGz);  // zlib's interface predates const; it only reads
  stream.avail_in = static_cast<unsigned>(kDigitsCsvGzBytes);
  stream.next_out = reinterpret_cast<unsigned char*>(text.data());
  stream.avail_out = static_cast<unsigned>(text.size());
  const int status = inflate(&stream, Z_FINISH);
  text.resize(stream.total_out);
  inflateEnd(&stream);
  if (status != Z_STREAM_END) throw InternalError("digits: the carried data set is damaged");
  return text;
}

std::vector<int> numbers_of(const std::string& text) {
  std::vector<int> numbers;
  const char* end = text.data() + text.size();
  for (const char* at = text.data(); at < end;) {
    int value = 0;
    const auto result = std::from_chars(at, end, value);
    if (result.ec != std::errc()) throw InternalError("digits: the carried data set is damaged");
    numbers.push_back(value);
    at = std::find_if(result.ptr, end, [](char c) { return c >= '0' && c <= '9'; });
  }
  return numbers;
}

}  // namespace

std::pair<Split, Split> read_digits() {
  const std::vector<int> numbers = numbers_of(inflate_digits());
  if (static_cast<std::int64_t>(numbers.size()) != kPictures * (kDigitPixels + 1)) {
    throw InternalError("digits: the carried data set is damaged");
  }
  const std::int64_t tests = kPictures / kTestEvery;
  Split train{torch::empty({kPictures - tests, 1, 8, 8}, torch::kUInt8),
              torch::empty({kPictures - tests}, torch::kInt64)};
  Split test{torch::empty({tests, 1, 8, 8}, torch::kUInt8), torch::empty({tests}, torch::kInt64)};
  std::int64_t trained = 0, tested = 0;
  const int* at = numbers.data();
  for (std::int64_t picture = 0; picture < kPictures; ++picture) {
    const bool held_out = picture % kTestEvery == kTestEvery - 1;
    Split& split = held_out ? test : train;
    const std::int64_t row = held_out ? tested++ : trained++;
    auto* pixels = split.images.data_ptr<std::uint8_t>() + row * kDigitPixels;
    for (std::int64_t i = 0; i < kDigitPixels; ++i) {
      pixels[i] = static_cast<std::uint8_t>((*at++ * 255 + kLargestValue / 2) / kLargestValue);
    }
    split.labels.data_ptr<std::int64_t>()[row] = *at++;
  }
  return {std::move(train), std::move(test)};
}

}  // namespace glidepath
