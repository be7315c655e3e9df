// src/data/formats/decode.cpp - files to pixels: which format, and which way up.
#include "data/formats/decode.h"

#include <cstring>
#include <iterator>
#include <string_view>

#include <fmt/format.h>

#include "files/content_kind.h"

namespace glidepath {
namespace {

bool image_begins_with(const StoredImage& image, const char* bytes, std::size_t count, std::size_t at = 0) {
  return image.bytes >= at + count && std::memcmp(image.data + at, bytes, count) == 0;
}

/// A new format is a line here.
struct Format {
  bool (*is_it)(const StoredImage&);
  std::unique_ptr<FormatDecoder> (*make)();
};
const Format kFormats[] = {
    {[](const StoredImage& image) { return image_begins_with(image, "\xFF\xD8", 2); }, make_jpeg_decoder},
    {[](const StoredImage& image) { return image_begins_with(image, "\x89PNG\r\n\x1A\n", 8); },
     make_png_decoder},
    {[](const StoredImage& image) {
       return image_begins_with(image, "II*\0", 4) || image_begins_with(image, "MM\0*", 4) ||
              image_begins_with(image, "II+\0", 4) || image_begins_with(image, "MM\0+", 4);
     },
     make_tiff_decoder},
    {[](const StoredImage& image) {
       return image_begins_with(image, "RIFF", 4) && image_begins_with(image, "WEBP", 4, 8);
     },
     make_webp_decoder},
    {[](const StoredImage& image) { return image_begins_with(image, "BM", 2); }, make_bmp_decoder},
    {[](const StoredImage& image) {
       constexpr std::string_view kSpace = " \t\n\v\f\r#";
       return image.bytes > 2 && image.data[0] == 'P' && image.data[1] >= '1' && image.data[1] <= '6' &&
              kSpace.find(static_cast<char>(image.data[2])) != kSpace.npos;
     },
     make_pnm_decoder},
};

bool swaps_sides(int orientation) { return orientation >= 5; }

/// Where the pixel (x, y) of the upright picture is in the stored one, of the given size.
struct Turn {
  int orientation;
  ImageSize stored;

  std::pair<int, int> source(int x, int y) const {
    const int right = stored.width - 1, bottom = stored.height - 1;
    switch (orientation) {
      case 2:
        return {right - x, y};
      case 3:
        return {right - x, bottom - y};
      case 4:
        return {x, bottom - y};
      case 5:
        return {y, x};
      case 6:
        return {y, bottom - x};
      case 7:
        return {right - y, bottom - x};
      case 8:
        return {right - y, x};
      default:
        return {x, y};
    }
  }
};

DecodedArea turn(const DecodedArea& from, int orientation, std::vector<unsigned char>& turned) {
  const ImageSize stored{from.area.width, from.area.height};
  const Turn turn{orientation, stored};
  const int width = swaps_sides(orientation) ? stored.height : stored.width;
  const int height = swaps_sides(orientation) ? stored.width : stored.height;
  turned.resize(static_cast<std::size_t>(width) * static_cast<std::size_t>(height) * kPixelBytes);
  unsigned char* to = turned.data();
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x, to += kPixelBytes) {
      const auto [from_x, from_y] = turn.source(x, y);
      std::memcpy(to, from.pixels + static_cast<std::size_t>(from_y) * from.row_bytes + from_x * kPixelBytes,
                  kPixelBytes);
    }
  }
  return {turned.data(), static_cast<std::size_t>(width) * kPixelBytes, {0, 0, width, height}, from.eighths};
}

}  // namespace

void require_sane_size(std::int64_t width, std::int64_t height) {
  if (width < 1 || height < 1) throw CorruptImage(fmt::format("has {} x {} pixels", width, height));
  if (width * height > kMostPixels)
    throw CorruptImage(fmt::format("has {} x {} pixels, more than {}", width, height, kMostPixels));
}

ImageDecoder::ImageDecoder(bool exif_orientation)
    : exif_orientation_(exif_orientation), decoders_(std::size(kFormats)) {}

ImageDecoder::~ImageDecoder() = default;

ImageSize ImageDecoder::open(const StoredImage& image) {
  image_ = image;
  orientation_ = 1;
  format_ = nullptr;
  if (image.kind == StoredImage::Kind::kRgb) return open_rgb(image);
  if (image.bytes == 0) throw CorruptImage("is empty");
  format_ = decoder_for(image);
  stored_ = format_->read_header(image);
  orientation_ = exif_orientation_ ? exif_orientation_of(image.data, image.bytes) : 1;
  if (format_->orientation() != 1) orientation_ = format_->orientation();
  return swaps_sides(orientation_) ? ImageSize{stored_.height, stored_.width} : stored_;
}

FormatDecoder* ImageDecoder::decoder_for(const StoredImage& image) {
  for (std::size_t i = 0; i < decoders_.size(); ++i) {
    if (!kFormats[i].is_it(image)) continue;
    if (!decoders_[i]) decoders_[i] = kFormats[i].make();
    return decoders_[i].get();
  }
  const std::string kind = content_kind(image.data, image.bytes);
  throw CorruptImage(kind.empty() ? "is no image of a kind that is read"
                                  : fmt::format("is no image of a kind that is read, but {}", kind));
}

ImageSize ImageDecoder::open_rgb(const StoredImage& image) {
  require_sane_size(image.width, image.height);
  stored_ = {image.width, image.height};
  if (image.bytes != static_cast<std::size_t>(image.width) * static_cast<std::size_t>(image.height) * 3)
    throw CorruptImage(
        fmt::format("has {} bytes for {} x {} pixels", image.bytes, image.width, image.height));
  return stored_;
}

DecodedArea ImageDecoder::decode(const Rectangle& wanted, int eighths) {
  if (format_ != nullptr) {
    if (orientation_ == 1) return format_->read_pixels(wanted, eighths, pixels_);
    const Rectangle all{0, 0, stored_.width, stored_.height};
    return turn(format_->read_pixels(all, eighths, pixels_), orientation_, turned_);
  }
  const auto row_bytes = static_cast<std::size_t>(wanted.width) * kPixelBytes;
  pixels_.resize(row_bytes * static_cast<std::size_t>(wanted.height));
  for (int row = 0; row < wanted.height; ++row) {
    const unsigned char* from = image_.data + 3 * (static_cast<std::size_t>(wanted.top + row) *
                                                       static_cast<std::size_t>(image_.width) +
                                                   static_cast<std::size_t>(wanted.left));
    unsigned char* to = pixels_.data() + static_cast<std::size_t>(row) * row_bytes;
    for (int x = 0; x < wanted.width; ++x) {
      to[4 * x] = from[3 * x];
      to[4 * x + 1] = from[3 * x + 1];
      to[4 * x + 2] = from[3 * x + 2];
      to[4 * x + 3] = 255;
    }
  }
  return {pixels_.data(), row_bytes, wanted, 8};
}

}  // namespace glidepath
