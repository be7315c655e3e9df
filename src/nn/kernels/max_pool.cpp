// src/nn/kernels/max_pool.cpp - the largest of each square of four pixels.
#include "nn/kernels/max_pool.h"

#include <algorithm>

#include <torch/csrc/autograd/custom_function.h>

#include "nn/kernels/max_pool_kernels.h"
#include "nn/kernels/own_operator.h"
#include "nn/kernels/parallel.h"

namespace glidepath {
namespace {

using torch::Tensor;

constexpr auto kChannelsLast = torch::MemoryFormat::ChannelsLast;
constexpr std::int64_t kPoolGrain = 32768;  // numbers of a thread's rows

/// Calls body(offset of the upper row of x, offset of the row of outputs, columns) for all rows of outputs,
/// which are divided among threads. x is [N, H, W, C] in memory.
template <typename Body>
void for_rows(torch::IntArrayRef sizes, const Body& body) {
  const std::int64_t channels = sizes[1], height = sizes[2], width = sizes[3];
  const std::int64_t rows = height / 2, columns = width / 2, of_row = columns * channels;
  parallel_ranges(sizes[0] * rows, std::max<std::int64_t>(1, kPoolGrain / of_row),
                  [&](std::int64_t begin, std::int64_t end) {
                    for (std::int64_t row = begin; row < end; ++row) {
                      const std::int64_t upper = (row / rows * height + row % rows * 2) * width;
                      body(upper * channels, row * of_row, columns);
                    }
                  });
}

template <typename T>
void pool(const Tensor& x, const Tensor& y, const Tensor& which) {
  const auto* from = static_cast<const T*>(x.data_ptr());
  auto* to = static_cast<T*>(y.data_ptr());
  auto* places = which.data_ptr<std::uint8_t>();
  const std::int64_t channels = x.size(1), next = x.size(3) * channels;
  for_rows(x.sizes(), [&](std::int64_t upper, std::int64_t out, std::int64_t columns) {
    largest_of_squares(from + upper, from + upper + next, to + out, places + out, columns, channels);
  });
}

template <typename T>
void spread(const Tensor& dy, const Tensor& which, const Tensor& dx) {
  const auto* from = static_cast<const T*>(dy.data_ptr());
  auto* to = static_cast<T*>(dx.data_ptr());
  const auto* places = which.data_ptr<std::uint8_t>();
  const std::int64_t channels = dx.size(1), next = dx.size(3) * channels, of_image = dx.size(2) * next;
  for_rows(dx.sizes(), [&](std::int64_t upper, std::int64_t out, std::int64_t columns) {
    gradients_of_squares(from + out, places + out, to + upper, to + upper + next, columns, channels);
    // A last column, and a last row, are in no square.
    const std::int64_t rest = next - 2 * columns * channels, below = upper + 2 * next;
    std::fill_n(to + upper + next - rest, rest, T{0});
    std::fill_n(to + below - rest, rest, T{0});
    if (below % of_image == of_image - next) std::fill_n(to + below, next, T{0});
  });
}

Tensor like(const Tensor& x, torch::IntArrayRef sizes, torch::ScalarType kind) {
  return torch::empty(sizes, x.options().dtype(kind).memory_format(kChannelsLast));
}

class MaxPool : public torch::autograd::Function<MaxPool> {
 public:
  static Tensor forward(torch::autograd::AutogradContext* context, const Tensor& x) {
    const std::int64_t sizes[] = {x.size(0), x.size(1), x.size(2) / 2, x.size(3) / 2};
    Tensor y = like(x, sizes, x.scalar_type()), which = like(x, sizes, torch::kUInt8);
    x.scalar_type() == torch::kBFloat16 ? pool<Bf16>(x, y, which) : pool<float>(x, y, which);
    context->save_for_backward({which});
    context->saved_data["sizes"] = x.sizes().vec();
    return y;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    refuse_second_derivative("max_pool: has no second derivative on the CPU; use torch::max_pool2d for it");
    const Tensor which = context->get_saved_variables()[0];
    const Tensor dy = gradients[0].contiguous(kChannelsLast);
    const auto sizes = context->saved_data["sizes"].toIntVector();
    Tensor dx = like(dy, sizes, dy.scalar_type());
    dy.scalar_type() == torch::kBFloat16 ? spread<Bf16>(dy, which, dx) : spread<float>(dy, which, dx);
    return {dx};
  }
};

}  // namespace

Tensor max_pool(const Tensor& x) {
  const bool fits = x.is_cpu() && has_kernels_for(x) && x.dim() == 4 && x.is_contiguous(kChannelsLast) &&
                    x.numel() > 0 && x.size(2) >= 2 && x.size(3) >= 2;
  return fits ? MaxPool::apply(x) : torch::max_pool2d(x, 2);
}

}  // namespace glidepath
