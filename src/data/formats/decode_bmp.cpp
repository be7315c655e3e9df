// src/data/formats/decode_bmp.cpp - Windows and OS/2 bitmaps. Written here, as the libraries that read them
// are either parts of a whole toolkit or shift 5-bit colours where Pillow scales them.
// Format: "Bitmap Storage" and BITMAPV5HEADER of the Windows API's documentation.
#include <algorithm>
#include <array>
#include <cstring>

#include <fmt/format.h>

#include "data/formats/byte_reader.h"

namespace glidepath {
namespace {

constexpr std::size_t kFileHeader = 14;
enum Compression : std::uint32_t { kRaw = 0, kRle8 = 1, kRle4 = 2, kBitFields = 3 };

/// Where a colour is in a pixel of 16 or 32 bits, scaled to a byte.
struct ColourMask {
  std::uint32_t mask = 0, most = 0;
  int shift = 0;

  explicit ColourMask(std::uint32_t bits = 0) : mask(bits) {
    if (bits == 0) return;
    while (((bits >> shift) & 1) == 0) ++shift;
    most = bits >> shift;
    if ((most & (most + 1)) != 0) throw CorruptImage(fmt::format("has the colour mask {:#x}", mask));
  }
  unsigned char of(std::uint32_t pixel) const {
    if (most == 0) return 0;
    return static_cast<unsigned char>(std::uint64_t{(pixel & mask) >> shift} * 255 / most);
  }
};

using Palette = std::array<std::array<unsigned char, 3>, 256>;

class BmpDecoder : public FormatDecoder {
 public:
  ImageSize read_header(const StoredImage& image) override {
    file_ = ByteReader(image.data, image.bytes);
    header_bytes_ = file_.little32(kFileHeader);
    if (header_bytes_ == 12) {  // OS/2's first one
      width_ = file_.little16(18), height_ = file_.little16(20), bits_ = file_.little16(24);
      compression_ = kRaw, colours_ = 0, top_down_ = false;
    } else {
      read_windows_header();
    }
    require_sane_size(width_, height_);
    check_kind();
    return {static_cast<int>(width_), static_cast<int>(height_)};
  }

  DecodedArea read_pixels(const Rectangle&, int, std::vector<unsigned char>& pixels) override {
    const auto width = static_cast<std::size_t>(width_), height = static_cast<std::size_t>(height_);
    read_palette();
    find_pixels();
    if (compression_ == kRle8 || compression_ == kRle4) {
      unpack_runs();
    } else {
      file_.part(pixels_at_, row_bytes() * height);  // all of it is there, before memory is taken
    }
    pixels.resize(width * height * kPixelBytes);
    for (std::size_t y = 0; y < height; ++y) {
      const std::size_t row = top_down_ ? y : height - 1 - y;
      unsigned char* to = pixels.data() + y * width * kPixelBytes;
      if (bits_ <= 8) {
        write_palette_row(row, to);
      } else {
        write_colour_row(file_.part(pixels_at_ + row * row_bytes(), row_bytes()), to);
      }
    }
    return {
        pixels.data(), width * kPixelBytes, {0, 0, static_cast<int>(width_), static_cast<int>(height_)}, 8};
  }

 private:
  void read_windows_header() {
    constexpr std::uint32_t kKnown[] = {40, 52, 56, 64, 108, 124};
    if (std::find(std::begin(kKnown), std::end(kKnown), header_bytes_) == std::end(kKnown))
      throw CorruptImage(
          fmt::format("is no bitmap that is read: it has a header of {} bytes", header_bytes_));
    width_ = static_cast<std::int32_t>(file_.little32(18));
    height_ = static_cast<std::int32_t>(file_.little32(22));
    top_down_ = height_ < 0;
    if (top_down_) height_ = -height_;
    bits_ = file_.little16(28);
    compression_ = file_.little32(30);
    colours_ = file_.little32(46);
  }

  void check_kind() const {
    const bool is_run = (compression_ == kRle8 && bits_ == 8) || (compression_ == kRle4 && bits_ == 4);
    const bool is_raw = compression_ == kRaw &&
                        (bits_ == 1 || bits_ == 4 || bits_ == 8 || bits_ == 16 || bits_ == 24 || bits_ == 32);
    const bool is_masked = compression_ == kBitFields && (bits_ == 16 || bits_ == 24 || bits_ == 32);
    if (is_run || is_raw || is_masked) return;
    throw CorruptImage(
        fmt::format("is no bitmap that is read: {} bits a pixel, compression {}", bits_, compression_));
  }

  std::size_t row_bytes() const {
    return (static_cast<std::size_t>(width_) * static_cast<std::size_t>(bits_) + 31) / 32 * 4;
  }

  bool has_masks_behind_header() const { return compression_ == kBitFields && header_bytes_ == 40; }
  std::size_t header_end() const {
    return kFileHeader + header_bytes_ + (has_masks_behind_header() ? 12 : 0);
  }
  std::size_t colours_in_palette() const {
    if (bits_ > 8) return 0;
    return colours_ != 0 ? colours_ : std::size_t{1} << bits_;
  }

