// src/measure/gradient_kernels.cpp - sums over gradients in double, one pass each.
#include "measure/gradient_kernels.h"

#include <algorithm>

#include <ATen/core/grad_mode.h>
#include <torch/types.h>

#include "measure/gradient_loops.h"
#include "nn/kernels/parallel.h"

namespace glidepath {
namespace {

constexpr std::int64_t kBlock = 16384;

bool has_loops(const torch::Tensor& tensor) {
  return tensor.is_cpu() && tensor.scalar_type() == torch::kFloat32;
}

// Products of 16-bit numbers would be rounded to 16 bits.
torch::Tensor widened(const torch::Tensor& tensor) {
  return tensor.element_size() < 4 ? tensor.to(torch::kFloat32) : tensor;
}

double product_on_cpu(const torch::Tensor& a, const torch::Tensor& b) {
  const auto* x = a.data_ptr<float>();
  const auto* y = b.data_ptr<float>();
  const std::int64_t count = a.numel(), blocks = (count + kBlock - 1) / kBlock;
  if (blocks == 1) return block_product(x, y, count);
  std::vector<double> sums(static_cast<std::size_t>(blocks));
  parallel_ranges(blocks, 4, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t block = begin; block < end; ++block) {
      const std::int64_t first = block * kBlock;
      sums[static_cast<std::size_t>(block)] =
          block_product(x + first, y + first, std::min(kBlock, count - first));
    }
  });
  double sum = 0;
  for (const double part : sums) sum += part;
  return sum;
}

}  // namespace

double inner_product(const Tensors& a, const Tensors& b) {
  const at::NoGradGuard no_grad;
  double sum = 0;
  torch::Tensor elsewhere;  // one wait for the device, not one a tensor
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (has_loops(a[i]) && has_loops(b[i])) {
      sum += product_on_cpu(a[i], b[i]);
    } else {
      const auto product = (widened(a[i]) * widened(b[i])).sum(torch::kFloat64);
      elsewhere = elsewhere.defined() ? elsewhere + product : product;
    }
  }
  return elsewhere.defined() ? sum + elsewhere.item<double>() : sum;
}

void add_scaled(Tensors& sum, const Tensors& gradients, double weight) {
  const at::NoGradGuard no_grad;
  for (std::size_t i = 0; i < sum.size(); ++i) {
    if (!has_loops(gradients[i])) {
      sum[i].add_(gradients[i].as_strided({gradients[i].numel()}, {1}), weight);
      continue;
    }
    auto* to = sum[i].data_ptr<double>();
    const auto* from = gradients[i].data_ptr<float>();
    parallel_ranges(sum[i].numel(), kBlock, [&](std::int64_t begin, std::int64_t end) {
      add_range(to + begin, from + begin, end - begin, weight);
    });
  }
}

Tensors in_order_of(Tensors tensors, const Tensors& parameters) {
  const at::NoGradGuard no_grad;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    if (!tensors[i].defined()) {
      tensors[i] = torch::zeros_like(parameters[i]);
      continue;
    }
    if (tensors[i].is_sparse()) tensors[i] = tensors[i].to_dense();  // an embedding's
    // A gradient may come in another memory format than its weight, for 1x1 convolutions for example.
    if (tensors[i].strides() != parameters[i].strides())
      tensors[i] = torch::empty_like(parameters[i]).copy_(tensors[i]);
  }
  return tensors;
}

}  // namespace glidepath
