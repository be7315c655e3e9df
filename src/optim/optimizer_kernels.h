// src/optim/optimizer_kernels.h - the update of each optimizer, element by element, in one pass.
#pragma once
#include <cstdint>

namespace glidepath {

/// Below this many elements a second thread costs more than it brings.
constexpr std::int64_t kUpdateGrain = 32768;

// w are weights and g their gradients, `count` of each; the other arrays are an optimizer's state. Rates and
// coefficients come as floats, as torch's operators take them.

struct SgdRule {
  float lr, momentum, weight_decay;
  bool nesterov;
};
/// g += weight_decay * w;  v = momentum * v + g;  w -= lr * (nesterov ? g + momentum * v : v)
void sgd_update(float* w, const float* g, float* v, std::int64_t count, const SgdRule& rule);

struct SquaresRule {
  float lr, weight_decay, keep, add, eps;
};
/// g += weight_decay * w;  s = keep * s + add * g^2;  w -= lr * g / (sqrt(s) + eps)
void squares_update(float* w, const float* g, float* s, std::int64_t count, const SquaresRule& rule);

struct AdamRule {
  float shrink;        ///< what weights are multiplied by first: 1 but for AdamW
  float weight_decay;  ///< added to the gradient: 0 for AdamW
  float beta1, rest1;  ///< rest = 1 - beta, from double
  float beta2, rest2;
  float step_size;     ///< lr / (1 - beta1^t)
  float inverse_root;  ///< 1 / sqrt(1 - beta2^t)
  float eps;
};
/// w *= shrink;  g += weight_decay * w;  m = beta1 * m + rest1 * g;  v = beta2 * v + rest2 * g^2;
/// w -= step_size * m / (sqrt(v) * inverse_root + eps)
void adam_update(float* w, const float* g, float* m, float* v, std::int64_t count, const AdamRule& rule);
/// The same with the largest v so far, `most`, in place of v in the last line.
void amsgrad_update(float* w, const float* g, float* m, float* v, float* most, std::int64_t count,
                    const AdamRule& rule);

struct ScheduleFreeRule {
  float lr, weight_decay;
  float share;                       ///< of z in y
  float step;                        ///< lr * (momentum * (1 - share) - 1)
  float beta2, rest2, inverse, eps;  ///< inverse = 1 / (1 - beta2^t)
};
/// d = g + weight_decay * y;  y = y + share * (z - y) + step * d;  z -= lr * d
void schedule_free_update(float* y, const float* g, float* z, std::int64_t count,
                          const ScheduleFreeRule& rule);
/// The same with v = beta2 * v + rest2 * g^2 and d = g / (sqrt(v * inverse) + eps) + weight_decay * y.
void schedule_free_adam_update(float* y, const float* g, float* z, float* v, std::int64_t count,
                               const ScheduleFreeRule& rule);

}  // namespace glidepath
