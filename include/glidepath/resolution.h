// include/glidepath/resolution.h - the size of training images as a pure function of progress.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace glidepath {

/// The side of the square images that are trained on, by progress p: small ones first are cheaper, and as it
/// follows p it ends at its last size exactly when the budget does, whatever the budget.
class ResolutionSchedule {
 public:
  /// Reads
  ///   224                       one size
  ///   128..224                  linear in p, rounded to the nearest multiple of 32 (halves up)
  ///   128@0,192@50%,224@80%     steps: a size, and the share of the budget that it begins at
  /// Sizes are whole numbers in [8, 2048], and multiples of 32 around "..". The first step begins at 0, the
  /// others later and later, below 100 %. Throws InputError naming the text and what is wrong with it.
  static ResolutionSchedule parse(std::string_view text);

  /// The size at progress p in [0, 1]. Throws InputError outside, NaN included.
  std::int64_t at(double progress) const;
  bool varies() const { return steps_.size() > 1; }
  /// Every size that it takes, in its order; the last one is that at p = 1.
  std::vector<std::int64_t> sizes() const;
  /// The text that parse() reads back, one for every spelling: 128..224, or steps in percent.
  const std::string& text() const { return text_; }

 private:
  std::vector<std::pair<double, std::int64_t>> steps_;  // where each begins, and its size
  std::string text_;
};

}  // namespace glidepath
