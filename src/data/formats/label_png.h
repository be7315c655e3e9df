// src/data/formats/label_png.h - masks: PNGs whose pixels are labels.
#pragma once
#include <vector>

#include "data/formats/decode.h"

namespace glidepath {

/// The numbers that a grey or palette PNG of 1 to 8 bits holds, a byte a pixel, row after row: of a palette
/// the index, never the colour. Throws CorruptImage for others, and for what cannot be decoded.
ImageSize decode_label_png(const unsigned char* data, std::size_t bytes, std::vector<unsigned char>& labels);

/// Such a PNG, grey of 8 bits. Throws RunError for a picture that the format cannot hold.
std::vector<unsigned char> encode_label_png(const unsigned char* labels, ImageSize size);

}  // namespace glidepath
