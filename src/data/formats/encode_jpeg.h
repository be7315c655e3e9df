// src/data/formats/encode_jpeg.h - pixels to a JPEG file.
#pragma once
#include <vector>

namespace glidepath {

/// Baseline JPEG with chroma at half the resolution, as cameras and Pillow write it. pixels: rows of
/// width * 4 bytes: red, green, blue, and one that is not looked at. quality is in [1, 100]. Throws RunError
/// for a picture that the format cannot hold: a side above 65,500.
std::vector<unsigned char> encode_jpeg(const unsigned char* pixels, int width, int height, int quality);

}  // namespace glidepath
