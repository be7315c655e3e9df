// include/glidepath/online_gradient.h - the full gradient's norm, estimated from the gradients that training
// computes.
#pragma once
#include <cstdint>
#include <functional>

#include "glidepath/gradient_pairs.h"
#include "glidepath/gradients.h"
#include "glidepath/safetensors.h"

namespace glidepath {

struct OnlineGradientOptions {
  std::int64_t training_images = 0;  ///< N > 0
  std::int64_t steps_per_epoch = 0;  ///< > 0; with 1 there are no pairs
  std::int64_t stride = 2;           ///< updates from the beginning of a pair to that of the next, >= 2
  std::int64_t peek = 256;           ///< updates from a peek to the next, >= 1
};

/// Estimates |G|^2, G the gradient of the mean loss over all N examples, from pairs of consecutive batches A,
/// B of one epoch, which share no example.
///
/// Fixed weights. Let h_i be the gradient of example i, G their mean and S^2 = sum |h_i - G|^2 / (N - 1). An
/// epoch draws without replacement, so h_i and h_j of two places in it have the covariance (trace) -S^2 / N:
/// sum_i sum_(j != i) <h_i - G, h_j - G> / (N (N - 1)) = -sum_i |h_i - G|^2 / (N (N - 1)). Hence for means
/// over batches of sizes n_A and n_B
///   E <g_A, g_B> = |G|^2 - S^2 / N,        E |g_A|^2 = |G|^2 + S^2 (1 / n_A - 1 / N),
/// and with a = <g_A, g_B>, q = (|g_A|^2 + |g_B|^2) / 2, m = (1 / n_A + 1 / n_B) / 2, each averaged,
///   S^2 ~ (q - a) / m,                     |G|^2 ~ a + (q - a) / (m N),   both without bias.
/// S^2 / |G|^2 is B_simple of McCandlish et al. 2018 (arXiv 1812.06162, section 2.2 and appendix A).
///
/// Moving weights. g_B is taken at weights that g_A has moved, so that <g_A, g_B> also holds
/// -lr <g_A, H (step)>. That is no small term: where SGD has settled it makes the mean of a negative (Pflug
/// 1990), with |G|^2 itself above 0. Now and then the next batch is therefore looked at before the update, at
/// the weights of g_A, which gives the pair's inner product p without that term; p - a is its size on the
/// very same two batches, so it varies little. a + mean(p - a) is without bias again (a control variate;
/// Giles 2008 calls such a pair a level). The step is proportional to lr, so (p - a) / lr is kept, and a
/// window uses it with its own mean lr: its own peeks, and the last GradientPairs::kOlderPeeks before it with
/// weights that halve every kHalving peeks, which is exact where curvature and noise stay as they were. What
/// is estimated is the mean of |G|^2 over the window's weights.
///
/// The standard error is that of a mean of a correlated series (Newey & West 1987, Bartlett weights, their
/// usual lag 4 (n / 100)^(2/9)) for a and q, and that of independent values for the peeks.
///
/// What is left. An epoch's later batches are the examples that its earlier ones left, and the weights know
/// the earlier ones. Late in annealing, with |G|^2 small, this adds up to 0.8 S^2 / N: an estimate of |G|^2
/// that is several times too high where the noise scale is near N. Such windows are marked (may_be_high).
///
/// Where batches are augmented, G is the gradient of the augmented loss, and the correction by S^2 / N, which
/// takes all of S^2 to be between examples, is an upper bound. Batch norm makes h_i depend on its batch: G is
/// then the mean gradient over random batches of this size.
class OnlineGradient {
 public:
  /// Throws InputError for an option out of range.
  explicit OnlineGradient(const OnlineGradientOptions& options);

  /// Whether the gradients of update `step` (from 0) are needed.
  bool wants(std::int64_t step) const;
  /// The gradients of update `step`, to be applied with `lr`: those of the mean loss of a batch of `images`
  /// examples, as gradients_of() gives them, before they are clipped; copied where they are kept. `peek`
  /// gives the gradients of the next update's batch at the present weights, and leaves the model as it was
  /// (KeepBuffers); it is called once in OnlineGradientOptions::peek updates. What it throws leaves
  /// everything as it was.
  void observe(std::int64_t step, std::int64_t images, double lr, const Tensors& gradients,
               const std::function<Tensors()>& peek);

  OnlineEstimate estimate() const { return window_.estimate(); }
  /// Forgets the pairs so far, but one that is half complete, and all peeks but the last few.
  void start_window() { window_.start_window(); }

  /// To and from a checkpoint; an empty state is that of a new run. Throws InputError for another network's.
  TensorMap state() const;
  void set_state(const TensorMap& state, const Tensors& parameters);

 private:
  bool begins_pair(std::int64_t step) const;

  OnlineGradientOptions options_;
  GradientPairs window_;
  std::int64_t peek_at_ = 0;  // the first update at which the next peek may be
  // The pair that waits for its second batch.
  std::int64_t first_step_ = -1;
  double first_images_ = 0, first_squared_ = 0, first_lr_ = 0, peeked_ = 0;
  bool has_peeked_ = false;
  Tensors first_;
};

}  // namespace glidepath
