// src/nn/kernels/gelu.cpp - the Gaussian error linear unit.
#include "nn/kernels/gelu.h"

#include <torch/csrc/autograd/custom_function.h>

#include "nn/kernels/gelu_kernels.h"
#include "nn/kernels/own_operator.h"
#include "nn/kernels/parallel.h"

namespace glidepath {
namespace {

using torch::Tensor;

constexpr std::int64_t kGrain = 8192;

template <typename T>
T* numbers_of(const Tensor& tensor, std::int64_t first) {
  return static_cast<T*>(tensor.data_ptr()) + first;
}

template <typename T>
void values(const Tensor& x, const Tensor& y) {
  parallel_ranges(x.numel(), kGrain, [&](std::int64_t begin, std::int64_t end) {
    gelu_values(numbers_of<T>(x, begin), numbers_of<T>(y, begin), end - begin);
  });
}

template <typename T>
void gradients(const Tensor& x, const Tensor& dy, const Tensor& dx) {
  parallel_ranges(x.numel(), kGrain, [&](std::int64_t begin, std::int64_t end) {
    gelu_gradients(numbers_of<T>(x, begin), numbers_of<T>(dy, begin), numbers_of<T>(dx, begin), end - begin);
  });
}

class Gelu : public torch::autograd::Function<Gelu> {
 public:
  static Tensor forward(torch::autograd::AutogradContext* context, const Tensor& x) {
    Tensor y = torch::empty_like(x);
    x.scalar_type() == torch::kBFloat16 ? values<Bf16>(x, y) : values<float>(x, y);
    context->save_for_backward({x});
    return y;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list given) {
    refuse_second_derivative("gelu: has no second derivative on the CPU; use torch::gelu for it");
    const Tensor x = context->get_saved_variables()[0];
    const Tensor dy = given[0].to(x.scalar_type()).contiguous(x.suggest_memory_format());
    Tensor dx = torch::empty_like(x);
    x.scalar_type() == torch::kBFloat16 ? gradients<Bf16>(x, dy, dx) : gradients<float>(x, dy, dx);
    return {dx};
  }
};

}  // namespace

Tensor gelu(const Tensor& x) {
  const bool fits = x.is_cpu() && has_kernels_for(x) && x.is_contiguous(x.suggest_memory_format());
  return fits ? Gelu::apply(x) : torch::gelu(x);
}

}  // namespace glidepath
