// src/model/pt2/builtins.cpp - what programs call that is no operator of LibTorch, or not of every LibTorch.
#include "model/pt2/builtins.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <map>

#include <torch/csrc/jit/frontend/function_schema_parser.h>
#include <torch/types.h>

#include "model/pt2/json_fields.h"

namespace glidepath::pt2 {
namespace {

using c10::IValue;
using Arguments = std::vector<IValue>;

const IValue& argument(const Arguments& arguments, std::size_t i) {
  if (i >= arguments.size()) throw WrongJson("has too few arguments");
  return arguments[i];
}

bool is_whole(const IValue& value) { return value.isInt() || value.isBool(); }

std::int64_t whole(const Arguments& arguments, std::size_t i) {
  const IValue& value = argument(arguments, i);
  if (!is_whole(value)) throw WrongJson("has an argument that is no whole number");
  return value.isBool() ? (value.toBool() ? 1 : 0) : value.toInt();
}

double real(const Arguments& arguments, std::size_t i) {
  const IValue& value = argument(arguments, i);
  return value.isDouble() ? value.toDouble() : static_cast<double>(whole(arguments, i));
}

bool are_whole(const Arguments& arguments) {
  return std::all_of(arguments.begin(), arguments.end(), is_whole);
}

[[noreturn]] void too_large() { throw WrongJson("gives a size that is too large"); }

IValue add_sizes(const Arguments& arguments) {
  if (!are_whole(arguments)) return real(arguments, 0) + real(arguments, 1);
  std::int64_t sum = 0;
  if (__builtin_add_overflow(whole(arguments, 0), whole(arguments, 1), &sum)) too_large();
  return sum;
}

IValue subtract_sizes(const Arguments& arguments) {
  if (!are_whole(arguments)) return real(arguments, 0) - real(arguments, 1);
  std::int64_t difference = 0;
  if (__builtin_sub_overflow(whole(arguments, 0), whole(arguments, 1), &difference)) too_large();
  return difference;
}

IValue multiply_sizes(const Arguments& arguments) {
  if (!are_whole(arguments)) return real(arguments, 0) * real(arguments, 1);
  std::int64_t product = 0;
  if (__builtin_mul_overflow(whole(arguments, 0), whole(arguments, 1), &product)) too_large();
  return product;
}

/// Rounded down, as Python divides.
std::int64_t floor_of(std::int64_t a, std::int64_t b) {
  if (b == 0) throw WrongJson("divides a size by 0");
  if (b == -1) {
    std::int64_t negative = 0;
    if (__builtin_sub_overflow(std::int64_t{0}, a, &negative)) too_large();
    return negative;
  }
  return a / b - (a % b != 0 && (a % b < 0) != (b < 0) ? 1 : 0);
}

IValue divide_sizes(const Arguments& arguments) {
  if (!are_whole(arguments)) return std::floor(real(arguments, 0) / real(arguments, 1));
  return floor_of(whole(arguments, 0), whole(arguments, 1));
}

IValue rest_of_sizes(const Arguments& arguments) {
  const std::int64_t a = whole(arguments, 0), b = whole(arguments, 1);
  return b == -1 ? std::int64_t{0} : a - floor_of(a, b) * b;
}

IValue power_of_size(const Arguments& arguments) {
  const double power = std::pow(real(arguments, 0), real(arguments, 1));
  if (!are_whole(arguments) || whole(arguments, 1) < 0) return power;
  if (!(std::abs(power) < 9e15)) too_large();  // those that a double has exactly
  return static_cast<std::int64_t>(power);
}

IValue truncated(const Arguments& arguments) {
  if (is_whole(argument(arguments, 0))) return whole(arguments, 0);
  const double value = real(arguments, 0);
  if (!(std::abs(value) < 9e15)) too_large();
  return static_cast<std::int64_t>(value);
}

template <typename Compare>
IValue compared(const Arguments& arguments) {
  if (are_whole(arguments)) return Compare()(whole(arguments, 0), whole(arguments, 1));
  return Compare()(real(arguments, 0), real(arguments, 1));
}

template <bool kLargest>
IValue extreme(const Arguments& arguments) {
  const bool is_first = (real(arguments, 0) < real(arguments, 1)) != kLargest;
  return argument(arguments, is_first ? 0 : 1);
}

torch::Tensor tensor_in(const Arguments& arguments) {
  const IValue& value = argument(arguments, 0);
  if (!value.isTensor()) throw WrongJson("has an argument that is no tensor");
  return value.toTensor();
}

const std::map<std::string, SizeFunction>& size_functions() {
  static const std::map<std::string, SizeFunction> functions{
      {"torch.ops.aten.sym_size.int",
       [](const Arguments& a) -> IValue { return tensor_in(a).size(whole(a, 1)); }},
      {"torch.ops.aten.sym_stride.int",
       [](const Arguments& a) -> IValue { return tensor_in(a).stride(whole(a, 1)); }},
      {"torch.ops.aten.sym_numel.default", [](const Arguments& a) -> IValue { return tensor_in(a).numel(); }},
      {"_operator.add", add_sizes},
      {"_operator.sub", subtract_sizes},
      {"_operator.mul", multiply_sizes},
      {"_operator.floordiv", divide_sizes},
      {"_operator.mod", rest_of_sizes},
      {"_operator.pow", power_of_size},
      {"_operator.truediv", [](const Arguments& a) -> IValue { return real(a, 0) / real(a, 1); }},
      {"_operator.neg",
       [](const Arguments& a) -> IValue {
         return subtract_sizes({std::int64_t{0}, argument(a, 0)});
       }},
      {"_operator.pos", [](const Arguments& a) -> IValue { return argument(a, 0); }},
      {"_operator.eq", compared<std::equal_to<>>},
      {"_operator.ne", compared<std::not_equal_to<>>},
      {"_operator.lt", compared<std::less<>>},
      {"_operator.le", compared<std::less_equal<>>},
      {"_operator.gt", compared<std::greater<>>},
      {"_operator.ge", compared<std::greater_equal<>>},
      {"_operator.and_", [](const Arguments& a) -> IValue { return whole(a, 0) != 0 && whole(a, 1) != 0; }},
      {"_operator.or_", [](const Arguments& a) -> IValue { return whole(a, 0) != 0 || whole(a, 1) != 0; }},
      {"math.trunc", truncated},
      {"torch.sym_int", truncated},
      {"torch.sym_float", [](const Arguments& a) -> IValue { return real(a, 0); }},
      {"torch.sym_not", [](const Arguments& a) -> IValue { return whole(a, 0) == 0; }},
      {"torch.sym_max", extreme<true>},
      {"torch.sym_min", extreme<false>},
      {"torch.sym_ite", [](const Arguments& a) -> IValue { return argument(a, whole(a, 0) != 0 ? 1 : 2); }},
  };
  return functions;
}

/// softmax(q k^T scale + mask) v. A query that may look at nothing gets 0, as in PyTorch.
void attention(torch::jit::Stack& stack) {
  const auto arguments = torch::jit::last(stack, 8);
  const torch::Tensor query = arguments[0].toTensor();
  torch::Tensor key = arguments[1].toTensor(), value = arguments[2].toTensor();
  auto mask = arguments[3].toOptional<torch::Tensor>();
  const double dropout = arguments[4].toDouble();
  const bool is_causal = arguments[5].toBool();
  const double scale =
      arguments[6].isNone() ? 1 / std::sqrt(static_cast<double>(query.size(-1))) : arguments[6].toDouble();
  if (arguments[7].toBool()) {  // several heads of the query for each of the others
    key = key.repeat_interleave(query.size(-3) / key.size(-3), -3);
    value = value.repeat_interleave(query.size(-3) / value.size(-3), -3);
  }
  if (is_causal) mask = at::ones({query.size(-2), key.size(-2)}, query.options().dtype(torch::kBool)).tril();
  torch::Tensor scores = at::matmul(query * scale, key.transpose(-2, -1));
  torch::Tensor blind;
  if (mask && mask->scalar_type() == torch::kBool) {
    blind = mask->logical_not().all(-1, true);
    scores =
        scores.masked_fill(mask->logical_or(blind).logical_not(), -std::numeric_limits<double>::infinity());
  } else if (mask) {
    scores = scores + *mask;
  }
  torch::Tensor shares = at::softmax(scores, -1);
  if (blind.defined()) shares = shares.masked_fill(blind, 0);
  if (dropout > 0) shares = at::dropout(shares, dropout, true);
  torch::Tensor result = at::matmul(shares, value);
  torch::jit::drop(stack, 8);
  torch::jit::push(stack, std::move(result));
}

/// x / sqrt(mean(x^2) + eps), by weight.
void rms_norm(torch::jit::Stack& stack) {
  const auto arguments = torch::jit::last(stack, 4);
  const torch::Tensor input = arguments[0].toTensor();
  std::vector<std::int64_t> over;
  for (std::size_t i = 1; i <= arguments[1].toIntVector().size(); ++i)
    over.push_back(-static_cast<std::int64_t>(i));
  const auto weight = arguments[2].toOptional<torch::Tensor>();
  const torch::Tensor wide = input.scalar_type() == torch::kFloat64 ? input : input.to(torch::kFloat32);
  const double eps = !arguments[3].isNone()                  ? arguments[3].toDouble()
                     : wide.scalar_type() == torch::kFloat64 ? std::numeric_limits<double>::epsilon()
                                                             : std::numeric_limits<float>::epsilon();
  torch::Tensor result = (wide * at::rsqrt(wide.square().mean(over, true) + eps)).to(input.scalar_type());
  if (weight && weight->defined()) result = result * *weight;
  torch::jit::drop(stack, 4);
  torch::jit::push(stack, std::move(result));
}

}  // namespace

SizeFunction size_function(const std::string& target) {
  const auto found = size_functions().find(target);
  return found == size_functions().end() ? nullptr : found->second;
}

const Composed* composed(const std::string& name) {
  static const std::map<std::string, Composed> all{
      {"aten::scaled_dot_product_attention",
       {torch::jit::parseSchema("aten::scaled_dot_product_attention(Tensor query, Tensor key, Tensor value, "
                                "Tensor? attn_mask=None, "
                                "float dropout_p=0.0, bool is_causal=False, *, float? scale=None, bool "
                                "enable_gqa=False) -> Tensor"),
        attention}},
      {"aten::rms_norm",
       {torch::jit::parseSchema("aten::rms_norm(Tensor input, int[] normalized_shape, Tensor? weight=None, "
                                "float? eps=None) -> Tensor"),
        rms_norm}},
  };
  const auto found = all.find(name);
  return found == all.end() ? nullptr : &found->second;
}

bool is_assertion(const std::string& target) {
  static const char* const kAssertions[] = {"torch.ops.aten._assert_tensor_metadata.default",
                                            "torch.ops.aten._assert_scalar.default",
                                            "torch.ops.aten._assert_async.msg",
                                            "torch.ops.aten._assert_async.default",
                                            "torch.ops.aten.sym_constrain_range.default",
                                            "torch.ops.aten.sym_constrain_range_for_size.default"};
  return std::find(std::begin(kAssertions), std::end(kAssertions), target) != std::end(kAssertions);
}

std::string why_not(const std::string& name) {
  const auto is_one_of = [&](std::initializer_list<const char*> names) {
    return std::any_of(names.begin(), names.end(), [&](const char* each) { return name == each; });
  };
  if (is_one_of({"aten::from_file"})) return "opens files";
  if (is_one_of({"aten::as_strided", "aten::as_strided_", "aten::set_", "aten::set_data", "aten::resize_",
                 "aten::resize_as_"}))
    return "depends on how tensors lie in memory";
  // Some of them take indices on trust.
  if (name.find("sparse") != std::string::npos || name.find("nested") != std::string::npos)
    return "is of tensors that are not dense";
  if (is_one_of({"aten::native_batch_norm", "aten::_native_batch_norm_legit",
                 "aten::_native_batch_norm_legit_functional", "aten::_native_batch_norm_legit_no_training",
                 "aten::_batch_norm_with_update", "aten::_batch_norm_no_update", "aten::cudnn_batch_norm"}))
    return "is of a program after run_decompositions(), which has one mode alone; save it before";
  return {};
}

}  // namespace glidepath::pt2
