// src/task/shapes.h - outputs and targets that do not fit each other, told.
#pragma once
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <torch/types.h>

#include "glidepath/error.h"

namespace glidepath {

/// Throws InputError.
[[noreturn]] inline void refuse_shapes(const char* task, const torch::Tensor& outputs,
                                       const torch::Tensor& targets, const char* wanted) {
  throw InputError(fmt::format("task \"{}\": the model gives [{}] for targets [{}]; wants {}", task,
                               fmt::join(outputs.sizes(), ", "), fmt::join(targets.sizes(), ", "), wanted));
}

}  // namespace glidepath
