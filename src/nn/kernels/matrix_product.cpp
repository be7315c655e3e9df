// src/nn/kernels/matrix_product.cpp - products of float32 matrices, panel by panel.
#include "nn/kernels/matrix_product.h"

#include <algorithm>
#include <vector>

#include "nn/kernels/parallel.h"
#include "nn/kernels/winograd/winograd.h"

namespace glidepath {

torch::Tensor matrix_product(const torch::Tensor& a, const torch::Tensor& b) {
  const std::int64_t rows = a.size(0), terms = a.size(1), columns = b.size(1);
  const winograd::FloatKernels* kernels = winograd::kernels_for(columns);
  const auto fits = [](const torch::Tensor& x) { return x.is_cpu() && x.scalar_type() == torch::kFloat32; };
  if (kernels == nullptr || !fits(a) || !fits(b) || a.numel() == 0 || b.numel() == 0) return torch::mm(a, b);

  const std::int64_t filled = (rows + kernels->rows - 1) / kernels->rows * kernels->rows;
  const std::int64_t panel = kernels->panel, panels = (columns + panel - 1) / panel;
  torch::Tensor left = a.contiguous();
  if (filled != rows) left = torch::constant_pad_nd(left, {0, 0, 0, filled - rows});
  const torch::Tensor right = b.contiguous();
  torch::Tensor product = torch::empty({rows, columns}, a.options());
  const float *from = left.data_ptr<float>(), *factors = right.data_ptr<float>();
  auto* to = product.data_ptr<float>();
  parallel_ranges(panels, 1, [&](std::int64_t begin, std::int64_t end) {
    std::vector<float> packed(static_cast<std::size_t>(terms * panel)),
        sums(static_cast<std::size_t>(filled * panel));
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t first = i * panel, count = std::min(panel, columns - first);
      for (std::int64_t k = 0; k < terms; ++k) {
        std::copy_n(factors + k * columns + first, count, packed.data() + k * panel);
      }
      kernels->multiply(from, filled, terms, packed.data(), sums.data());
      for (std::int64_t r = 0; r < rows; ++r) {
        std::copy_n(sums.data() + r * panel, count, to + r * columns + first);
      }
    }
  });
  return product;
}

}  // namespace glidepath
