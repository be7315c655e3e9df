// src/data/formats/decode_jpeg.cpp - JPEG through libjpeg-turbo: only the rows and columns wanted, scaled in
// the DCT domain.
#include <algorithm>
#include <csetjmp>
#include <cstdio>
#include <cstring>
#include <jerror.h>
#include <jpeglib.h>

#include <fmt/format.h>

#include "data/formats/decode.h"
#include "data/formats/ink.h"
#include "data/formats/jpeg_errors.h"

namespace glidepath {
namespace {

// A few kB can hold thousands of scans of a huge picture, each of which takes as long as the picture.
constexpr int kMostScans = 500;
// Smoothing of chroma looks at neighbours, which the border of a part does not have: some more columns are
// decoded. Rows above come with the library's own context.
constexpr int kMargin = 16;

// What the library warns of, Pillow passes over too.
void stay_silent(j_common_ptr) {}
void ignore_warning(j_common_ptr, int) {}

void refuse_endless(j_common_ptr info) {
  auto* errors = reinterpret_cast<JpegErrors*>(info->err);
  if (reinterpret_cast<j_decompress_ptr>(info)->input_scan_number <= kMostScans) return;
  std::snprintf(errors->message, sizeof errors->message, "more than %d scans", kMostScans);
  std::longjmp(errors->back, 1);
}

// libjpeg's own source makes an end of file up where there is none; to Pillow, and here, it is an error.
boolean end_of_data(j_decompress_ptr info) {
  auto* errors = reinterpret_cast<JpegErrors*>(info->err);
  std::snprintf(errors->message, sizeof errors->message, "is truncated");
  std::longjmp(errors->back, 1);
}

void nothing(j_decompress_ptr) {}

void skip(j_decompress_ptr info, long bytes) {
  if (bytes <= 0) return;
  if (static_cast<std::size_t>(bytes) > info->src->bytes_in_buffer) end_of_data(info);
  info->src->next_input_byte += bytes;
  info->src->bytes_in_buffer -= static_cast<std::size_t>(bytes);
}

/// Ink, inverted as Adobe writes it (255: none), to red, green and blue, in place.
void ink_to_rgb(unsigned char* row, int width) {
  for (int x = 0; x < width; ++x, row += kPixelBytes) {
    for (int channel = 0; channel < 3; ++channel)
      row[channel] = light_of_ink(static_cast<unsigned char>(255 - row[channel]),
                                  static_cast<unsigned char>(255 - row[3]));
  }
}

class JpegDecoder : public FormatDecoder {
 public:
  JpegDecoder() {
    info_.err = jpeg_std_error(&errors_.base);
    errors_.base.error_exit = leave_jpeg;
    errors_.base.output_message = stay_silent;
    errors_.base.emit_message = ignore_warning;
    if (setjmp(errors_.back) != 0) fail();
    jpeg_create_decompress(&info_);
    progress_.progress_monitor = refuse_endless;
    info_.progress = &progress_;
    source_.init_source = nothing;
    source_.fill_input_buffer = end_of_data;
    source_.skip_input_data = skip;
    source_.resync_to_restart = jpeg_resync_to_restart;
    source_.term_source = nothing;
    info_.src = &source_;
  }
  ~JpegDecoder() override { jpeg_destroy_decompress(&info_); }

  ImageSize read_header(const StoredImage& image) override {
    jpeg_abort_decompress(&info_);
    source_.next_input_byte = image.data;
    source_.bytes_in_buffer = image.bytes;
    ends_properly_ =
        image.bytes >= 2 && image.data[image.bytes - 2] == 0xFF && image.data[image.bytes - 1] == 0xD9;
    read_markers();
    require_sane_size(info_.image_width, info_.image_height);
    return {static_cast<int>(info_.image_width), static_cast<int>(info_.image_height)};
  }

