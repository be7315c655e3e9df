// src/data/batches/flips.h - which images of an epoch are mirrored.
#pragma once
#include <cstdint>

#include "data/batches/random_keys.h"
#include "glidepath/keyed_random.h"
#include "glidepath/loader.h"

namespace glidepath {

/// What "auto" is for this data set.
inline Flip chosen_flip(Flip flip, bool fits_data) {
  if (flip != Flip::kAuto) return flip;
  return fits_data ? Flip::kRandom : Flip::kNone;
}

/// `random` is that of the image's crop; the flip is drawn from it last.
inline bool is_mirrored(Flip flip, std::uint64_t seed, std::int64_t epoch, std::int64_t image,
                        KeyedRandom& random) {
  if (flip == Flip::kRandom) return random.below(2) == 1;
  if (flip != Flip::kAlternating) return false;
  const bool at_first = KeyedRandom{seed, kForFlip, static_cast<std::uint64_t>(image)}.below(2) == 1;
  return at_first != (epoch % 2 == 1);
}

}  // namespace glidepath
