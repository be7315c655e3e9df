// src/loop/feed/mixing.cpp - batches whose images are mixed in pairs or partly erased.
#include "loop/feed/mixing.h"

#include <algorithm>
#include <cmath>

#include <ATen/core/grad_mode.h>
#include <torch/types.h>

#include "data/batches/random_keys.h"

namespace glidepath {
namespace {

constexpr double kLeastErased = 0.02, kMostErased = 0.33, kLeastAspect = 0.3, kMostAspect = 3.3;
constexpr int kErasingTries = 10;

// In (0, 1], for logarithms.
double above_zero(KeyedRandom& random) { return 1 - random.unit(); }

/// Box and Muller.
double normal(KeyedRandom& random) {
  const double radius = std::sqrt(-2 * std::log(above_zero(random)));
  return radius * std::cos(2 * M_PI * random.unit());
}

/// shape > 1. Source: Marsaglia & Tsang, ACM TOMS 2000.
double gamma(double shape, KeyedRandom& random) {
  const double d = shape - 1.0 / 3, c = 1 / std::sqrt(9 * d);
  for (;;) {
    const double x = normal(random), root = 1 + c * x, v = root * root * root;
    const double u = above_zero(random);
    if (v > 0 && std::log(u) < 0.5 * x * x + d - d * v + d * std::log(v)) return d * v;
  }
}

/// alpha <= 1. Source: Joehnk, Metrika 1964; in logarithms, as powers of 1 / alpha may be no double.
double beta_of_small(double alpha, KeyedRandom& random) {
  for (;;) {
    const double x = std::log(above_zero(random)) / alpha, y = std::log(above_zero(random)) / alpha;
    if (std::exp(x) + std::exp(y) <= 1) return 1 / (1 + std::exp(y - x));
  }
}

double uniform(double low, double high, KeyedRandom& random) { return low + (high - low) * random.unit(); }

/// The example before each, of a whole batch.
torch::Tensor rolled(const torch::Tensor& rows) {
  const std::int64_t count = rows.size(0);
  return torch::cat({rows.narrow(0, count - 1, 1), rows.narrow(0, 0, count - 1)});
}

}  // namespace

double beta_share(double alpha, KeyedRandom& random) {
  double share = 0;
  if (alpha <= 1) {
    share = beta_of_small(alpha, random);
  } else {
    const double a = gamma(alpha, random);
    share = a / (a + gamma(alpha, random));
  }
  return std::round(share * 0x1p16) * 0x1p-16;
}

Mix mix_of(const MixingOptions& options, std::int64_t step, std::int64_t height, std::int64_t width) {
  KeyedRandom random{options.seed, kForMixing, static_cast<std::uint64_t>(step)};
  Mix mix;
  mix.is_box = options.cutmix > 0 && (options.mixup <= 0 || random.below(2) == 1);
  mix.share = beta_share(mix.is_box ? options.cutmix : options.mixup, random);
  if (!mix.is_box) return mix;
  const auto x = static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(width)));
  const auto y = static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(height)));
  const double r = 0.5 * std::sqrt(1 - mix.share);
  const auto half_width = static_cast<std::int64_t>(r * static_cast<double>(width));
  const auto half_height = static_cast<std::int64_t>(r * static_cast<double>(height));
  mix.box = {std::max<std::int64_t>(y - half_height, 0), std::min(y + half_height, height),
             std::max<std::int64_t>(x - half_width, 0), std::min(x + half_width, width)};
  mix.share = 1 - static_cast<double>(mix.box.area()) / static_cast<double>(width * height);
  return mix;
}

torch::Tensor mixed(const torch::Tensor& images, const torch::Tensor& before, const Mix& mix) {
  if (!mix.is_box) return before.mul(1 - mix.share).add_(images.mul(mix.share));
  torch::Tensor result = images.clone();
  const auto within = [&](const torch::Tensor& of) {
    return of.slice(2, mix.box.top, mix.box.bottom).slice(3, mix.box.left, mix.box.right);
  };
  within(result).copy_(within(before));
  return result;
}

Box erased_box(const MixingOptions& options, std::int64_t step, std::int64_t place, std::int64_t height,
               std::int64_t width) {
  KeyedRandom random{options.seed, kForErasing, static_cast<std::uint64_t>(step),
                     static_cast<std::uint64_t>(place)};
  if (random.unit() >= options.erasing) return {};
  const auto area = static_cast<double>(height * width);
  for (int i = 0; i < kErasingTries; ++i) {
    const double erased = area * uniform(kLeastErased, kMostErased, random);
    const double aspect = std::exp(uniform(std::log(kLeastAspect), std::log(kMostAspect), random));
    const std::int64_t high = std::lround(std::sqrt(erased * aspect));
    const std::int64_t wide = std::lround(std::sqrt(erased / aspect));
    if (high >= height || wide >= width) continue;
    const auto top = static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(height - high + 1)));
    const auto left = static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(width - wide + 1)));
    return {top, top + high, left, left + wide};
  }
  return {};
}

Batch Mixing::changed(Batch batch, std::int64_t step, std::int64_t examples, int rank, int ranks) const {
  const at::NoGradGuard no_grad;
  const bool has_previous = mixes() && ranks > 1 && batch.examples > 0;
  torch::Tensor images = batch.images(), labels = batch.labels();
  const std::int64_t height = images.size(2), width = images.size(3);
  if (options_.erasing > 0) {
    const std::int64_t first = part_of(examples, rank, ranks).first + (has_previous ? examples - 1 : 0);
    for (std::int64_t i = 0; i < images.size(0); ++i) {
      const Box box = erased_box(options_, step, (first + i) % examples, height, width);
      if (box.area() > 0) images[i].slice(1, box.top, box.bottom).slice(2, box.left, box.right).zero_();
    }
  }
  if (!mixes()) return batch;
  const Mix mix = mix_of(options_, step, height, width);
  torch::Tensor others;
  if (batch.examples == 0) {
    others = labels;
  } else if (has_previous) {
    const std::int64_t count = batch.examples - 1;
    images = mixed(images.narrow(0, 1, count), images.narrow(0, 0, count), mix);
    others = labels.narrow(0, 0, count);
    labels = labels.narrow(0, 1, count);
  } else {
    images = mixed(images, rolled(images).contiguous(images.suggest_memory_format()), mix);
    others = rolled(labels);
  }
  Batch result(images, labels);
  result.targets.push_back(others);
  result.targets.push_back(torch::full({labels.size(0)}, mix.share, labels.options().dtype(torch::kFloat32)));
  return result;
}

}  // namespace glidepath
