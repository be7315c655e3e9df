// src/model/pt2/builtins.h - what programs call that is no operator of LibTorch, or not of every LibTorch.
#pragma once
#include <string>
#include <vector>

#include <ATen/core/function_schema.h>
#include <ATen/core/ivalue.h>
#include <ATen/core/stack.h>

namespace glidepath::pt2 {

/// Computes with sizes: "_operator.floordiv", "torch.ops.aten.sym_size.int". Arguments in their order.
using SizeFunction = c10::IValue (*)(const std::vector<c10::IValue>& arguments);
/// Nothing where there is none of this name.
SizeFunction size_function(const std::string& target);

/// An operator that newer LibTorches have, made of older ones.
struct Composed {
  c10::FunctionSchema schema;
  void (*call)(
      torch::jit::Stack& stack);  ///< takes the schema's arguments off the stack, puts the result on it
};
/// Nullptr where there is none of this name ("aten::rms_norm").
const Composed* composed(const std::string& name);

/// What checks sizes, types and values at the time of export, and is nothing to compute.
bool is_assertion(const std::string& target);

/// Why an operator of LibTorch ("aten::from_file") may not be called by a program; empty where it may.
std::string why_not(const std::string& name);

}  // namespace glidepath::pt2
