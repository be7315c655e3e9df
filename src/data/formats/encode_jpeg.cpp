// src/data/formats/encode_jpeg.cpp - pixels to a JPEG file, by libjpeg-turbo.
#include "data/formats/encode_jpeg.h"

#include <csetjmp>
#include <cstdio>
#include <cstdlib>
#include <jpeglib.h>
#include <memory>

#include <fmt/format.h>

#include "data/formats/jpeg_errors.h"
#include "glidepath/error.h"

namespace glidepath {
namespace {

/// Its only local objects are plain, as a long jump skips destructors. Returns false with the message set.
bool compress(const unsigned char* pixels, int width, int height, int quality, JpegErrors& errors,
              unsigned char** data, unsigned long* bytes) {
  jpeg_compress_struct info{};
  info.err = jpeg_std_error(&errors.base);
  errors.base.error_exit = leave_jpeg;
  if (setjmp(errors.back) != 0) {
    jpeg_destroy_compress(&info);
    return false;
  }
  jpeg_create_compress(&info);
  jpeg_mem_dest(&info, data, bytes);
  info.image_width = static_cast<JDIMENSION>(width);
  info.image_height = static_cast<JDIMENSION>(height);
  info.input_components = 4;
  info.in_color_space = JCS_EXT_RGBX;
  jpeg_set_defaults(&info);
  jpeg_set_quality(&info, quality, TRUE);
  info.optimize_coding = TRUE;  // a few percent smaller
  jpeg_start_compress(&info, TRUE);
  const std::size_t row_bytes = static_cast<std::size_t>(width) * 4;
  while (info.next_scanline < info.image_height) {
    JSAMPROW row = const_cast<JSAMPROW>(pixels + info.next_scanline * row_bytes);
    jpeg_write_scanlines(&info, &row, 1);
  }
  jpeg_finish_compress(&info);
  jpeg_destroy_compress(&info);
  return true;
}

}  // namespace

std::vector<unsigned char> encode_jpeg(const unsigned char* pixels, int width, int height, int quality) {
  JpegErrors errors{};
  unsigned char* data = nullptr;
  unsigned long bytes = 0;
  const bool is_done = compress(pixels, width, height, quality, errors, &data, &bytes);
  const std::unique_ptr<unsigned char, void (*)(void*)> owner(data, std::free);
  if (!is_done)
    throw RunError(fmt::format("{} x {} pixels cannot be a JPEG: {}", width, height, errors.message));
  return {data, data + bytes};
}

}  // namespace glidepath
