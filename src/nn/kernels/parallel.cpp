// src/nn/kernels/parallel.cpp - loops divided among LibTorch's own threads.
#include "nn/kernels/parallel.h"

#include <ATen/Parallel.h>
#include <ATen/TensorIterator.h>
#include <torch/types.h>

namespace glidepath {

// The loop over a tensor's elements is what the library offers of its threads in compiled form: here over
// bytes that are never touched, only counted from.
void parallel_ranges(std::int64_t count, std::int64_t grain,
                     const std::function<void(std::int64_t, std::int64_t)>& body) {
  if (count <= 0) return;
  if (count <= grain || at::get_num_threads() == 1) return body(0, count);
  torch::Tensor marks = torch::empty({count}, torch::kUInt8);
  const auto* base = static_cast<const char*>(marks.data_ptr());
  auto elements = at::TensorIterator::nullary_op(marks);
  elements.for_each(
      [&](char** data, const std::int64_t*, std::int64_t size, std::int64_t rows) {
        const std::int64_t begin = data[0] - base;
        body(begin, begin + size * rows);
      },
      grain);
}

}  // namespace glidepath
