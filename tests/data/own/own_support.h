// tests/data/own/own_support.h - what tests of files of one's own share.
#pragma once
#include <fstream>
#include <string>

#include "glidepath/dataset.h"
#include "glidepath/error.h"
#include "glidepath/examples.h"

namespace glidepath {

inline void write_bytes(const std::filesystem::path& file, const std::string& bytes) {
  std::ofstream(file, std::ios::binary) << bytes;
}

/// What opening a data set is refused with; "" where it is not.
inline std::string refusal_of(const std::string& name, const DataChoice& choice = {}) {
  try {
    load_dataset(name, {}, choice);
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

inline Batch examples_of(const Split& split, const std::vector<std::int64_t>& numbers, bool training = false,
                         std::uint64_t seed = 0, std::int64_t epoch = 0) {
  return split.examples->batch({numbers, training, seed, epoch});
}

}  // namespace glidepath
