// include/glidepath/weight_average.h - averages of weights on the way, whose horizon is a share of the
// budget.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include <torch/types.h>

#include "glidepath/named_tensors.h"
#include "glidepath/safetensors.h"

namespace glidepath {

/// "ema(10%)": the exponential moving average whose weights fall by e within that share of the budget. In its
/// beginning, until as much has gone by, it is the mean of all updates so far:
///     a += (w - a) * max(1 / n, 1 - exp(-dp / h))    after the n-th update, dp of progress after the last
/// "lawa(5,2%)": the mean of the last 5 states that lie 2 % of the budget apart.
/// Both follow progress, so that a budget in time has the horizon that one in updates has.
/// Source: Ajroldi, Orvieto, Geiping, arXiv 2502.06761 (horizons as shares); Kaddour, arXiv 2209.14981
/// (LAWA); Izmailov et al., UAI 2018.
class WeightAverage {
 public:
  virtual ~WeightAverage() = default;

  /// After an update; `progress` in [0, 1] never falls.
  virtual void see(const NamedTensors& parameters, double progress) = 0;
  /// By the parameters' names; empty before the first was seen.
  virtual TensorMap average() const = 0;

  /// To save, and back: later averages have the same bits.
  virtual TensorMap state() const = 0;
  /// Throws InputError for what does not fit the parameters.
  virtual void set_state(const TensorMap& saved, const NamedTensors& parameters) = 0;
};

/// Null for "none". Throws InputError for another text than those, or a share out of (0, 100 %].
std::unique_ptr<WeightAverage> make_weight_average(const std::string& text);

}  // namespace glidepath
