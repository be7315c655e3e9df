// src/nn/kernels/parallel.h - loops divided among LibTorch's own threads.
#pragma once
#include <cstdint>
#include <functional>

namespace glidepath {

/// Runs body(begin, end) over parts of [0, count), each at least `grain` long but for the last, on as many
/// threads as torch::get_num_threads() says. An exception of `body` reaches the caller.
///
/// Not at::parallel_for: that is a template, compiled here. Without OpenMP's compiler flag it runs on one
/// thread and says nothing; with it, there would be a second OpenMP library, with threads of its own, beside
/// the one that LibTorch's wheels carry.
void parallel_ranges(std::int64_t count, std::int64_t grain,
                     const std::function<void(std::int64_t begin, std::int64_t end)>& body);

}  // namespace glidepath
