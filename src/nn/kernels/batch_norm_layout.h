// src/nn/kernels/batch_norm_layout.h - how batch norm's elements are divided among loops, threads and the
// cache.
#pragma once
#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

#include <torch/types.h>

#include "nn/kernels/batch_norm_kernels.h"
#include "nn/kernels/parallel.h"

namespace glidepath::batch_norm {

// Sums are taken over this many blocks and added up in order, whatever the number of threads.
constexpr std::int64_t kBlocks = 16;
// Numbers between two operators that stay in the first cache.
constexpr std::int64_t kInCache = 8192;

/// How the elements of a tensor are divided: whole tiles into blocks, and a rest shorter than a tile.
struct Layout {
  std::int64_t channels, tile, tiles, count;
  explicit Layout(const torch::Tensor& x)
      : channels(x.size(1)), tile(std::lcm(channels, kLanes)), tiles(x.numel() / tile), count(x.numel()) {}
  std::int64_t first_tile(std::int64_t block) const { return tiles * block / kBlocks; }
  std::int64_t rest_begin() const { return tiles * tile; }
  /// Calls body(first, count) for pieces of [begin, end), each of whole tiles but the last.
  template <typename Body>
  void in_cache(std::int64_t begin, std::int64_t end, const Body& body) const {
    const std::int64_t piece = std::max<std::int64_t>(1, kInCache / tile) * tile;
    for (std::int64_t i = begin; i < end; i += piece) body(i, std::min(piece, end - i));
  }
  std::size_t numbers_in_cache() const { return static_cast<std::size_t>(std::max(tile, kInCache)); }
};

using Sums = std::vector<double>;  // one a channel

/// Runs `block_sums(first element, tiles, out, out)` over all blocks, folds lanes to channels, and adds the
/// rest.
template <typename BlockSums, typename Rest>
std::pair<Sums, Sums> reduce(const Layout& layout, const BlockSums& block_sums, const Rest& rest) {
  std::vector<float> partial(static_cast<std::size_t>(2 * kBlocks * layout.tile));
  parallel_ranges(kBlocks, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t block = begin; block < end; ++block) {
      const std::int64_t first = layout.first_tile(block);
      float* out = partial.data() + 2 * block * layout.tile;
      block_sums(first * layout.tile, layout.first_tile(block + 1) - first, out, out + layout.tile);
    }
  });
  Sums first(static_cast<std::size_t>(layout.channels)), second(first.size());
  for (std::int64_t block = 0; block < kBlocks; ++block) {
    const float* in = partial.data() + 2 * block * layout.tile;
    for (std::int64_t lane = 0; lane < layout.tile; ++lane) {
      const auto channel = static_cast<std::size_t>(lane % layout.channels);
      first[channel] += in[lane];
      second[channel] += in[layout.tile + lane];
    }
  }
  for (std::int64_t i = layout.rest_begin(); i < layout.count; ++i) {
    const auto channel = static_cast<std::size_t>(i % layout.channels);
    const auto [a, b] = rest(i, channel);
    first[channel] += a;
    second[channel] += b;
  }
  return {std::move(first), std::move(second)};
}

/// A value for each channel, repeated to a tile.
inline std::vector<float> lanes_of(const Layout& layout, const Sums& by_channel) {
  std::vector<float> lanes(static_cast<std::size_t>(layout.tile));
  for (std::size_t lane = 0; lane < lanes.size(); ++lane) {
    lanes[lane] = static_cast<float>(by_channel[lane % by_channel.size()]);
  }
  return lanes;
}

template <typename Body>
void over_tiles(const Layout& layout, const Body& body) {
  const std::int64_t tiles = (layout.count + layout.tile - 1) / layout.tile;
  parallel_ranges(
      tiles, std::max<std::int64_t>(1, 16384 / layout.tile), [&](std::int64_t begin, std::int64_t end) {
        body(begin * layout.tile, std::min(end * layout.tile, layout.count) - begin * layout.tile);
      });
}

}  // namespace glidepath::batch_norm
