// src/core/data_split.h - the shares by which a data set without splits is taken apart.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace glidepath {

/// Shares of every class, each in (0, 1), that sum to 1; `test` is 0 where there are two. `seed` says which
/// images fall to which, and has nothing to do with a run's seed: runs of all seeds are tested on the same.
struct DataSplit {
  double train = 0, val = 0, test = 0;
  std::uint64_t seed = 0;

  /// Reads "80/20" and "80/10/10", in percent or as shares of 1, and a seed behind an @: "80/10/10@7". Throws
  /// InputError naming the text and what would be right.
  static DataSplit parse(std::string_view text);
  /// The text that parse() reads back, one for every spelling: in percent, and with a seed where it is not 0.
  std::string text() const;
};

}  // namespace glidepath
