// src/data/formats/decode.h - image files to pixels, as Pillow's convert("RGB") gives them.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "data/images/image_store.h"
#include "glidepath/error.h"

namespace glidepath {

/// Bytes that are no image, or not a whole one. The message says what is wrong, and not with which file.
class CorruptImage : public RunError {
 public:
  using RunError::RunError;
};

/// Larger images are refused by their header, before memory is taken; Pillow refuses the same.
constexpr std::int64_t kMostPixels = 178'956'970;

/// Of a file, in bytes: more than the largest picture that is decoded could need.
constexpr std::size_t kLargestImageFile = std::size_t{2} << 30;

struct ImageSize {
  int width = 0, height = 0;
};

/// Rows and columns [top, top + height) x [left, left + width).
struct Rectangle {
  int left = 0, top = 0, width = 0, height = 0;
};

/// Of a decoded pixel.
constexpr int kPixelBytes = 4;

/// Decoded pixels, kPixelBytes each: red, green, blue, and one that means nothing. The picture that they are
/// a part of has been scaled to `eighths` / 8 of its size, and `area` is where they are in it.
struct DecodedArea {
  const unsigned char* pixels = nullptr;
  std::size_t row_bytes = 0;
  Rectangle area;
  int eighths = 8;
};

/// What a format's decoder does; the two calls are for one image.
class FormatDecoder {
 public:
  FormatDecoder() = default;
  FormatDecoder(const FormatDecoder&) = delete;
  FormatDecoder& operator=(const FormatDecoder&) = delete;
  virtual ~FormatDecoder() = default;
  virtual ImageSize read_header(const StoredImage& image) = 0;
  virtual DecodedArea read_pixels(const Rectangle& wanted, int eighths,
                                  std::vector<unsigned char>& pixels) = 0;
  /// How the picture whose header was read is to be turned in any case, as EXIF counts; 1: not at all.
  virtual int orientation() const { return 1; }
};

/// Decodes one image after the other with the same memory. One for each thread.
///
/// JPEG: baseline and progressive, grey, YCbCr, RGB, and CMYK and YCCK with Adobe's inverted values. PNG:
/// every kind; transparency is dropped. TIFF: the first page. WebP: the first frame. BMP; PBM, PGM and PPM. A
/// format is known by its first bytes, whatever the file is called. Everything is as Pillow has it, but that
/// it cuts 16-bit grey off at 255, where we take the high byte.
class ImageDecoder {
 public:
  explicit ImageDecoder(bool exif_orientation = false);
  ~ImageDecoder();

  /// Reads the header; `image` must stay in place until decode() returns. Returns the size of the whole
  /// picture, turned where the EXIF orientation is heeded and says so. Throws CorruptImage.
  ImageSize open(const StoredImage& image);

  /// Decodes at least the rectangle `wanted` of the picture that was opened, scaled to `eighths` / 8 (1 to 8)
  /// where the format can: see DecodedArea::eighths. The pixels are good until the next call. Throws
  /// CorruptImage, for a file that ends too early whatever part of it was wanted.
  DecodedArea decode(const Rectangle& wanted, int eighths = 8);

 private:
  FormatDecoder* decoder_for(const StoredImage& image);
  ImageSize open_rgb(const StoredImage& image);

  bool exif_orientation_;
  int orientation_ = 1;  // as EXIF counts: 1 is upright
  ImageSize stored_;     // before it is turned
  StoredImage image_;
  std::vector<std::unique_ptr<FormatDecoder>> decoders_;  // by format, made when one is met
  FormatDecoder* format_ = nullptr;                       // none for plain pixels
  std::vector<unsigned char> pixels_, turned_;
};

std::unique_ptr<FormatDecoder> make_jpeg_decoder();
std::unique_ptr<FormatDecoder> make_png_decoder();
std::unique_ptr<FormatDecoder> make_tiff_decoder();
std::unique_ptr<FormatDecoder> make_webp_decoder();
std::unique_ptr<FormatDecoder> make_bmp_decoder();
std::unique_ptr<FormatDecoder> make_pnm_decoder();

/// The EXIF orientation, 1 to 8, of a file as Pillow's ImageOps.exif_transpose finds it: in JPEG, PNG and
/// WebP their EXIF data, else their XMP; 1 where there is none. TIFF's own is no matter of choice:
/// FormatDecoder::orientation().
int exif_orientation_of(const unsigned char* data, std::size_t bytes);

/// Throws CorruptImage for a picture without pixels, or with too many.
void require_sane_size(std::int64_t width, std::int64_t height);

}  // namespace glidepath
