// include/glidepath/effective_rate.h - the learning rate that parameters really get from an adaptive
// optimizer.
#pragma once
#include "glidepath/optimizer.h"

namespace glidepath {

/// Over all elements of all parameters that have been updated. q05 is the quantile of 5 %, and so on; between
/// two values quantiles are interpolated linearly, as by torch.quantile and NumPy. All are NaN before the
/// first update of an adaptive optimizer, or when the rate of an element is.
struct EffectiveRate {
  double median, q05, q25, q75, q95, mean;
};

/// The effective rate beta_t of the last update, made with `lr`, of an optimizer whose state is not changed
/// since:
///
///     SGD                   lr; momentum's 1 / (1 - momentum) is not in it
///     Adagrad               lr / (sqrt(sum) + eps)
///     RMSprop               lr / (sqrt(square_avg) + eps)
///     Adam, AMSGrad, AdamW  lr / (1 - beta1^t) / (sqrt(u) / sqrt(1 - beta2^t) + eps), with u as in adam.h
///
/// which multiplies the gradient (Adam: its moving average) in the update. Quantiles are exact. Costs a pass
/// over the state, a float for each parameter, and a selection in it: a fraction of a second for ten million.
/// Source: beta_t of Li et al., ICLR 2020, section 3.
EffectiveRate effective_rate(const Optimizer& optimizer, double lr);

}  // namespace glidepath
