// src/data/images/pixels.cpp - bytes of images to numbers of a batch, by a table.
#include "data/images/pixels.h"

#include <algorithm>

namespace glidepath {
namespace {

/// One row of one channel: `from` is the picture's row, or null for a row of padding.
template <typename T>
void write_row(const std::uint8_t* from, const T* table, const Crop& crop, std::int64_t width, T* to,
               std::int64_t pixel_stride) {
  const std::int64_t step = crop.mirrored ? -pixel_stride : pixel_stride;
  if (crop.mirrored) to += (width - 1) * pixel_stride;
  // The window [left, left + width) of the row: padding, then pixels, then padding.
  const std::int64_t left = from == nullptr ? width : crop.left;
  const std::int64_t before = std::clamp<std::int64_t>(-left, 0, width);
  const std::int64_t pixels_end = std::clamp<std::int64_t>(width - left, 0, width);
  std::int64_t x = 0;
  for (; x < before; ++x) to[x * step] = table[0];
  for (; x < pixels_end; ++x) to[x * step] = table[from[x + left]];
  for (; x < width; ++x) to[x * step] = table[0];
}

std::int64_t reflected(std::int64_t place, std::int64_t size) {
  if (place < 0) return -place;
  return place < size ? place : 2 * (size - 1) - place;
}

/// The same with the picture mirrored at its edges.
template <typename T>
void write_reflected_row(const std::uint8_t* from, const T* table, const Crop& crop, std::int64_t width,
                         T* to, std::int64_t pixel_stride) {
  const std::int64_t step = crop.mirrored ? -pixel_stride : pixel_stride;
  if (crop.mirrored) to += (width - 1) * pixel_stride;
  for (std::int64_t x = 0; x < width; ++x) to[x * step] = table[from[reflected(x + crop.left, width)]];
}

}  // namespace

template <typename T>
void write_crops(const std::uint8_t* images, const std::vector<Crop>& crops, const ImageShape& picture,
                 const T* table, T* batch, bool channels_last, Beyond beyond) {
  const std::int64_t pixel_stride = channels_last ? picture.channels : 1;
  const std::int64_t channel_stride = channels_last ? 1 : picture.height * picture.width;
  for (const Crop& crop : crops) {
    const std::uint8_t* image = images + crop.image * picture.size();
    for (std::int64_t channel = 0; channel < picture.channels; ++channel) {
      for (std::int64_t row = 0; row < picture.height; ++row) {
        const std::int64_t source = row + crop.top;
        const bool inside = source >= 0 && source < picture.height;
        if (beyond == Beyond::kReflected) {
          write_reflected_row(
              image + (channel * picture.height + reflected(source, picture.height)) * picture.width,
              table + channel * 256, crop, picture.width,
              batch + channel * channel_stride + row * picture.width * pixel_stride, pixel_stride);
          continue;
        }
        write_row(inside ? image + (channel * picture.height + source) * picture.width : nullptr,
                  table + channel * 256, crop, picture.width,
                  batch + channel * channel_stride + row * picture.width * pixel_stride, pixel_stride);
      }
    }
    batch += picture.size();
  }
}

template <typename T>
void write_pixels(const unsigned char* pixels, std::int64_t size, bool mirrored, const T* table,
                  bool channels_last, T* to) {
  const T *red = table, *green = table + 256, *blue = table + 512;
  const std::int64_t step = mirrored ? -4 : 4;
  for (std::int64_t y = 0; y < size; ++y) {
    const unsigned char* from = pixels + 4 * (y * size + (mirrored ? size - 1 : 0));
    if (channels_last) {
      T* row = to + y * size * 3;
      for (std::int64_t x = 0; x < size; ++x, from += step, row += 3) {
        row[0] = red[from[0]];
        row[1] = green[from[1]];
        row[2] = blue[from[2]];
      }
    } else {
      T* row = to + y * size;
      for (std::int64_t x = 0; x < size; ++x, from += step) {
        row[x] = red[from[0]];
        row[x + size * size] = green[from[1]];
        row[x + 2 * size * size] = blue[from[2]];
      }
    }
  }
}

template void write_crops(const std::uint8_t*, const std::vector<Crop>&, const ImageShape&, const float*,
                          float*, bool, Beyond);
template void write_crops(const std::uint8_t*, const std::vector<Crop>&, const ImageShape&,
                          const std::uint16_t*, std::uint16_t*, bool, Beyond);
template void write_crops(const std::uint8_t*, const std::vector<Crop>&, const ImageShape&,
                          const std::uint8_t*, std::uint8_t*, bool, Beyond);
template void write_pixels(const unsigned char*, std::int64_t, bool, const float*, bool, float*);
template void write_pixels(const unsigned char*, std::int64_t, bool, const std::uint16_t*, bool,
                           std::uint16_t*);

}  // namespace glidepath
