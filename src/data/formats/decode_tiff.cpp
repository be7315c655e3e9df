// src/data/formats/decode_tiff.cpp - TIFF through libtiff: strips and tiles, in one plane or several, of
// whole numbers of 1 to 16 bits, and numbers of 32.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <tiffio.h>

#include <fmt/format.h>

#include "data/formats/decode.h"
#include "data/formats/ink.h"
#include "data/formats/tiff_source.h"

namespace glidepath {
namespace {

/// How samples become colours.
struct Layout {
  std::uint16_t photometric = 0, bits = 1, samples = 1, planes = 1, format = SAMPLEFORMAT_UINT;
  std::uint16_t compression = COMPRESSION_NONE, alpha = 0;  // as ExtraSamples says of the first extra one
  std::size_t colours = 1;                                  // samples that are no extra ones
};

/// A sample as it is stored. `bits` is 1 to 16, or 32.
std::uint32_t sample_at(const unsigned char* row, std::size_t index, std::size_t bits) {
  if (bits == 8) return row[index];
  if (bits == 16) {
    std::uint16_t value;
    std::memcpy(&value, row + 2 * index, sizeof value);  // libtiff gives them in the machine's order
    return value;
  }
  if (bits == 32) {
    std::uint32_t value;
    std::memcpy(&value, row + 4 * index, sizeof value);
    return value;
  }
  std::uint32_t value = 0;
  for (std::size_t bit = index * bits; bit < (index + 1) * bits; ++bit)
    value = value << 1 | (row[bit / 8] >> (7 - bit % 8) & 1U);
  return value;
}

/// As Pillow makes a byte of it: small ones are spread, large ones keep their high byte, and what is no whole
/// number of 16 bits or less is cut off.
unsigned char to_byte(std::uint32_t value, const Layout& layout) {
  const auto cut_off = [](double number) {
    return static_cast<unsigned char>(number >= 255 ? 255 : number > 0 ? number : 0);
  };
  if (layout.format == SAMPLEFORMAT_IEEEFP) {
    float number;
    std::memcpy(&number, &value, sizeof number);
    return cut_off(number);
  }
  if (layout.format == SAMPLEFORMAT_INT) {
    if (layout.bits == 8) return cut_off(static_cast<std::int8_t>(value));
    return cut_off(layout.bits == 16 ? static_cast<std::int16_t>(value) : static_cast<std::int32_t>(value));
  }
  // Pillow's 32 bits are signed.
  if (layout.bits == 32) return cut_off(static_cast<std::int32_t>(value));
  if (layout.bits > 8) return static_cast<unsigned char>(value >> (layout.bits - 8));
  return static_cast<unsigned char>(value * 255 / ((1U << layout.bits) - 1));
}

unsigned char without_alpha(unsigned char colour, unsigned char alpha) {
  if (alpha == 0) return 0;
  return static_cast<unsigned char>(std::min(255, colour * 255 / alpha));
}

class TiffDecoder : public FormatDecoder {
 public:
  ~TiffDecoder() override { close(); }

  ImageSize read_header(const StoredImage& image) override {
    close();
    source_ = {image.data, image.bytes, 0, {}};
    const TiffSpeaks now(source_);
    file_ = open_tiff(source_);
    if (file_ == nullptr) fail();
    std::uint32_t width = 0, height = 0;
    TIFFGetField(file_, TIFFTAG_IMAGEWIDTH, &width);
    TIFFGetField(file_, TIFFTAG_IMAGELENGTH, &height);
    require_sane_size(width, height);
    size_ = {static_cast<int>(width), static_cast<int>(height)};
    read_layout();
    check_layout();
    return size_;
  }

  int orientation() const override { return orientation_; }

  DecodedArea read_pixels(const Rectangle&, int, std::vector<unsigned char>& pixels) override {
    const TiffSpeaks now(source_);
    const auto width = static_cast<std::size_t>(size_.width), height = static_cast<std::size_t>(size_.height);
    if (!has_rgb_of_library()) check_blocks();
    pixels.resize(width * height * kPixelBytes);
    if (has_rgb_of_library()) {
      read_rgb(pixels);
    } else {
      read_palette();
      read_blocks(pixels.data());
    }
    return {pixels.data(), width * kPixelBytes, {0, 0, size_.width, size_.height}, 8};
  }

