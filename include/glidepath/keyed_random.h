// include/glidepath/keyed_random.h - random numbers that are a function of where they are used, not of when.
#pragma once
#include <cstdint>
#include <initializer_list>
#include <utility>
#include <vector>

namespace glidepath {

/// SplitMix64 (Steele, Lea & Flood, OOPSLA 2014) seeded by a hash of its keys. Our own, as the distributions
/// of the standard library give other numbers with another compiler.
class KeyedRandom {
 public:
  KeyedRandom(std::initializer_list<std::uint64_t> keys) {
    for (const std::uint64_t key : keys) state_ = mix(state_ + key * kStep + kStep);
  }
  std::uint64_t next() {
    state_ += kStep;
    return mix(state_);
  }
  /// Uniform in [0, bound), bound > 0, without bias (Lemire, ACM TOMACS 2019).
  std::uint64_t below(std::uint64_t bound) {
    __uint128_t product = static_cast<__uint128_t>(next()) * bound;
    if (static_cast<std::uint64_t>(product) < bound) {
      const std::uint64_t threshold = (0 - bound) % bound;
      while (static_cast<std::uint64_t>(product) < threshold)
        product = static_cast<__uint128_t>(next()) * bound;
    }
    return static_cast<std::uint64_t>(product >> 64);
  }
  /// Uniform in [0, 1), a multiple of 2^-53.
  double unit() { return static_cast<double>(next() >> 11) * 0x1p-53; }

 private:
  static constexpr std::uint64_t kStep = 0x9E3779B97F4A7C15ULL;
  static std::uint64_t mix(std::uint64_t z) {
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31);
  }
  std::uint64_t state_ = 0;
};

/// The numbers 0 ... count - 1 in random order (Fisher and Yates).
inline std::vector<std::int64_t> random_order(std::int64_t count, KeyedRandom random) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i) order[static_cast<std::size_t>(i)] = i;
  for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);
  return order;
}

}  // namespace glidepath
