// src/optim/optimizer_kernels.cpp - the update of each optimizer, for each instruction set.
#include "optim/optimizer_kernels.h"

#include <cmath>

#include "simd/clones.h"

namespace glidepath {
namespace {

template <bool kAmsgrad>
GLIDEPATH_INLINE void adam(float* __restrict w, const float* __restrict g, float* __restrict m,
                           float* __restrict v, float* __restrict most, std::int64_t count,
                           const AdamRule& given) {
  const AdamRule rule = given;  // known not to change while the arrays do
  for (std::int64_t i = 0; i < count; ++i) {
    const float weight = rule.shrink * w[i];
    const float gradient = g[i] + rule.weight_decay * weight;
    const float mean = rule.beta1 * m[i] + rule.rest1 * gradient;
    const float square = rule.beta2 * v[i] + rule.rest2 * gradient * gradient;
    m[i] = mean;
    v[i] = square;
    float scale = square;
    if (kAmsgrad) {
      scale = most[i] > square ? most[i] : square;  // a NaN stays one, so that a diverged run is seen
      most[i] = scale;
    }
    w[i] = weight - rule.step_size * mean / (std::sqrt(scale) * rule.inverse_root + rule.eps);
  }
}

}  // namespace

GLIDEPATH_CLONES
void sgd_update(float* __restrict w, const float* __restrict g, float* __restrict v, std::int64_t count,
                const SgdRule& rule) {
  const float ahead = rule.nesterov ? rule.momentum : 0.0F;
  for (std::int64_t i = 0; i < count; ++i) {
    const float gradient = g[i] + rule.weight_decay * w[i];
    const float velocity = rule.momentum * v[i] + gradient;
    v[i] = velocity;
    w[i] -= rule.lr * (rule.nesterov ? gradient + ahead * velocity : velocity);
  }
}

GLIDEPATH_CLONES
void squares_update(float* __restrict w, const float* __restrict g, float* __restrict s, std::int64_t count,
                    const SquaresRule& given) {
  const SquaresRule rule = given;
  for (std::int64_t i = 0; i < count; ++i) {
    const float gradient = g[i] + rule.weight_decay * w[i];
    const float square = rule.keep * s[i] + rule.add * gradient * gradient;
    s[i] = square;
    w[i] -= rule.lr * gradient / (std::sqrt(square) + rule.eps);
  }
}

GLIDEPATH_CLONES
void adam_update(float* w, const float* g, float* m, float* v, std::int64_t count, const AdamRule& rule) {
  adam<false>(w, g, m, v, nullptr, count, rule);
}

GLIDEPATH_CLONES
void amsgrad_update(float* w, const float* g, float* m, float* v, float* most, std::int64_t count,
                    const AdamRule& rule) {
  adam<true>(w, g, m, v, most, count, rule);
}

GLIDEPATH_CLONES
void schedule_free_update(float* __restrict y, const float* __restrict g, float* __restrict z,
                          std::int64_t count, const ScheduleFreeRule& given) {
  const ScheduleFreeRule rule = given;
  for (std::int64_t i = 0; i < count; ++i) {
    const float direction = g[i] + rule.weight_decay * y[i];
    y[i] = y[i] + rule.share * (z[i] - y[i]) + rule.step * direction;
    z[i] -= rule.lr * direction;
  }
}

GLIDEPATH_CLONES
void schedule_free_adam_update(float* __restrict y, const float* __restrict g, float* __restrict z,
                               float* __restrict v, std::int64_t count, const ScheduleFreeRule& given) {
  const ScheduleFreeRule rule = given;
  for (std::int64_t i = 0; i < count; ++i) {
    const float square = rule.beta2 * v[i] + rule.rest2 * g[i] * g[i];
    v[i] = square;
    const float direction = g[i] / (std::sqrt(square * rule.inverse) + rule.eps) + rule.weight_decay * y[i];
    y[i] = y[i] + rule.share * (z[i] - y[i]) + rule.step * direction;
    z[i] -= rule.lr * direction;
  }
}

}  // namespace glidepath
