// src/nn/kernels/amx/amx.cpp - which processors have AMX, and which convolutions take which of its loops.
#include "nn/kernels/amx/amx.h"

#include <algorithm>
#include <utility>

#if defined(__x86_64__) && defined(__GNUC__)
#include <cpuid.h>
#endif
#if defined(__x86_64__) && defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include "nn/kernels/amx/narrow.h"
#include "nn/kernels/amx/tiles.h"
#include "nn/kernels/amx/wide.h"
#include "nn/kernels/winograd/kernels.h"

namespace glidepath::amx {
bool processor_has_it() {
#if defined(__x86_64__) && defined(__GNUC__)
  constexpr unsigned kBf16Bit = 1U << 22;
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (d & kBf16Bit) != 0;
#else
  return false;
#endif
}

bool is_there() {
#if defined(__x86_64__) && defined(__linux__)
  static const bool found = [] {
    constexpr long kAskForState = 0x1023, kTileData = 18;  // arch_prctl(2): ARCH_REQ_XCOMP_PERM
    return are_built() && processor_has_it() && __builtin_cpu_supports("avx512bf16") != 0 &&
           __builtin_cpu_supports("avx512bw") != 0 && ::syscall(SYS_arch_prctl, kAskForState, kTileData) == 0;
  }();
  return found;
#else
  return false;
#endif
}

namespace {

// Fewer than kMany wait for memory about as long as the library's do, whose stores of many outputs are
// faster.
constexpr std::int64_t kMany = 24, kMostBesideFew = 32;

bool are_wide(std::int64_t channels, std::int64_t filters) {
  const auto [fewer, more] = std::minmax(channels, filters);
  return winograd::fits_grain(channels) && winograd::fits_grain(filters) &&
         (fewer >= kMany || (fewer == kRows && more <= kMostBesideFew));
}
/// Whether so many inputs stand beside others in a row of a tile.
bool are_narrow(const Shape& shape, std::int64_t inputs) {
  return is_narrow(inputs) && shape.side == kSide && shape.stride == 1;
}

}  // namespace

bool takes(std::int64_t channels, std::int64_t filters) {
  const bool are_few = channels == winograd::kGrain || (channels > 0 && channels <= kMostColours);
  return are_wide(channels, filters) ||
         (are_few && winograd::fits_grain(filters) && filters <= kMostBesideFew);
}
bool takes_strided(std::int64_t images, std::int64_t channels, std::int64_t filters) {
  return images >= kRows && are_wide(channels, filters);
}

void forward(const Shape& shape, const Bf16* x, const float* w, Bf16* y) {
  const Filters filters{w, shape.channels, false};
  are_narrow(shape, shape.channels) ? convolve_narrow(shape, x, filters, y)
                                    : convolve_wide(shape, x, filters, y);
}

void input_gradients(const Shape& shape, const Bf16* dy, const float* w, Bf16* dx) {
  const Filters filters{w, shape.channels, true};
  if (!are_narrow(shape, shape.filters)) return convolve_wide(shape, dy, filters, dx);
  Shape turned = shape;
  std::swap(turned.channels, turned.filters);
  convolve_narrow(turned, dy, filters, dx);
}

void filter_gradients(const Shape& shape, const Bf16* x, const Bf16* dy, float* dw) {
  // Tiles of 16 channels are full with one pixel.
  are_narrow(shape, shape.channels) && shape.channels < kRows ? narrow_filter_gradients(shape, x, dy, dw)
                                                              : wide_filter_gradients(shape, x, dy, dw);
}

}  // namespace glidepath::amx
