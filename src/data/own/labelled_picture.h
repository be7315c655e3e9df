// src/data/own/labelled_picture.h - an image and its mask, cut and scaled together.
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "data/formats/decode.h"

namespace glidepath {

/// Pixels of kPixelBytes bytes and labels of one, row after row.
struct LabelledPicture {
  ImageSize size;
  std::vector<unsigned char> pixels, labels;
};

/// Decodes both. Throws InputError that names the file: for what cannot be read or decoded, and a mask of
/// another size.
LabelledPicture read_labelled(const std::filesystem::path& image, const std::filesystem::path& mask);

/// The picture scaled to `scaled` pixels, of which those from (left, top) on are taken, mirrored or not.
struct JointCrop {
  ImageSize scaled;
  int left = 0, top = 0;
  bool mirrored = false;
};

/// As Pillow has it to the bit: the image antialiased bilinear, the mask nearest. `size` is that of the
/// result; what the scaled picture does not reach, on the right and below (on the left where mirrored), is
/// black and has the label `beyond`.
LabelledPicture cropped(const LabelledPicture& picture, const JointCrop& crop, ImageSize size,
                        unsigned char beyond);

}  // namespace glidepath