 private:
  void read_layout() {
    layout_ = {};
    const auto number = [this](std::uint32_t tag, std::uint16_t& to) {
      TIFFGetFieldDefaulted(file_, tag, &to);
    };
    number(TIFFTAG_COMPRESSION, layout_.compression);
    if (TIFFGetField(file_, TIFFTAG_PHOTOMETRIC, &layout_.photometric) == 0)
      layout_.photometric = PHOTOMETRIC_MINISWHITE;
    number(TIFFTAG_BITSPERSAMPLE, layout_.bits);
    number(TIFFTAG_SAMPLESPERPIXEL, layout_.samples);
    number(TIFFTAG_SAMPLEFORMAT, layout_.format);
    std::uint16_t planar = PLANARCONFIG_CONTIG;
    number(TIFFTAG_PLANARCONFIG, planar);
    layout_.planes = planar == PLANARCONFIG_SEPARATE ? layout_.samples : 1;
    const std::uint16_t photometric = layout_.photometric;
    layout_.colours = photometric == PHOTOMETRIC_RGB || photometric == PHOTOMETRIC_YCBCR ? 3
                      : photometric == PHOTOMETRIC_SEPARATED                             ? 4
                                                                                         : 1;
    std::uint16_t extra_count = 0, *extras = nullptr;
    TIFFGetFieldDefaulted(file_, TIFFTAG_EXTRASAMPLES, &extra_count, &extras);
    if (extra_count > 0 && extras != nullptr) layout_.alpha = extras[0];
    std::uint16_t turned = 1;
    number(TIFFTAG_ORIENTATION, turned);
    orientation_ = turned >= 1 && turned <= 8 ? turned : 1;
  }

  void check_layout() const {
    constexpr std::uint16_t kCompressions[] = {
        COMPRESSION_NONE,     COMPRESSION_CCITTRLE, COMPRESSION_CCITTFAX3, COMPRESSION_CCITTFAX4,
        COMPRESSION_LZW,      COMPRESSION_OJPEG,    COMPRESSION_JPEG,      COMPRESSION_ADOBE_DEFLATE,
        COMPRESSION_PACKBITS, COMPRESSION_DEFLATE,  COMPRESSION_LZMA,      COMPRESSION_ZSTD,
        COMPRESSION_WEBP};
    const auto& layout = layout_;
    const auto* found = std::find(std::begin(kCompressions), std::end(kCompressions), layout.compression);
    if (found == std::end(kCompressions) || TIFFIsCODECConfigured(layout.compression) == 0)
      refuse(fmt::format("compression {}", layout.compression));
    const std::uint16_t kind = layout.photometric, bits = layout.bits;
    if (layout.samples < layout.colours || layout.samples > 8)
      refuse(fmt::format("{} samples a pixel", layout.samples));
    if (layout.format != SAMPLEFORMAT_UINT && layout.format != SAMPLEFORMAT_VOID &&
        layout.format != SAMPLEFORMAT_INT && layout.format != SAMPLEFORMAT_IEEEFP)
      refuse(fmt::format("sample format {}", layout.format));
    const bool is_whole = layout.format == SAMPLEFORMAT_UINT || layout.format == SAMPLEFORMAT_VOID;
    const bool is_grey = kind == PHOTOMETRIC_MINISBLACK || kind == PHOTOMETRIC_MINISWHITE;
    const bool is_colour = kind == PHOTOMETRIC_RGB || kind == PHOTOMETRIC_SEPARATED;
    const bool is_small = bits == 1 || bits == 2 || bits == 4 || bits == 8;
    const bool is_read =
        is_grey ? (is_whole && (is_small || bits == 12 || bits == 16 || bits == 32)) ||
                      (layout.format == SAMPLEFORMAT_INT && (bits == 8 || bits == 16 || bits == 32)) ||
                      (layout.format == SAMPLEFORMAT_IEEEFP && bits == 32)
        : is_colour                   ? is_whole && (bits == 8 || bits == 16)
        : kind == PHOTOMETRIC_PALETTE ? is_whole && is_small
                                      : kind == PHOTOMETRIC_YCBCR && is_whole && bits == 8;
    if (is_read) return;
    refuse(fmt::format("photometric interpretation {}, {} bits of format {}", kind, bits, layout.format));
  }
  [[noreturn]] static void refuse(const std::string& what) {
    throw CorruptImage(fmt::format("is a TIFF of a kind that is not read: {}", what));
  }

