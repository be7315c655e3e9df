// src/data/formats/decode_pnm.cpp - PBM, PGM and PPM, plain and raw. Written here, as netpbm's library ends
// the process where a file is damaged.
// Format: the manual pages pbm(5), pgm(5) and ppm(5) of netpbm.
#include <algorithm>
#include <cmath>
#include <cstring>

#include <fmt/format.h>

#include "data/formats/byte_reader.h"

namespace glidepath {
namespace {

class PnmDecoder : public FormatDecoder {
 public:
  ImageSize read_header(const StoredImage& image) override {
    file_ = ByteReader(image.data, image.bytes);
    const int kind = file_.byte(1) - '0';
    is_plain_ = kind <= 3;
    is_bits_ = kind == 1 || kind == 4;
    channels_ = kind == 3 || kind == 6 ? 3 : 1;
    at_ = 2;
    width_ = header_number("width", 1'000'000'000);
    height_ = header_number("height", 1'000'000'000);
    most_ = is_bits_ ? 1 : header_number("largest value", 65535);
    if (most_ == 0) throw CorruptImage("has the largest value 0");
    require_sane_size(width_, height_);
    if (file_.byte(at_) == '#') skip_comment();
    ++at_;  // one blank ends the header; a raw picture's first byte may look like one
    return {static_cast<int>(width_), static_cast<int>(height_)};
  }

  DecodedArea read_pixels(const Rectangle&, int, std::vector<unsigned char>& pixels) override {
    const auto width = static_cast<std::size_t>(width_), height = static_cast<std::size_t>(height_);
    // All of it is there, before memory is taken: a plain picture has a digit at least for each number.
    file_.part(at_, is_plain_ ? width * height * channels_ : row_bytes() * height);
    make_table();
    pixels.resize(width * height * kPixelBytes);
    unsigned char* to = pixels.data();
    for (std::size_t y = 0; y < height; ++y) {
      if (is_plain_) {
        read_plain_row(to);
      } else {
        read_raw_row(file_.part(at_, row_bytes()), to);
        at_ += row_bytes();
      }
      to += width * kPixelBytes;
    }
    return {
        pixels.data(), width * kPixelBytes, {0, 0, static_cast<int>(width_), static_cast<int>(height_)}, 8};
  }

 private:
  static bool is_blank(unsigned char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
  static bool is_digit(unsigned char c) { return c >= '0' && c <= '9'; }

  std::size_t row_bytes() const {
    const auto width = static_cast<std::size_t>(width_);
    if (is_bits_) return (width + 7) / 8;
    return width * channels_ * (most_ > 255 ? 2 : 1);
  }

  /// To the end of its line.
  void skip_comment() {
    while (file_.byte(at_) != '\n' && file_.byte(at_) != '\r') ++at_;
  }
  void skip_blanks() {
    for (;; ++at_) {
      if (file_.byte(at_) == '#') skip_comment();
      if (!is_blank(file_.byte(at_))) return;
    }
  }

  std::int64_t number(const char* what, std::int64_t most) {
    skip_blanks();
    const std::size_t begin = at_;
    std::int64_t value = 0;
    while (at_ < file_.size() && is_digit(file_.byte(at_))) {
      value = value * 10 + file_.byte(at_++) - '0';
      if (value > most) throw CorruptImage(fmt::format("has a {} above {}", what, most));
    }
    if (at_ == begin) throw CorruptImage(fmt::format("has no number for a {} at byte {}", what, at_));
    return value;
  }
  std::int64_t header_number(const char* what, std::int64_t most) {
    const std::int64_t value = number(what, most);
    const unsigned char next = file_.byte(at_);
    if (!is_blank(next) && next != '#')
      throw CorruptImage(fmt::format("has no number for a {} at byte {}", what, at_));
    return value;
  }

  // Rounded as Python does it, halves to even.
  void make_table() {
    const auto most = static_cast<std::size_t>(most_);
    table_.resize(most > 255 ? 65536 : 256);
    for (std::size_t value = 0; value < table_.size(); ++value) {
      const double share = static_cast<double>(value) / static_cast<double>(most) * 255;
      table_[value] = static_cast<unsigned char>(std::min(255.0, std::nearbyint(share)));
    }
  }

  void put(unsigned char* to, std::size_t x, std::size_t channel, unsigned char value) const {
    unsigned char* pixel = to + x * kPixelBytes;
    if (channels_ == 1) {
      std::memset(pixel, value, 3);
    } else {
      pixel[channel] = value;
    }
    pixel[3] = 255;
  }

  void read_plain_row(unsigned char* to) {
    for (std::size_t x = 0; x < static_cast<std::size_t>(width_); ++x) {
      for (std::size_t channel = 0; channel < channels_; ++channel) {
        if (is_bits_) {
          skip_blanks();
          const unsigned char bit = file_.byte(at_++);
          if (bit != '0' && bit != '1') throw CorruptImage(fmt::format("has no bit at byte {}", at_ - 1));
          put(to, x, channel, bit == '1' ? 0 : 255);
        } else {
          put(to, x, channel, table_[static_cast<std::size_t>(number("value", most_))]);
        }
      }
    }
  }

  void read_raw_row(const unsigned char* from, unsigned char* to) const {
    for (std::size_t x = 0; x < static_cast<std::size_t>(width_); ++x) {
      if (is_bits_) {
        put(to, x, 0, (from[x / 8] >> (7 - x % 8) & 1) != 0 ? 0 : 255);
        continue;
      }
      for (std::size_t channel = 0; channel < channels_; ++channel) {
        const std::size_t i = x * channels_ + channel;
        put(to, x, channel,
            table_[most_ > 255 ? static_cast<std::size_t>(from[2 * i]) << 8 | from[2 * i + 1] : from[i]]);
      }
    }
  }

  ByteReader file_{nullptr, 0};
  std::size_t at_ = 0, channels_ = 1;
  std::int64_t width_ = 0, height_ = 0, most_ = 255;
  bool is_plain_ = false, is_bits_ = false;
  std::vector<unsigned char> table_;  // a sample's value as a byte
};

}  // namespace

std::unique_ptr<FormatDecoder> make_pnm_decoder() { return std::make_unique<PnmDecoder>(); }

}  // namespace glidepath
