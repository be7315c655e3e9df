// src/model/pt2/slot.h - an argument of an operator, as it is handed over in each call.
#pragma once
#include <string>
#include <utility>
#include <vector>

#include <ATen/core/function_schema.h>
#include <ATen/core/ivalue.h>
#include <torch/types.h>

#include "model/pt2/program.h"

namespace glidepath::pt2 {

/// The values of a call of a graph, by number.
using Registers = std::vector<c10::IValue>;

/// Which number a name has, while a graph is made ready. Names are defined once, before they are used.
class Names {
 public:
  /// Throws WrongJson for a name that is there.
  int define(const std::string& name);
  /// Throws WrongJson for one that is not.
  int find(const std::string& name) const;
  int count() const { return next_; }

 private:
  std::map<std::string, int> numbers_;
  int next_ = 0;
};

/// What an argument is in every call: a value that stays, or one made of registers.
class Slot {
 public:
  /// Of an argument that a node gives, for the type that the operator's schema has there. Throws WrongJson
  /// for one that does not fit.
  static Slot of(const Argument& given, const c10::TypePtr& type, int list_length, const Names& names);
  /// As the program has it, for what has no schema.
  static Slot plain(const Argument& given, const Names& names);
  static Slot constant(c10::IValue value);

  c10::IValue value(const Registers& registers, const torch::Device& device) const;
  /// The registers that it reads.
  const std::vector<int>& reads() const { return registers_; }
  /// Of one that stays.
  const c10::IValue& constant_value() const { return constant_; }
  /// The register of a single tensor; -1 for anything else.
  int tensor_register() const { return form_ == Form::kOne && registers_.size() == 1 ? registers_[0] : -1; }

 private:
  static Slot of_list(const Argument& given, c10::TypeKind item, int length, const Names& names);

  enum class Form { kConstant, kOne, kTensors, kOptionalTensors, kInts, kDevice };

  Form form_ = Form::kConstant;
  c10::TypeKind wanted_ = c10::TypeKind::AnyType;  // of kOne
  c10::IValue constant_;
  std::vector<int> registers_;  // of lists one for each item, -1 where `ints_` has it or there is none
  std::vector<std::int64_t> ints_;
};

/// A number as an operator takes it that wants a tensor: it does not decide on the type of the result.
torch::Tensor wrapped_number(const c10::Scalar& number);

}  // namespace glidepath::pt2