  /// YCbCr is converted by libjpeg where it is JPEG, and by libtiff elsewhere, as in Pillow.
  bool has_rgb_of_library() const {
    if (layout_.photometric != PHOTOMETRIC_YCBCR && layout_.compression != COMPRESSION_OJPEG) return false;
    return layout_.compression != COMPRESSION_JPEG || layout_.planes > 1;
  }

  void read_rgb(std::vector<unsigned char>& pixels) {
    TIFFRGBAImage image;
    char problem[1024] = "";
    if (TIFFRGBAImageOK(file_, problem) == 0 || TIFFRGBAImageBegin(&image, file_, 1, problem) == 0) {
      if (source_.problem.empty()) source_.problem = problem;
      fail();
    }
    image.orientation = image.req_orientation = ORIENTATION_TOPLEFT;  // it is turned afterwards
    // Red is in the lowest byte, so a little-endian machine has the order that is wanted.
    const int read =
        TIFFRGBAImageGet(&image, reinterpret_cast<std::uint32_t*>(pixels.data()),
                         static_cast<std::uint32_t>(size_.width), static_cast<std::uint32_t>(size_.height));
    TIFFRGBAImageEnd(&image);
    if (read == 0) fail();
  }

  /// Strips and tiles alike: blocks of so many rows and columns, the last of which may reach out.
  struct Blocks {
    std::size_t width = 0, height = 0, bytes = 0, row_bytes = 0;
  };

