// src/nn/kernels/amx/strips.h - images in groups of kTogether, and their rows in strips.
#pragma once
#include <algorithm>
#include <cstdint>

#include "nn/kernels/amx/tiles.h"
#include "nn/kernels/filter_sums.h"

namespace glidepath::amx {

inline std::int64_t blocks_of(std::int64_t numbers) { return divided_up(numbers, kTogether); }

/// Some rows of a group of kTogether images: what is worked on at once.
struct Strip {
  std::int64_t group, begin, end;
};

/// How images are divided into strips of `most_rows` at most, those of a group one after another.
struct Strips {
  Strips(std::int64_t images, std::int64_t all_rows, std::int64_t most_rows)
      : height(all_rows),
        of_group(divided_up(all_rows, most_rows)),
        rows(divided_up(all_rows, of_group)),
        groups(blocks_of(images)) {}

  std::int64_t count() const { return groups * of_group; }
  Strip at(std::int64_t which) const {
    const std::int64_t begin = std::min(height, which % of_group * rows);
    return {which / of_group, begin, std::min(height, begin + rows)};
  }

  std::int64_t height, of_group, rows, groups;
};

}  // namespace glidepath::amx
