// src/model/watched_cost.cpp - what a forward pass costs, found by watching its operators.
#include <cmath>
#include <string>

#include <ATen/core/grad_mode.h>
#include <ATen/record_function.h>
#include <torch/types.h>

#include "glidepath/model.h"
#include "model/in_mode.h"
#include "model/operator_watch.h"

namespace glidepath {
namespace {

double product(at::IntArrayRef sizes, std::size_t from = 0) {
  double all = 1;
  for (std::size_t i = from; i < sizes.size(); ++i) all *= static_cast<double>(sizes[i]);
  return all;
}

/// Adds up operators as they end.
class CostWatch : public OperatorWatch {
 public:
  const Cost& cost() const { return cost_; }

 private:
  // The operators that others end in, each once: conv2d calls convolution, linear calls addmm or mm.
  void ended(const at::RecordFunction& function) override {
    const std::string name = function.name();
    const auto inputs = function.inputs();
    const auto outputs = function.outputs();
    if (outputs.empty() || !outputs[0].isTensor()) return;
    const auto out = outputs[0].toTensor();
    const auto input = [&](std::size_t i) {
      return i < inputs.size() && inputs[i].isTensor() ? inputs[i].toTensor() : torch::Tensor();
    };
    if (name == "aten::_convolution") {
      const bool transposed = inputs.size() > 6 && inputs[6].isBool() && inputs[6].toBool();
      const torch::Tensor weight = input(1);  // [out, in / groups, ...], or [in, out / groups, ...]
      const torch::Tensor& many = transposed ? input(0) : out;
      if (weight.defined())
        count_layer(2 * product(many.sizes()) * product(weight.sizes(), 1), weight.requires_grad());
    } else if (name == "aten::addmm") {
      if (input(1).defined()) count_layer(2 * product(out.sizes()) * last(input(1)));
    } else if (name == "aten::mm" || name == "aten::bmm") {
      if (input(0).defined()) count_layer(2 * product(out.sizes()) * last(input(0)));
    } else if (name == "aten::batch_norm") {
      count(2 * product(out.sizes()));
    }
  }
  static double last(const torch::Tensor& tensor) { return static_cast<double>(tensor.size(-1)); }
  // Frozen filters need no gradient. Of a linear layer's weights, which come turned, it cannot be told.
  void count_layer(double forward, bool is_trained = true) {
    cost_.backward += ((cost_.forward > 0 ? 1 : 0) + (is_trained ? 1 : 0)) * forward;
    cost_.forward += forward;
  }
  void count(double forward) {
    cost_.backward += 2 * forward;
    cost_.forward += forward;
  }

  Cost cost_;
};

}  // namespace

Cost watched_cost(Model& model, const Values& inputs, std::int64_t examples) {
  const at::NoGradGuard no_grad;
  const InMode mode(model, false);
  const CostWatch watch;
  model.forward(inputs);
  Cost cost = watch.cost();
  cost.forward /= static_cast<double>(examples);
  cost.backward /= static_cast<double>(examples);
  return cost;
}

}  // namespace glidepath
