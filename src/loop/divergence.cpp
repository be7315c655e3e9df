// src/loop/divergence.cpp - a loss that is no number any more: where it began.
#include "loop/divergence.h"

#include <algorithm>
#include <map>

#include <ATen/core/grad_mode.h>
#include <ATen/record_function.h>
#include <fmt/format.h>
#include <torch/types.h>

#include "compute/device_batches.h"
#include "evaluation/forward.h"
#include "glidepath/safetensors.h"
#include "model/operator_watch.h"

namespace glidepath {
namespace {

bool is_finite(const torch::Tensor& tensor) {
  return !tensor.is_floating_point() || torch::isfinite(tensor).all().item<bool>();
}

/// Follows a forward pass operator by operator.
class Watch : public OperatorWatch {
 public:
  explicit Watch(const Model& model) {
    for (const auto& [name, tensor] : model.named_parameters())
      layers_[tensor.data_ptr()] = name.substr(0, name.rfind('.'));
  }

  const std::string& found() const { return found_; }

 private:
  // What an operator of our own made (the fused norm) is seen where it goes in.
  // Only operators that the model calls itself: inside others there is memory that nobody has written yet.
  void begun(const at::RecordFunction& function) override {
    if (depth_++ > 0 || !found_.empty()) return;
    const std::string before = layer_;
    for (const c10::IValue& input : function.inputs()) {
      if (!input.isTensor() || !input.toTensor().defined() || !input.toTensor().has_storage()) continue;
      const auto layer = layers_.find(input.toTensor().data_ptr());
      if (layer != layers_.end()) layer_ = layer->second;
    }
    if (makes_empty(function.name())) return;
    for (const c10::IValue& input : function.inputs()) {
      if (input.isTensor() && input.toTensor().defined() && input.toTensor().has_storage() &&
          !is_finite(input.toTensor())) {
        found_ = before.empty() ? "the images of the batch" : fmt::format("what comes after {}", before);
        return;
      }
    }
  }
  void ended(const at::RecordFunction& function) override {
    if (--depth_ > 0 || !found_.empty() || makes_empty(function.name())) return;
    for (const c10::IValue& output : function.outputs()) {
      if (output.isTensor() && output.toTensor().defined() && !is_finite(output.toTensor())) {
        found_ = layer_.empty() ? "the images of the batch" : fmt::format("the output of {}", layer_);
        return;
      }
    }
  }
  static bool makes_empty(const std::string& name) { return name.find("empty") != std::string::npos; }

  std::map<const void*, std::string> layers_;  // by where their parameters lie
  std::string layer_;                          // the last whose parameters were used
  std::string found_;
  int depth_ = 0;
};

}  // namespace

std::string first_not_finite(const Model& model, const NamedTensors& optimizer_state) {
  const at::NoGradGuard no_grad;
  std::string first;
  std::size_t bad = 0, all = 0;
  const auto look = [&](const std::string& what, const std::string& name, const torch::Tensor& tensor) {
    ++all;
    if (is_finite(tensor)) return;
    if (bad++ == 0) first = fmt::format("the {} {}", what, name);
  };
  for (const auto& [name, tensor] : model.named_parameters()) look("weight", name, tensor);
  for (const auto& [name, tensor] : optimizer_state) {  // "exp_avg.fc1.weight"
    const std::size_t dot = std::min(name.find('.'), name.size() - 1);
    look(name.substr(0, dot) + " of", name.substr(dot + 1), tensor);
  }
  for (const auto& [name, tensor] : model.named_buffers()) look("statistic", name, tensor);
  return bad == 0 ? "" : fmt::format("{} ({} of {} tensors)", first, bad, all);
}

std::string first_not_finite(Model& model, const NamedTensors& optimizer_state, const Batch& batch,
                             const ComputePlan& plan) {
  const at::NoGradGuard no_grad;
  const auto parameters = model.parameters();
  // Statistics are not asked: the forward pass that gave the loss has changed them already.
  if (!std::all_of(parameters.begin(), parameters.end(), is_finite))
    return first_not_finite(model, optimizer_state);
  std::string found;
  Values outputs;
  {
    const Batch there = on_device(batch, plan.device);
    const Watch watch(model);
    outputs = outputs_of(model, inputs_of(model, there), plan);
    found = watch.found();
  }
  if (found.empty())
    found = std::all_of(outputs.begin(), outputs.end(), is_finite) ? "the loss itself" : "the logits";
  return found;
}

}  // namespace glidepath