  void check_blocks() {
    if (layout_.photometric == PHOTOMETRIC_YCBCR)
      TIFFSetField(file_, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
    const auto width = static_cast<std::uint32_t>(size_.width),
               height = static_cast<std::uint32_t>(size_.height);
    const bool is_tiled = TIFFIsTiled(file_) != 0;
    std::uint32_t columns = width, rows = height;
    if (is_tiled) {
      TIFFGetField(file_, TIFFTAG_TILEWIDTH, &columns);
      TIFFGetField(file_, TIFFTAG_TILELENGTH, &rows);
    } else {
      TIFFGetFieldDefaulted(file_, TIFFTAG_ROWSPERSTRIP, &rows);
      rows = std::min(rows, height);
    }
    require_sane_size(columns, rows);
    // A tile may be larger than the picture, but not by what the file merely claims.
    constexpr std::uint64_t kLargestTile = std::uint64_t{1} << 24;
    const std::uint64_t picture = std::uint64_t{width} * height;
    if (std::uint64_t{columns} * rows > std::max(kLargestTile, picture))
      refuse(fmt::format("tiles of {} x {} pixels", columns, rows));
    blocks_.width = columns;
    blocks_.height = rows;
    blocks_.bytes = static_cast<std::size_t>(
        std::max<tmsize_t>(0, is_tiled ? TIFFTileSize(file_) : TIFFVStripSize(file_, rows)));
    blocks_.row_bytes = static_cast<std::size_t>(
        std::max<tmsize_t>(0, is_tiled ? TIFFTileRowSize(file_) : TIFFScanlineSize(file_)));
    const std::size_t samples = layout_.planes > 1 ? 1U : layout_.samples;
    const std::size_t needed = (columns * samples * layout_.bits + 7) / 8;
    if (blocks_.row_bytes < needed || blocks_.bytes < blocks_.row_bytes * rows) fail();
  }

  void read_blocks(unsigned char* pixels) {
    const std::size_t planes = layout_.planes;
    block_.resize(blocks_.bytes * planes);
    for (std::size_t top = 0; top < static_cast<std::size_t>(size_.height); top += blocks_.height) {
      for (std::size_t left = 0; left < static_cast<std::size_t>(size_.width); left += blocks_.width) {
        for (std::size_t plane = 0; plane < planes; ++plane) read_block(left, top, plane);
        const std::size_t rows = std::min(blocks_.height, static_cast<std::size_t>(size_.height) - top);
        const std::size_t columns = std::min(blocks_.width, static_cast<std::size_t>(size_.width) - left);
        for (std::size_t row = 0; row < rows; ++row) {
          write_row(row, columns,
                    pixels + ((top + row) * static_cast<std::size_t>(size_.width) + left) * kPixelBytes);
        }
      }
    }
  }

  void read_block(std::size_t left, std::size_t top, std::size_t plane) {
    const auto x = static_cast<std::uint32_t>(left), y = static_cast<std::uint32_t>(top);
    const auto sample = static_cast<std::uint16_t>(plane);
    unsigned char* to = block_.data() + plane * blocks_.bytes;
    const bool is_tiled = TIFFIsTiled(file_) != 0;
    const std::size_t rows = std::min(blocks_.height, static_cast<std::size_t>(size_.height) - top);
    const auto wanted = static_cast<tmsize_t>(is_tiled ? blocks_.bytes : rows * blocks_.row_bytes);
    const tmsize_t count =
        is_tiled ? TIFFReadEncodedTile(file_, TIFFComputeTile(file_, x, y, 0, sample), to, wanted)
                 : TIFFReadEncodedStrip(file_, TIFFComputeStrip(file_, y, sample), to, wanted);
    if (count != wanted) fail();
  }

  void read_palette() {
    if (layout_.photometric != PHOTOMETRIC_PALETTE) return;
    std::uint16_t* colours[3] = {};
    if (TIFFGetField(file_, TIFFTAG_COLORMAP, &colours[0], &colours[1], &colours[2]) == 0)
      throw CorruptImage("has no palette");
    for (std::size_t channel = 0; channel < 3; ++channel) {
      for (std::size_t i = 0; i < std::size_t{1} << layout_.bits; ++i)
        palette_[i][channel] = static_cast<unsigned char>(colours[channel][i] >> 8);
    }
  }

  void write_row(std::size_t row, std::size_t columns, unsigned char* to) const {
    const std::size_t samples = layout_.planes > 1 ? 1U : layout_.samples;
    const auto sample = [&](std::size_t x, std::size_t index) {
      const std::size_t plane = layout_.planes > 1 ? index : 0;
      const unsigned char* from = block_.data() + plane * blocks_.bytes + row * blocks_.row_bytes;
      return sample_at(from, x * samples + (layout_.planes > 1 ? 0 : index), layout_.bits);
    };
    const auto byte = [&](std::size_t x, std::size_t index) { return to_byte(sample(x, index), layout_); };
    const bool is_multiplied = layout_.photometric == PHOTOMETRIC_RGB && layout_.samples > 3 &&
                               layout_.alpha == EXTRASAMPLE_ASSOCALPHA;
    if (layout_.bits == 8 && layout_.planes == 1 && layout_.colours == 3 && !is_multiplied)
      return copy_row(block_.data() + row * blocks_.row_bytes, columns, to);
    for (std::size_t x = 0; x < columns; ++x, to += kPixelBytes) {
      to[3] = 255;
      if (layout_.photometric == PHOTOMETRIC_PALETTE) {
        const auto& colour = palette_[sample(x, 0)];
        std::copy(colour.begin(), colour.end(), to);
      } else if (layout_.colours == 1) {
        const unsigned char grey = byte(x, 0);
        std::memset(to, layout_.photometric == PHOTOMETRIC_MINISWHITE ? 255 - grey : grey, 3);
      } else {
        for (std::size_t i = 0; i < 3; ++i) {
          to[i] = byte(x, i);
          if (is_multiplied) to[i] = without_alpha(to[i], byte(x, 3));
        }
        if (layout_.colours == 4) {
          for (std::size_t i = 0; i < 3; ++i) to[i] = light_of_ink(to[i], byte(x, 3));
        }
      }
    }
  }

  /// The kind that nearly all are of.
  void copy_row(const unsigned char* from, std::size_t columns, unsigned char* to) const {
    for (std::size_t x = 0; x < columns; ++x, from += layout_.samples, to += kPixelBytes) {
      for (std::size_t i = 0; i < 3; ++i) to[i] = from[i];
      to[3] = 255;
    }
  }

  [[noreturn]] void fail() const {
    const std::string& what = source_.problem;
    const bool is_short = what.find("Read error") != what.npos || what.find("read error") != what.npos ||
                          what.find("Cannot read") != what.npos || what.find("Can not read") != what.npos;
    if (is_short) throw CorruptImage("is truncated");
    throw CorruptImage(fmt::format("is not a TIFF that can be decoded: {}",
                                   what.empty() ? "its strips or tiles do not fit its size" : what));
  }

  void close() {
    if (file_ == nullptr) return;
    const TiffSpeaks now(source_);
    TIFFClose(file_);
    file_ = nullptr;
  }

  TiffSource source_;
  TIFF* file_ = nullptr;
  ImageSize size_;
  Layout layout_;
  int orientation_ = 1;
  Blocks blocks_;
  std::array<std::array<unsigned char, 3>, 256> palette_{};
  std::vector<unsigned char> block_;
};

}  // namespace

std::unique_ptr<FormatDecoder> make_tiff_decoder() { return std::make_unique<TiffDecoder>(); }

}  // namespace glidepath
