// src/measure/online_gradient.cpp - the full gradient's norm, estimated from the gradients that training
// computes.
#include "glidepath/online_gradient.h"

#include <cmath>
#include <utility>

#include <ATen/core/grad_mode.h>
#include <fmt/format.h>
#include <torch/types.h>

#include "glidepath/error.h"
#include "measure/gradient_kernels.h"

namespace glidepath {
namespace {

constexpr std::size_t kPairFields = 4;

[[noreturn]] void refuse_state() {
  throw InputError("checkpoint: what it holds of grad-norm-online is of another run");
}

}  // namespace

OnlineGradient::OnlineGradient(const OnlineGradientOptions& options)
    : options_(options), window_(options.training_images) {
  const auto at_least = [](const char* name, std::int64_t value, std::int64_t least) {
    if (value < least)
      throw InputError(fmt::format("online gradient: {} {}: must be {} or more", name, value, least));
  };
  at_least("training_images", options.training_images, 1);
  at_least("steps_per_epoch", options.steps_per_epoch, 1);
  at_least("stride", options.stride, 2);
  at_least("peek", options.peek, 1);
}

// A pair lies within one epoch: the last batch of one and the first of the next may share examples.
bool OnlineGradient::begins_pair(std::int64_t step) const {
  const std::int64_t place = step % options_.steps_per_epoch;
  return place % options_.stride == 0 && place + 1 < options_.steps_per_epoch;
}

bool OnlineGradient::wants(std::int64_t step) const {
  return begins_pair(step) || (first_step_ >= 0 && step == first_step_ + 1);
}

void OnlineGradient::observe(std::int64_t step, std::int64_t images, double lr, const Tensors& gradients,
                             const std::function<Tensors()>& peek) {
  const at::NoGradGuard no_grad;
  // First of all: a batch that cannot be had leaves everything as it was.
  const bool peeks = begins_pair(step) && step >= peek_at_;
  Tensors next;
  if (peeks) {
    const at::AutoGradMode grad(true);
    next = peek();
  }
  if (first_step_ >= 0 && step == first_step_ + 1) {
    const GradientPair pair{inner_product(first_, gradients),
                            (first_squared_ + inner_product(gradients, gradients)) / 2,
                            (1 / first_images_ + 1 / static_cast<double>(images)) / 2, first_lr_};
    if (has_peeked_) window_.add_peek(first_lr_ > 0 ? (peeked_ - pair.inner) / first_lr_ : 0);
    window_.add_pair(pair);
    first_step_ = -1;
  }
  if (!begins_pair(step)) return;
  if (first_.empty()) {
    for (const torch::Tensor& gradient : gradients) first_.push_back(torch::empty_like(gradient));
  }
  for (std::size_t i = 0; i < gradients.size(); ++i) first_[i].copy_(gradients[i]);
  first_step_ = step;
  first_images_ = static_cast<double>(images);
  first_squared_ = inner_product(first_, first_);
  first_lr_ = lr;
  has_peeked_ = peeks;
  if (!has_peeked_) return;
  peek_at_ = step + options_.peek;
  peeked_ = inner_product(first_, next);
}

TensorMap OnlineGradient::state() const {
  auto pairs =
      torch::empty({static_cast<std::int64_t>(window_.pairs().size()), kPairFields}, torch::kFloat64);
  for (std::size_t i = 0; i < window_.pairs().size(); ++i) {
    double* row = pairs.data_ptr<double>() + kPairFields * i;
    const GradientPair& pair = window_.pairs()[i];
    row[0] = pair.inner, row[1] = pair.squared;
    row[2] = pair.inverse_images, row[3] = pair.lr;
  }
  TensorMap state = {
      {"pairs", pairs},
      {"peeks", torch::tensor(window_.peeks(), torch::kFloat64)},
      {"pending", torch::tensor({static_cast<double>(peek_at_), static_cast<double>(first_step_),
                                 first_images_, first_squared_, first_lr_, peeked_, has_peeked_ ? 1.0 : 0.0,
                                 static_cast<double>(window_.older_peeks())},
                                torch::kFloat64)}};
  if (first_step_ < 0) return state;
  for (std::size_t i = 0; i < first_.size(); ++i) state[fmt::format("first.{:04}", i)] = first_[i];
  return state;
}

void OnlineGradient::set_state(const TensorMap& state, const Tensors& parameters) {
  const at::NoGradGuard no_grad;
  *this = OnlineGradient(options_);
  if (state.empty()) return;
  const auto of = [&](const std::string& name) {
    const auto found = state.find(name);
    if (found == state.end()) refuse_state();
    return found->second;
  };
  const torch::Tensor pairs = of("pairs"), peeks = of("peeks"), pending = of("pending");
  for (const torch::Tensor& each : {pairs, peeks, pending}) {
    if (each.scalar_type() != torch::kFloat64 || !each.is_contiguous()) refuse_state();
  }
  const bool knows_older = pending.numel() == 8;  // checkpoints of 0.1.0 do not: all count as the window's
  if (pairs.dim() != 2 || pairs.size(1) != kPairFields || peeks.dim() != 1 ||
      (!knows_older && pending.numel() != 7))
    refuse_state();
  std::vector<GradientPair> stored_pairs;
  for (std::int64_t i = 0; i < pairs.size(0); ++i) {
    const double* row = pairs.data_ptr<double>() + kPairFields * static_cast<std::size_t>(i);
    stored_pairs.push_back({row[0], row[1], row[2], row[3]});
  }
  const double* first_peek = peeks.data_ptr<double>();
  const double* values = pending.data_ptr<double>();
  peek_at_ = static_cast<std::int64_t>(values[0]);
  first_step_ = static_cast<std::int64_t>(values[1]);
  first_images_ = values[2], first_squared_ = values[3], first_lr_ = values[4], peeked_ = values[5];
  has_peeked_ = values[6] != 0;
  const double older = knows_older ? values[7] : 0;
  if (!(older >= 0 && older <= static_cast<double>(peeks.numel()))) refuse_state();
  window_.restore(std::move(stored_pairs), {first_peek, first_peek + peeks.numel()},
                  static_cast<std::size_t>(older));
  for (std::size_t i = 0; first_step_ >= 0 && i < parameters.size(); ++i) {
    const torch::Tensor stored = of(fmt::format("first.{:04}", i));
    if (stored.sizes() != parameters[i].sizes()) refuse_state();
    first_.push_back(torch::empty_like(parameters[i]).copy_(stored));
  }
}

}  // namespace glidepath
