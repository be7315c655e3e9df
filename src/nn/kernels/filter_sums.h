// src/nn/kernels/filter_sums.h - filters' gradients, added up over images or tiles by several threads.
#pragma once
#include <algorithm>
#include <cstdint>

#include "nn/kernels/parallel.h"
#include "nn/kernels/scratch.h"

namespace glidepath {

inline std::int64_t divided_up(std::int64_t value, std::int64_t by) { return (value + by - 1) / by; }
inline std::int64_t rounded_up(std::int64_t value, std::int64_t multiple) {
  return divided_up(value, multiple) * multiple;
}

/// dw of `sums`, which adds [begin, end) of `count` up in order: add_up(begin, end, floats() numbers,
/// divide), write(numbers, dw). Where the sums are small, chunks of at least `fewest` have sums of their own,
/// as many as the shape says: each stays in one core's cache. Where they are large, all threads work on the
/// same ones.
template <typename Sums>
void sum_in_chunks(const Sums& sums, std::int64_t count, std::int64_t fewest, float* dw) {
  // As many chunks as fit into so many floats.
  constexpr std::int64_t kChunkFloats = 1536 * 1024, kMostChunks = 16, kFewestChunks = 4;
  const std::int64_t size = sums.floats();
  const std::int64_t chunks = std::min({kMostChunks, kChunkFloats / size, count / fewest}) / 2 * 2;
  static thread_local Scratch<float> memory;
  float* all = memory.get(std::max<std::int64_t>(1, chunks) * size);
  if (chunks < kFewestChunks) {
    sums.add_up(0, count, all, parallel_ranges);
    return sums.write(all, dw);
  }
  parallel_ranges(chunks, 1, [&](std::int64_t begin, std::int64_t end) {
    const auto alone = [](std::int64_t works, std::int64_t /*grain*/, const auto& body) { body(0, works); };
    for (std::int64_t i = begin; i < end; ++i)
      sums.add_up(count * i / chunks, count * (i + 1) / chunks, all + i * size, alone);
  });
  parallel_ranges(size, 4096, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t chunk = 1; chunk < chunks; ++chunk) {
      for (std::int64_t i = begin; i < end; ++i) all[i] += all[chunk * size + i];
    }
  });
  sums.write(all, dw);
}

}  // namespace glidepath
