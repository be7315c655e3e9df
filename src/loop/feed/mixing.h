// src/loop/feed/mixing.h - batches whose images are mixed in pairs or partly erased, before they are learnt
// from.
#pragma once
#include <cstdint>

#include <torch/types.h>

#include "glidepath/batch.h"
#include "glidepath/keyed_random.h"
#include "glidepath/loader.h"

namespace glidepath {

struct MixingOptions {
  double mixup = 0, cutmix = 0;  ///< the parameters of their Beta distributions; 0: not done
  double erasing = 0;            ///< the chance of each image, in [0, 1]
  std::uint64_t seed = 0;
};

/// Rows [top, bottom) and columns [left, right).
struct Box {
  std::int64_t top = 0, bottom = 0, left = 0, right = 0;
  std::int64_t area() const { return (bottom - top) * (right - left); }
};

/// How an image is mixed with the one before it in the batch: x share + x' (1 - share), or x with a box of
/// x'.
struct Mix {
  double share = 1;  ///< of the loss too
  bool is_box = false;
  Box box = {};
};

/// From Beta(alpha, alpha), alpha > 0, in [0, 1]; a multiple of 2^-16, so that mathematical libraries that
/// differ in a last bit give the same.
double beta_share(double alpha, KeyedRandom& random);

/// Of a whole batch of images height x width. With both mixup and cutmix each of them has half of the
/// batches. Sources: Zhang et al., arXiv 1710.09412; Yun et al., arXiv 1905.04899; boxes as
/// torchvision.transforms.v2 has them.
Mix mix_of(const MixingOptions& options, std::int64_t step, std::int64_t height, std::int64_t width);

/// `images` and `before` [B, C, H, W], alike in everything; the result too.
torch::Tensor mixed(const torch::Tensor& images, const torch::Tensor& before, const Mix& mix);

/// What is erased of the example at `place` of the whole batch; nothing: an empty box. Areas of 2 to 33 % and
/// height : width from 0.3 to 3.3, as torchvision.transforms.RandomErasing. Source: Zhong et al., arXiv
/// 1708.04896.
Box erased_box(const MixingOptions& options, std::int64_t step, std::int64_t place, std::int64_t height,
               std::int64_t width);

/// A function of seed and step, so that a resumed run and several ranks have the same bits.
class Mixing {
 public:
  explicit Mixing(const MixingOptions& options) : options_(options) {}

  bool mixes() const { return options_.mixup > 0 || options_.cutmix > 0; }
  /// `batch` is the part of batch `step`, of `examples` on all ranks, that `ranks` parts give `rank`, images
  /// normalised. Where it mixes and there are several ranks a part has the example before its first, too
  /// (LoaderOptions::with_previous). Erases with zeros, in place; then mixes each example with the one before
  /// it in the whole batch, the first with the last: targets are then labels, the other image's labels, and
  /// the first one's share, float32 [B].
  Batch changed(Batch batch, std::int64_t step, std::int64_t examples, int rank, int ranks) const;

 private:
  MixingOptions options_;
};

}  // namespace glidepath
