// src/nn/kernels/winograd/winograd.cpp - 3x3 convolutions, divided into blocks of tiles that fit the caches.
#include "nn/kernels/winograd/winograd.h"

#include <algorithm>
#include <memory>
#include <new>

#include "nn/kernels/parallel.h"

namespace glidepath::winograd {
namespace {

// Floats of a block's transformed inputs: they stay in a core's second cache while all filters pass by.
constexpr std::int64_t kBlockFloats = 96 * 1024;
// Floats of a block's transformed inputs and gradients, which all cores share.
constexpr std::int64_t kGradientFloats = 256 * 1024;
// Chunks of tiles with filters' sums of their own: as many as fit into so many floats.
constexpr std::int64_t kChunkFloats = 1536 * 1024, kMostChunks = 16, kFewestChunks = 4, kTilesOfChunk = 192;
// The same place of neighbouring transformed values would fall into the same few lines of the first cache.
constexpr std::int64_t kShift = 16;

/// Memory that a thread keeps, as the system takes long to give it.
class Scratch {
 public:
  float* get(std::int64_t floats) {
    if (floats > size_) {
      memory_.reset();  // first, so that both are never held
      memory_.reset(
          static_cast<float*>(::operator new(static_cast<std::size_t>(floats) * sizeof(float), kLine)));
      size_ = floats;
      std::fill_n(memory_.get(), floats, 0.0F);  // tiles that fill up a block are read too
    }
    return memory_.get();
  }

 private:
  static constexpr std::align_val_t kLine{64};
  struct Free {
    void operator()(float* memory) const { ::operator delete(memory, kLine); }
  };
  std::unique_ptr<float, Free> memory_;
  std::int64_t size_ = 0;
};

std::int64_t rounded_up(std::int64_t value, std::int64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

std::int64_t panels_of(const Shape& shape, const Kernels& kernels) {
  return (shape.filters + kernels.panel - 1) / kernels.panel;
}

/// Of `in_all` tiles, at most `most` at a time, in pieces that are about equal and multiples of `rows`.
std::int64_t tiles_in_block(std::int64_t in_all, std::int64_t most, std::int64_t rows) {
  const std::int64_t blocks = (in_all + most - 1) / most;
  return rounded_up((in_all + blocks - 1) / blocks, rows);
}

}  // namespace

const Kernels* kernels_for(std::int64_t filters) {
#if defined(__x86_64__) && defined(__GNUC__)
  static const bool has_avx512 = __builtin_cpu_supports("avx512f") != 0 && avx512_kernels() != nullptr;
  static const bool has_avx2 = __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0;
  const bool is_wide = filters > 16;
  if (has_avx512 && is_wide) return avx512_kernels();
  if (has_avx2) return avx2_kernels();
#endif
  (void)filters;
  return nullptr;
}

bool takes(const Shape& shape) {
  const auto fits = [](std::int64_t channels) { return channels % kGrain == 0 && channels <= kMostChannels; };
  return shape.images > 0 && fits(shape.channels) && fits(shape.filters) &&
         kernels_for(shape.channels) != nullptr;
}

void forward(const Shape& shape, const float* x, const float* w, float* y) {
  const Kernels& kernels = *kernels_for(shape.filters);
  const std::int64_t panels = panels_of(shape, kernels), of_panel = kPlaces * shape.channels * kernels.panel;
  static thread_local Scratch filters;
  float* u = filters.get(panels * of_panel);
  parallel_ranges(panels, 1,
                  [&](std::int64_t first, std::int64_t end) { kernels.filters(shape, w, first, end, u); });

  const std::int64_t most = std::max(2 * kernels.rows, kBlockFloats / (kPlaces * shape.channels));
  const std::int64_t block = tiles_in_block(shape.tiles(), most, kernels.rows);
  const std::int64_t blocks = (shape.tiles() + block - 1) / block;
  const std::int64_t v_stride = block * shape.channels + kShift, m_stride = block * kernels.panel + kShift;
  parallel_ranges(blocks, 1, [&](std::int64_t begin, std::int64_t end) {
    static thread_local Scratch transformed, products;
    float* v = transformed.get(kPlaces * v_stride);
    float* m = products.get(kPlaces * m_stride);
    for (std::int64_t i = begin; i < end; ++i) {
      const TileRange range{i * block, std::min(block, shape.tiles() - i * block)};
      kernels.inputs(shape, x, range, v, v_stride);
      for (std::int64_t panel = 0; panel < panels; ++panel) {
        const float* of_places = u + panel * of_panel;
        for (std::int64_t place = 0; place < kPlaces; ++place) {
          kernels.multiply(v + place * v_stride, rounded_up(range.count, kernels.rows), shape.channels,
                           of_places + place * shape.channels * kernels.panel, m + place * m_stride);
        }
        kernels.outputs(shape, m, range, panel, m_stride, y);
      }
    }
  });
}

namespace {

/// du[panel][place][c][k], added up over tiles, block after block in order.
class FilterSums {
 public:
  FilterSums(const Shape& shape, const float* x, const float* dy)
      : shape_(shape),
        x_(x),
        dy_(dy),
        kernels_(*kernels_for(shape.filters)),
        panels_(panels_of(shape, kernels_)),
        of_place_(shape.channels * kernels_.panel) {}