  DecodedArea read_pixels(const Rectangle& wanted, int eighths, std::vector<unsigned char>& pixels) override {
    begin(eighths);
    DecodedArea decoded;
    decoded.eighths = eighths;
    decoded.area = area_of(wanted, eighths);
    crop_columns(decoded.area);
    decoded.row_bytes = static_cast<std::size_t>(decoded.area.width) * kPixelBytes;
    pixels.resize(decoded.row_bytes * static_cast<std::size_t>(decoded.area.height));
    decoded.pixels = pixels.data();
    read_rows(decoded, pixels.data());
    return decoded;
  }

 private:
  // The functions with a setjmp() of their own have no objects in them that a long jump would leave behind.

  void read_markers() {
    if (setjmp(errors_.back) != 0) fail();
    jpeg_read_header(&info_, TRUE);
  }

  void begin(int eighths) {
    if (setjmp(errors_.back) != 0) fail();
    info_.scale_num = static_cast<unsigned>(eighths);
    info_.scale_denom = 8;
    const bool is_ink = info_.jpeg_color_space == JCS_CMYK || info_.jpeg_color_space == JCS_YCCK;
    info_.out_color_space = is_ink ? JCS_CMYK : JCS_EXT_RGBX;
    jpeg_start_decompress(&info_);
  }

  Rectangle area_of(const Rectangle& wanted, int eighths) const {
    const int width = static_cast<int>(info_.output_width), height = static_cast<int>(info_.output_height);
    // Whether a file is whole must not depend on the part that is looked at. Where its end is as it should be
    // the part will do.
    if (!ends_properly_) return {0, 0, width, height};
    // Where chrominance has a quarter of the rows or columns (4:1:0), the library scales a part in another
    // way than the whole.
    const bool is_coarse = info_.max_h_samp_factor > 2 || info_.max_v_samp_factor > 2;
    if (is_coarse && eighths < 8) return {0, 0, width, height};
    const int left = std::max(0, wanted.left * eighths / 8 - kMargin);
    const int right = std::min(width, (wanted.left + wanted.width) * eighths / 8 + 1 + kMargin);
    const int top = std::clamp(wanted.top * eighths / 8, 0, height - 1);
    const int bottom = std::min(height, ((wanted.top + wanted.height) * eighths + 7) / 8);
    return {left, top, right - left, std::max(1, bottom - top)};
  }

  void crop_columns(Rectangle& area) {
    if (setjmp(errors_.back) != 0) fail();
    auto left = static_cast<JDIMENSION>(area.left), width = static_cast<JDIMENSION>(area.width);
    if (width < info_.output_width) jpeg_crop_scanline(&info_, &left, &width);
    area.left = static_cast<int>(left);
    area.width = static_cast<int>(width);
  }

  void read_rows(const DecodedArea& decoded, unsigned char* pixels) {
    if (setjmp(errors_.back) != 0) fail();
    const auto top = static_cast<JDIMENSION>(decoded.area.top);
    if (top > 0) jpeg_skip_scanlines(&info_, top);
    for (int row = 0; row < decoded.area.height; ++row) {
      JSAMPROW to = pixels + static_cast<std::size_t>(row) * decoded.row_bytes;
      jpeg_read_scanlines(&info_, &to, 1);
      if (info_.out_color_space == JCS_CMYK) ink_to_rgb(to, decoded.area.width);
    }
    jpeg_abort_decompress(&info_);  // rows below are of no interest
  }

  [[noreturn]] void fail() {
    jpeg_abort_decompress(&info_);
    const char* message = errors_.message;
    if (std::strcmp(message, "is truncated") == 0) throw CorruptImage("is truncated");
    throw CorruptImage(fmt::format("is not a JPEG that can be decoded: {}", message));
  }

  jpeg_decompress_struct info_{};
  JpegErrors errors_{};
  jpeg_progress_mgr progress_{};
  jpeg_source_mgr source_{};
  bool ends_properly_ = false;
};

}  // namespace

std::unique_ptr<FormatDecoder> make_jpeg_decoder() { return std::make_unique<JpegDecoder>(); }

}  // namespace glidepath
