// src/optim/weight_average.cpp - averages of weights on the way.
#include "glidepath/weight_average.h"

#include <algorithm>
#include <cmath>
#include <deque>

#include <ATen/core/grad_mode.h>
#include <fmt/format.h>
#include <torch/types.h>

#include "glidepath/error.h"
#include "schedule/average_text.h"

namespace glidepath {
namespace {

constexpr const char* kSeen = "seen";  // float64 [2]: updates, or states; and the progress of the last

torch::Tensor numbers(double first, double second) { return torch::tensor({first, second}, torch::kFloat64); }

const torch::Tensor& stored(const TensorMap& saved, const std::string& name, const torch::Tensor* like) {
  const auto found = saved.find(name);
  if (found == saved.end() || (like != nullptr && found->second.sizes() != like->sizes()))
    throw InputError(fmt::format("average of weights: its state does not fit the model at {}", name));
  return found->second;
}

std::pair<double, double> seen_in(const TensorMap& saved) {
  const torch::Tensor& seen = stored(saved, kSeen, nullptr);
  const bool fits = seen.scalar_type() == torch::kFloat64 && seen.numel() == 2;
  const double count = fits ? seen.data_ptr<double>()[0] : -1,
               progress = fits ? seen.data_ptr<double>()[1] : -1;
  if (!(count >= 0 && count < 1e15 && progress >= 0 && progress <= 1))
    throw InputError("average of weights: its state has no count of updates");
  return {count, progress};
}

class ExponentialAverage : public WeightAverage {
 public:
  explicit ExponentialAverage(double horizon) : horizon_(horizon) {}

  void see(const NamedTensors& parameters, double progress) override {
    const at::NoGradGuard no_grad;
    const double falls = 1 - std::exp(-(progress - last_) / horizon_);
    const double weight = std::max(1 / static_cast<double>(++count_), falls);
    last_ = progress;
    for (const auto& [name, parameter] : parameters) {
      torch::Tensor& mean = average_[name];
      if (mean.defined()) {
        mean.lerp_(parameter.detach(), weight);
      } else {
        mean = parameter.detach().clone();
      }
    }
  }
  TensorMap average() const override { return average_; }
  TensorMap state() const override {
    TensorMap state = average_;
    state[kSeen] = numbers(static_cast<double>(count_), last_);
    return state;
  }
  void set_state(const TensorMap& saved, const NamedTensors& parameters) override {
    const auto [count, last] = seen_in(saved);
    TensorMap average;
    for (const auto& [name, parameter] : parameters) {
      if (count > 0) average[name] = parameter.detach().clone().copy_(stored(saved, name, &parameter));
    }
    count_ = static_cast<std::int64_t>(count);
    last_ = last;
    average_ = std::move(average);
  }

 private:
  double horizon_;
  std::int64_t count_ = 0;  // updates
  double last_ = 0;         // progress
  TensorMap average_;
};

class LatestAverage : public WeightAverage {
 public:
  LatestAverage(std::int64_t states, double apart) : states_(states), apart_(apart) {}

  // A whole run ends with a state of its own, however far the last one is.
  void see(const NamedTensors& parameters, double progress) override {
    constexpr double kRounding = 1e-9;
    if (!kept_.empty() && progress < 1 && progress - last_ < apart_ - kRounding) return;
    const at::NoGradGuard no_grad;
    TensorMap state;
    for (const auto& [name, parameter] : parameters) state[name] = parameter.detach().clone();
    kept_.push_back(std::move(state));
    if (static_cast<std::int64_t>(kept_.size()) > states_) kept_.pop_front();
    last_ = progress;
  }
  TensorMap average() const override {
    const at::NoGradGuard no_grad;
    TensorMap mean;
    for (const TensorMap& state : kept_) {
      for (const auto& [name, tensor] : state) {
        const auto found = mean.find(name);
        if (found == mean.end()) {
          mean[name] = tensor.clone();
        } else {
          found->second.add_(tensor);
        }
      }
    }
    for (auto& [name, tensor] : mean) tensor.div_(static_cast<double>(kept_.size()));
    return mean;
  }
  TensorMap state() const override {
    TensorMap state;
    for (std::size_t i = 0; i < kept_.size(); ++i) {
      for (const auto& [name, tensor] : kept_[i]) state[fmt::format("{}.{}", i, name)] = tensor;
    }
    state[kSeen] = numbers(static_cast<double>(kept_.size()), last_);
    return state;
  }
  void set_state(const TensorMap& saved, const NamedTensors& parameters) override {
    const auto [count, last] = seen_in(saved);
    if (count > static_cast<double>(states_))
      throw InputError("average of weights: its state has more weights than are averaged");
    std::deque<TensorMap> kept(static_cast<std::size_t>(count));
    for (std::size_t i = 0; i < kept.size(); ++i) {
      for (const auto& [name, parameter] : parameters) {
        kept[i][name] =
            parameter.detach().clone().copy_(stored(saved, fmt::format("{}.{}", i, name), &parameter));
      }
    }
    kept_ = std::move(kept);
    last_ = last;
  }

 private:
  std::int64_t states_;
  double apart_;
  std::deque<TensorMap> kept_;
  double last_ = 0;  // progress of the last of them
};

}  // namespace

std::unique_ptr<WeightAverage> make_weight_average(const std::string& text) {
  const AverageText average = AverageText::parse(text);
  switch (average.kind) {
    case AverageText::Kind::kExponential:
      return std::make_unique<ExponentialAverage>(average.horizon);
    case AverageText::Kind::kLatest:
      return std::make_unique<LatestAverage>(average.states, average.apart);
    case AverageText::Kind::kNone:
      break;
  }
  return nullptr;
}

}  // namespace glidepath
