// src/model/pt2/input_shapes.cpp - what tensors a program takes.
#include "model/pt2/input_shapes.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <torch/types.h>

#include "core/safe_text.h"
#include "glidepath/error.h"
#include "model/pt2/stored_tensors.h"
#include "model/torch_error.h"

namespace glidepath::pt2 {
namespace {

/// float32 and bfloat16 are what a run's precision makes of the same numbers.
bool are_alike(torch::ScalarType a, torch::ScalarType b) {
  return a == b || (c10::isFloatingType(a) && c10::isFloatingType(b));
}

}  // namespace

InputShapes::InputShapes(std::string file, const Program& program)
    : file_(std::move(file)), ranges_(program.ranges) {
  for (const ProgramInput& input : program.inputs) {
    if (input.kind != InputKind::kUser) continue;
    const auto facts = program.graph.tensors.find(input.argument.names[0]);
    if (facts == program.graph.tensors.end())
      throw InputError(fmt::format("{}: does not say of what shape its input \"{}\" is", file_,
                                   terminal_text(input.argument.names[0])));
    names_.push_back(terminal_text(input.argument.names[0]));
    facts_.push_back(facts->second);
  }
  if (names_.empty()) throw InputError(fmt::format("{}: its forward takes no tensor", file_));
  const auto& first = facts_.front().sizes;
  if (first.empty() || first[0].size >= 0)
    throw InputError(fmt::format(
        "{}: its input \"{}\" is {}, of that many examples and no other; export it for any number: "
        "torch.export.export(module, (inputs,), dynamic_shapes=({{0: torch.export.Dim.AUTO}},))",
        file_, names_.front(), wanted(0)));
}

std::string InputShapes::wanted(std::size_t number) const {
  std::vector<std::string> sizes;
  for (const Extent& size : facts_[number].sizes)
    sizes.push_back(size.size >= 0 ? std::to_string(size.size) : size.symbol.empty() ? "?" : size.symbol);
  return fmt::format("{} [{}]", c10::toString(dtype_of(facts_[number].dtype)),
                     terminal_text(fmt::format("{}", fmt::join(sizes, ", "))));
}

void InputShapes::refuse(std::size_t number, const torch::Tensor& input, const std::string& why) const {
  throw InputError(fmt::format("{}: its input \"{}\" is {}, and is given {}{}", file_, names_[number],
                               wanted(number), shapes_of({input}), why));
}

void InputShapes::check(const Values& inputs) const {
  if (inputs.size() != names_.size())
    throw InputError(fmt::format("{}: its forward takes {} tensor{} ({}), and is given {}", file_,
                                 names_.size(), names_.size() == 1 ? "" : "s", fmt::join(names_, ", "),
                                 inputs.size()));
  std::map<std::string, std::int64_t> symbols;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const TensorFacts& facts = facts_[i];
    const torch::Tensor& input = inputs[i];
    if (input.dim() != static_cast<std::int64_t>(facts.sizes.size()) ||
        !are_alike(input.scalar_type(), dtype_of(facts.dtype)))
      refuse(i, input, "");
    for (std::size_t d = 0; d < facts.sizes.size(); ++d) {
      const Extent& wanted = facts.sizes[d];
      const std::int64_t size = input.size(static_cast<std::int64_t>(d));
      if (wanted.size >= 0 && wanted.size != size) refuse(i, input, "");
      if (wanted.symbol.empty()) continue;
      if (symbols.emplace(wanted.symbol, size).first->second != size)
        refuse(
            i, input,
            fmt::format("; another input has {} = {}", terminal_text(wanted.symbol), symbols[wanted.symbol]));
      const auto range = ranges_.find(wanted.symbol);
      if (range == ranges_.end()) continue;
      // PyTorch notes 2 for what it was not asked to be less, and takes 1 all the same.
      const auto [least, most] = range->second;
      if ((least > 2 && size < least) || (most >= 0 && size > most))
        refuse(i, input,
               fmt::format("; {} is {} to {}", terminal_text(wanted.symbol), least,
                           most < 0 ? "any" : std::to_string(most)));
    }
  }
}

bool InputShapes::takes_any_size() const {
  const auto& sizes = facts_.front().sizes;
  return sizes.size() <= 2 ||
         std::all_of(sizes.begin() + 2, sizes.end(), [](const Extent& each) { return each.size < 0; });
}

}  // namespace glidepath::pt2
