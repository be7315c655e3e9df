// src/evaluation/best_model.cpp - the weights of a run that did best on the images held out.
#include "evaluation/best_model.h"

#include <vector>

#include <ATen/core/grad_mode.h>
#include <torch/types.h>

#include "glidepath/error.h"

namespace glidepath {
namespace {

constexpr const char* kBest = "best";
const std::string kPrefix = "best.";

void put(Model& model, const TensorMap& weights) {
  const at::NoGradGuard no_grad;
  TensorMap state = state_dict(model);
  for (const auto& [name, tensor] : weights) state.at(name).copy_(tensor);
}

}  // namespace

TensorMap copy_of_state(const Model& model) {
  TensorMap copy;
  for (const auto& [name, tensor] : state_dict(model)) copy[name] = tensor.detach().clone();
  return copy;
}

void BestModel::see(const Model& model, const Task& task, std::int64_t step, const Evaluation& on_val) {
  if (!empty() && !is_better(task, on_val, on_val_)) return;
  weights_ = copy_of_state(model);
  step_ = step;
  on_val_ = on_val;
}

void BestModel::add_to(TensorMap& tensors) const {
  if (empty()) return;
  std::vector<double> numbers = {static_cast<double>(step_), on_val_.accuracy, on_val_.loss};
  numbers.insert(numbers.end(), on_val_.metrics.begin(), on_val_.metrics.end());
  tensors[kBest] = torch::tensor(numbers, torch::kFloat64);
  for (const auto& [name, tensor] : weights_) tensors[kPrefix + name] = tensor;
}

void BestModel::take(const TensorMap& saved, const Model& model) {
  weights_.clear();
  const auto numbers = saved.find(kBest);
  if (numbers == saved.end()) return;
  const auto refuse = [](const std::string& name) {
    throw InputError("the checkpoint's best weights do not fit this model at " + name);
  };
  if (numbers->second.scalar_type() != torch::kFloat64 || numbers->second.numel() < 3) refuse(kBest);
  for (const auto& [name, tensor] : state_dict(model)) {
    const auto found = saved.find(kPrefix + name);
    if (found == saved.end() || found->second.sizes() != tensor.sizes()) refuse(name);
    weights_[name] = tensor.detach().clone().copy_(found->second);
  }
  const auto* number = numbers->second.data_ptr<double>();
  step_ = static_cast<std::int64_t>(number[0]);
  on_val_ = {number[2], number[1], {number + 3, number + numbers->second.numel()}};
}

OtherWeights::OtherWeights(Model& model, const TensorMap& weights)
    : model_(model), own_(copy_of_state(model)) {
  put(model, weights);
}

OtherWeights::~OtherWeights() { put(model_, own_); }

}  // namespace glidepath
