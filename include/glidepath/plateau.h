// include/glidepath/plateau.h - the learning rate lowered when the loss stops falling; the one schedule with
// a memory.
#pragma once

namespace glidepath {

struct PlateauOptions {
  double factor = 0.1;      ///< multiplies the rate at each plateau, in (0, 1)
  double patience = 0.05;   ///< share of the budget without a better loss that makes a plateau, in (0, 1]
  double threshold = 1e-4;  ///< how much lower, relative to the best, a loss must be to count as better, >= 0
};

/// PyTorch's ReduceLROnPlateau (mode min, threshold_mode rel, no cooldown) with patience as a share of the
/// budget in place of a number of epochs, which makes it mean the same under every budget. It does not land
/// on zero.
class Plateau {
 public:
  explicit Plateau(const PlateauOptions& options) : options_(options) {}

  /// The factor now, in (0, 1]; 1 before the first plateau.
  double factor() const { return state_.factor; }
  /// Tells a loss measured at `progress`; progress must not go back. A loss that is not a number counts as no
  /// better.
  void observe(double progress, double loss);

  /// To and from a checkpoint.
  struct State {
    double factor = 1;
    double best = 0;           ///< lowest loss so far
    double best_progress = 0;  ///< where it was seen, or where the last plateau ended
    bool any = false;          ///< whether a loss was seen
  };
  const State& state() const { return state_; }
  void set_state(const State& state) { state_ = state; }

 private:
  PlateauOptions options_;
  State state_;
};

}  // namespace glidepath