  // A palette that is too short goes on as shades of grey, as in Pillow.
  void read_palette() {
    for (std::size_t i = 0; i < palette_.size(); ++i) palette_[i].fill(static_cast<unsigned char>(i));
    const std::size_t entry = header_bytes_ == 12 ? 3 : 4;
    const std::size_t count = std::min(colours_in_palette(), palette_.size());
    const unsigned char* from = file_.part(header_end(), entry * count);
    for (std::size_t i = 0; i < count; ++i, from += entry) palette_[i] = {from[2], from[1], from[0]};
  }

  void find_pixels() {
    pixels_at_ = file_.little32(10);
    if (pixels_at_ == 0) pixels_at_ = header_end() + (header_bytes_ == 12 ? 3 : 4) * colours_in_palette();
    if (bits_ <= 8) return;
    std::uint32_t masks[3] = {0xFF0000, 0xFF00, 0xFF};
    if (bits_ == 16) masks[0] = 0x7C00, masks[1] = 0x3E0, masks[2] = 0x1F;
    if (compression_ == kBitFields) {
      std::uint32_t given[3], any = 0;
      for (std::size_t i = 0; i < 3; ++i) any |= given[i] = file_.little32(kFileHeader + 40 + 4 * i);
      if (any != 0) std::copy(std::begin(given), std::end(given), masks);
    }
    for (std::size_t i = 0; i < 3; ++i) masks_[i] = ColourMask(masks[i]);
  }

  void write_colour_row(const unsigned char* from, unsigned char* to) const {
    const std::size_t bytes = static_cast<std::size_t>(bits_) / 8;
    for (std::int64_t x = 0; x < width_; ++x, from += bytes, to += kPixelBytes) {
      std::uint32_t pixel = 0;
      std::memcpy(&pixel, from, bytes);  // little-endian, as every machine that Glidepath runs on
      for (std::size_t i = 0; i < 3; ++i) to[i] = masks_[i].of(pixel);
      to[3] = 255;
    }
  }

  void write_palette_row(std::size_t row, unsigned char* to) const {
    const bool is_run = compression_ != kRaw;
    const auto width = static_cast<std::size_t>(width_), bits = static_cast<std::size_t>(bits_);
    const unsigned char* from =
        is_run ? indices_.data() + row * width : file_.part(pixels_at_ + row * row_bytes(), row_bytes());
    for (std::size_t x = 0; x < width; ++x, to += kPixelBytes) {
      std::size_t index = is_run ? from[x] : from[x * bits / 8];
      if (!is_run && bits < 8) index = index >> (8 - bits - x * bits % 8) & ((1U << bits) - 1);
      std::copy(palette_[index].begin(), palette_[index].end(), to);
      to[3] = 255;
    }
  }

  /// Runs to a palette index each pixel. What no run says is index 0; what goes past a row is left out.
  void unpack_runs() {
    const auto width = static_cast<std::size_t>(width_), height = static_cast<std::size_t>(height_);
    // Two bytes say at most 255 pixels, or skip to a place further down: a small file cannot ask for much.
    indices_.assign(width * height, 0);
    std::size_t x = 0, y = 0, at = pixels_at_;
    const auto put = [&](unsigned index) {
      if (x < width && y < height) indices_[y * width + x] = static_cast<unsigned char>(index);
      ++x;
    };
    while (y < height) {
      const std::size_t count = file_.byte(at), value = file_.byte(at + 1);
      at += 2;
      if (count > 0) {
        for (std::size_t i = 0; i < count; ++i) put(nibble(static_cast<unsigned>(value), i));
      } else if (value == 0) {
        x = 0, ++y;
      } else if (value == 1) {
        return;
      } else if (value == 2) {
        x += file_.byte(at), y += file_.byte(at + 1), at += 2;
      } else {
        const std::size_t bytes = bits_ == 8 ? value : (value + 1) / 2;
        const unsigned char* from = file_.part(at, bytes);
        for (std::size_t i = 0; i < value; ++i) put(nibble(from[bits_ == 8 ? i : i / 2], i));
        at += (bytes + 1) / 2 * 2;
      }
    }
  }
  unsigned nibble(unsigned value, std::size_t index) const {
    if (bits_ == 8) return value;
    return index % 2 == 0 ? value >> 4 : value & 15;
  }

  ByteReader file_{nullptr, 0};
  std::uint32_t header_bytes_ = 0, compression_ = 0, colours_ = 0;
  std::int64_t width_ = 0, height_ = 0;
  int bits_ = 0;
  bool top_down_ = false;
  std::size_t pixels_at_ = 0;
  Palette palette_{};
  std::array<ColourMask, 3> masks_;
  std::vector<unsigned char> indices_;  // of runs
};

}  // namespace

std::unique_ptr<FormatDecoder> make_bmp_decoder() { return std::make_unique<BmpDecoder>(); }

}  // namespace glidepath