  std::int64_t floats() const { return panels_ * kPlaces * of_place_; }

  /// Of tiles [begin, end), whose transforms, and then whose products, are done by divide(count, grain,
  /// body).
  template <typename Divide>
  void add_up(std::int64_t begin, std::int64_t end, float* du, const Divide& divide) const {
    static thread_local Scratch inputs, gradients;
    const std::int64_t filled = panels_ * kernels_.panel;
    const std::int64_t most =
        std::max<std::int64_t>(48, kGradientFloats / (kPlaces * (shape_.channels + filled)));
    const std::int64_t block = tiles_in_block(end - begin, most, 1);
    const std::int64_t v_stride = block * shape_.channels + kShift, z_stride = block * filled + kShift;
    float* v = inputs.get(kPlaces * v_stride);
    float* z = gradients.get(kPlaces * z_stride);
    std::fill_n(du, floats(), 0.0F);
    for (std::int64_t first = begin; first < end; first += block) {
      const std::int64_t count = std::min(block, end - first);
      divide(count, 4, [&](std::int64_t from, std::int64_t to) {
        const TileRange some{first + from, to - from};
        kernels_.inputs(shape_, x_, some, v + from * shape_.channels, v_stride);
        kernels_.gradients(shape_, dy_, some, count, z + from * kernels_.panel, z_stride);
      });
      divide(panels_ * kPlaces, 1, [&](std::int64_t from, std::int64_t to) {
        for (std::int64_t i = from; i < to; ++i) {
          const std::int64_t place = i / panels_, panel = i % panels_;
          kernels_.accumulate(v + place * v_stride, count, shape_.channels,
                              z + place * z_stride + panel * count * kernels_.panel,
                              du + (panel * kPlaces + place) * of_place_);
        }
      });
    }
  }

  void write(const float* du, float* dw) const {
    parallel_ranges(panels_, 1, [&](std::int64_t begin, std::int64_t end) {
      kernels_.filter_gradients(shape_, du, begin, end, dw);
    });
  }

 private:
  Shape shape_;
  const float *x_, *dy_;
  const Kernels& kernels_;
  std::int64_t panels_, of_place_;
};

}  // namespace

// Where the sums are small, chunks of tiles have sums of their own, as many as the shape says: each stays in
// one core's cache. Where they are large, all threads work on the same ones.
void filter_gradients(const Shape& shape, const float* x, const float* dy, float* dw) {
  const FilterSums sums(shape, x, dy);
  const std::int64_t size = sums.floats();
  const std::int64_t chunks =
      std::min({kMostChunks, kChunkFloats / size, shape.tiles() / kTilesOfChunk}) / 2 * 2;
  static thread_local Scratch memory;
  float* du = memory.get(std::max<std::int64_t>(1, chunks) * size);
  if (chunks < kFewestChunks) {
    sums.add_up(0, shape.tiles(), du, parallel_ranges);
    return sums.write(du, dw);
  }
  parallel_ranges(chunks, 1, [&](std::int64_t begin, std::int64_t end) {
    const auto alone = [](std::int64_t count, std::int64_t /*grain*/, const auto& body) { body(0, count); };
    for (std::int64_t i = begin; i < end; ++i) {
      sums.add_up(shape.tiles() * i / chunks, shape.tiles() * (i + 1) / chunks, du + i * size, alone);
    }
  });
  parallel_ranges(size, 4096, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t chunk = 1; chunk < chunks; ++chunk) {
      for (std::int64_t i = begin; i < end; ++i) du[i] += du[chunk * size + i];
    }
  });
  sums.write(du, dw);
}

}  // namespace glidepath::winograd
