// src/nn/kernels/causal_softmax.cpp - attention's shares of tokens that may look back alone.
#include "nn/kernels/causal_softmax.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include <torch/csrc/autograd/custom_function.h>

#include "nn/kernels/causal_softmax_kernels.h"
#include "nn/kernels/own_operator.h"
#include "nn/kernels/parallel.h"

namespace glidepath {
namespace {

using torch::Tensor;

constexpr std::int64_t kSoftmaxGrain = 16384;  // numbers of a thread's rows

/// body(offset of a row, how many tokens it sees) for all rows, which are divided among threads.
template <typename Body>
void for_tokens(const Tensor& scores, const Body& body) {
  const std::int64_t tokens = scores.size(-1);
  parallel_ranges(scores.numel() / tokens, std::max<std::int64_t>(1, kSoftmaxGrain / tokens),
                  [&](std::int64_t begin, std::int64_t end) {
                    std::vector<float> room(static_cast<std::size_t>(tokens + kSoftmaxLanes));
                    for (std::int64_t row = begin; row < end; ++row)
                      body(row * tokens, row % tokens + 1, room.data());
                  });
}

template <typename T>
void shares(const Tensor& scores, float scale, const Tensor& y) {
  const auto* from = static_cast<const T*>(scores.data_ptr());
  auto* to = static_cast<T*>(y.data_ptr());
  for_tokens(scores, [&](std::int64_t row, std::int64_t seen, float* room) {
    softmax_row(from + row, scale, seen, scores.size(-1), room, to + row);
  });
}

template <typename T>
void gradients(const Tensor& y, const Tensor& dy, float scale, const Tensor& dx) {
  const auto *shares = static_cast<const T*>(y.data_ptr()), *from = static_cast<const T*>(dy.data_ptr());
  auto* to = static_cast<T*>(dx.data_ptr());
  for_tokens(y, [&](std::int64_t row, std::int64_t seen, float* /*room*/) {
    softmax_row_gradient(shares + row, from + row, scale, seen, y.size(-1), to + row);
  });
}

class CausalSoftmax : public torch::autograd::Function<CausalSoftmax> {
 public:
  static Tensor forward(torch::autograd::AutogradContext* context, const Tensor& scores, double scale) {
    Tensor y = torch::empty_like(scores);
    const auto by = static_cast<float>(scale);
    scores.scalar_type() == torch::kBFloat16 ? shares<Bf16>(scores, by, y) : shares<float>(scores, by, y);
    context->save_for_backward({y});
    context->saved_data["scale"] = scale;
    return y;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list given) {
    refuse_second_derivative(
        "causal_softmax: has no second derivative on the CPU; use torch::softmax for it");
    const Tensor y = context->get_saved_variables()[0];
    const Tensor dy = given[0].to(y.scalar_type()).contiguous();
    const auto scale = static_cast<float>(context->saved_data["scale"].toDouble());
    Tensor dx = torch::empty_like(y);
    y.scalar_type() == torch::kBFloat16 ? gradients<Bf16>(y, dy, scale, dx)
                                        : gradients<float>(y, dy, scale, dx);
    return {dx, Tensor()};
  }
};

}  // namespace

Tensor causal_softmax(const Tensor& scores, double scale) {
  const std::int64_t tokens = scores.size(-1);
  if (scores.is_cpu() && has_kernels_for(scores) && scores.numel() > 0)
    return CausalSoftmax::apply(scores.contiguous(), scale);
  const Tensor future = torch::ones({tokens, tokens}, scores.options().dtype(torch::kBool)).triu(1);
  return torch::softmax((scores * scale).masked_fill(future, -INFINITY), -1);
}

}  // namespace glidepath
