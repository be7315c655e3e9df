// src/data/images/resample.h - antialiased bilinear resizing that agrees with Pillow's to the bit.
#pragma once
#include <cstdint>
#include <vector>

#include "data/formats/decode.h"

namespace glidepath {

/// One axis of a resize: which source pixels each target pixel is a mean of, and their weights.
///
/// As Pillow does it: a triangle of half-width max(1, scale) source pixels around the target pixel's centre,
/// weights normalised to sum 1, then rounded to 22 binary places.
struct ResampleAxis {
  static constexpr int kPlaces = 22;
  struct Pixel {
    int first, count;     // source pixels
    std::size_t weights;  // where theirs begin
  };
  std::vector<Pixel> pixels;
  std::vector<std::int32_t> weights;

  /// The source between `begin` and `end` becomes `size` pixels, of which `count` from `first` on are wanted;
  /// source pixels outside [low, high) have no part in them.
  void plan(double begin, double end, int low, int high, int size, int first, int count);
  int source_begin() const { return pixels.front().first; }
  int source_end() const { return pixels.back().first + pixels.back().count; }
};

/// Across first, then down, both rounded to bytes. Keeps its memory from call to call; one for each thread.
class Resampler {
 public:
  /// The axes count from the left upper pixel of the scaled picture that `from` is an area of, and `from`
  /// must hold all that they ask for. `to` gets one row after the other, 4 bytes a pixel, the last of no
  /// meaning.
  void resize(const DecodedArea& from, const ResampleAxis& across, const ResampleAxis& down,
              std::vector<unsigned char>& to);

 private:
  std::vector<unsigned char> rows_;
};

}  // namespace glidepath
