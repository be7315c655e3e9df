// src/data/stores/matlab.h - the table of classes in ImageNet's development kit.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace glidepath {

/// A row of the struct array `synsets` in meta.mat.
struct Synset {
  std::int64_t id = 0;  ///< ILSVRC2012_ID, from 1
  std::string wnid;     ///< "n01440764"
  std::string words;    ///< "tench, Tinca tinca"
  std::int64_t children = 0;
};

/// Reads a MATLAB 5 file (little-endian, compressed or not) that holds a struct array `synsets` with the
/// fields ILSVRC2012_ID, WNID, words and num_children; others are passed by. Throws InputError naming
/// `place` and byte when it is something else.
std::vector<Synset> read_synsets(const std::string& bytes, const std::string& place);

}  // namespace glidepath
