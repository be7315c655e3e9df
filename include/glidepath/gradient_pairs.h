// include/glidepath/gradient_pairs.h - the full gradient's norm from inner products of consecutive batches'
// gradients: the arithmetic of the online estimate, which needs no tensors.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

namespace glidepath {

/// What one window of training says. Units: gradients are of the mean loss of a batch.
struct OnlineEstimate {
  std::int64_t pairs = 0, peeks = 0;
  double squared_norm = 0;   ///< estimate of |G|^2; may be negative, as what is unbiased and small must be
  double squared_error = 0;  ///< its standard error; NaN with fewer than 2 pairs or 2 peeks
  double noise_trace = 0;    ///< estimate of S^2, the trace of the covariance of single examples' gradients

  double norm() const;  ///< sqrt(max(0, squared_norm)): biased where the error is not small beside it
  /// The norm one standard error below and above: sqrt(max(0, squared_norm - squared_error)) and
  /// sqrt(max(0, squared_norm) + squared_error). Not alike on both sides, and never 0 to 0: an estimate below
  /// 0 says that the norm is below what its error can tell from 0. NaN where the error is.
  double low() const;
  double high() const;
  double error() const;        ///< half of what lies between the two
  double noise_scale() const;  ///< S^2 / |G|^2 in images; NaN where the estimate of |G|^2 is not above 0
  /// Whether the noise scale, or where there is none S^2 / (|G|^2's error), exceeds a tenth of the training
  /// images. The term of the order of S^2 / N that weights which move leave (below) is then no small part of
  /// |G|^2.
  bool may_be_high(std::int64_t training_images) const;
};

/// Two consecutive batches of one epoch, A and B.
struct GradientPair {
  double inner = 0;           ///< <g_A, g_B>, g_B after the update that g_A made
  double squared = 0;         ///< (|g_A|^2 + |g_B|^2) / 2
  double inverse_images = 0;  ///< (1 / n_A + 1 / n_B) / 2
  double lr = 0;              ///< of the update between them
};

/// The pairs and peeks of a window of training, and what they say of |G|^2;
/// include/glidepath/online_gradient.h has the derivation.
class GradientPairs {
 public:
  static constexpr std::size_t kOlderPeeks = 8;
  static constexpr double kHalving = 2;            ///< older peeks from one half of a weight to the next
  static constexpr std::size_t kMostPairs = 4096;  ///< a longer window forgets its beginning

  /// `training_images` is N > 0.
  explicit GradientPairs(std::int64_t training_images) : training_images_(training_images) {}

  void add_pair(const GradientPair& pair);
  /// What an update's step changes in the pair's inner product, over its rate: (p - a) / lr.
  void add_peek(double correction) { peeks_.push_back(correction); }
  OnlineEstimate estimate() const;
  /// Forgets the pairs, and all peeks but the last few.
  void start_window();

  /// To and from a checkpoint.
  const std::vector<GradientPair>& pairs() const { return pairs_; }
  const std::vector<double>& peeks() const { return peeks_; }
  std::size_t older_peeks() const { return older_peeks_; }  ///< of them, those before the window
  /// Throws InputError where there are fewer peeks than older ones.
  void restore(std::vector<GradientPair> pairs, std::vector<double> peeks, std::size_t older_peeks);

 private:
  std::vector<double> peek_weights() const;

  std::int64_t training_images_;
  std::vector<GradientPair> pairs_;
  std::vector<double> peeks_;
  std::size_t older_peeks_ = 0;
};

}  // namespace glidepath
