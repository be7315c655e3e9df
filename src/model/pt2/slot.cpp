// src/model/pt2/slot.cpp - an argument of an operator, as it is handed over in each call.
#include "model/pt2/slot.h"

#include <algorithm>

#include <ATen/ScalarOps.h>
#include <fmt/format.h>

#include "core/safe_text.h"
#include "model/pt2/json_fields.h"
#include "model/pt2/stored_tensors.h"

namespace glidepath::pt2 {
namespace {

using c10::IValue;
using c10::TypeKind;

constexpr std::int64_t kMostList = 1 << 20;

[[noreturn]] void refuse_argument(const Argument& given, const std::string& wanted) {
  throw WrongJson(
      fmt::format("argument \"{}\" is something else than {}", terminal_text(given.name), wanted));
}

c10::MemoryFormat memory_format_of(const Argument& given) {
  using c10::MemoryFormat;
  constexpr MemoryFormat kFormats[] = {MemoryFormat::Contiguous, MemoryFormat::ChannelsLast,
                                       MemoryFormat::ChannelsLast3d, MemoryFormat::Preserve};
  const std::int64_t number = given.ints.at(0);
  if (number < 1 || number > 4) refuse_argument(given, "a memory format");
  return kFormats[number - 1];
}

/// Numbers of the schema for what LibTorch has enums of; as integers they are what operators take.
IValue enum_of(const Argument& given) {
  switch (given.kind) {
    case Kind::kDtype: {
      const torch::ScalarType type = dtype_of(given.ints.at(0));
      if (type == torch::ScalarType::Undefined)
        throw WrongJson(fmt::format("argument \"{}\" is the dtype {} of the schema, which is not supported",
                                    terminal_text(given.name), given.ints.at(0)));
      return static_cast<std::int64_t>(type);
    }
    case Kind::kMemoryFormat:
      return static_cast<std::int64_t>(memory_format_of(given));
    case Kind::kLayout:
      if (given.ints.at(0) != 7) refuse_argument(given, "the layout of dense tensors");
      return static_cast<std::int64_t>(c10::Layout::Strided);
    default:
      refuse_argument(given, "a number");
  }
}

bool is_symbol(const Argument& given) { return !given.names.empty() && !given.names[0].empty(); }

/// One number; a list for which the operator takes one for all.
std::vector<std::int64_t> whole_list(const Argument& given, int length) {
  if (given.kind == Kind::kInt && !is_symbol(given) && length > 0)
    return std::vector<std::int64_t>(static_cast<std::size_t>(length), given.ints.at(0));
  if (given.kind != Kind::kInts) refuse_argument(given, "a list of whole numbers");
  return given.ints;
}

IValue real_list(const Argument& given) {
  if (given.kind == Kind::kInts) return std::vector<double>(given.ints.begin(), given.ints.end());
  if (given.kind != Kind::kFloats) refuse_argument(given, "a list of numbers");
  return given.floats;
}

IValue bool_list(const Argument& given) {
  if (given.kind != Kind::kBools && !(given.kind == Kind::kInts && given.ints.empty()))
    refuse_argument(given, "a list of true and false");
  c10::List<bool> list;
  for (const std::int64_t each : given.ints) list.push_back(each != 0);
  return list;
}

IValue number_list(const Argument& given) {
  c10::List<c10::Scalar> list;
  if (given.kind == Kind::kFloats) {
    for (const double each : given.floats) list.push_back(each);
  } else if (given.kind == Kind::kInts) {
    for (const std::int64_t each : given.ints) list.push_back(each);
  } else {
    refuse_argument(given, "a list of numbers");
  }
  return list;
}

/// A value that a register holds, as an operator wants it.
IValue fitted(const IValue& value, TypeKind wanted) {
  const bool is_number = value.isInt() || value.isDouble() || value.isBool();
  switch (wanted) {
    case TypeKind::TensorType:
      if (is_number) return wrapped_number(value.toScalar());
      break;
    case TypeKind::FloatType:
      if (value.isInt()) return static_cast<double>(value.toInt());
      break;
    case TypeKind::IntType:
      if (value.isBool()) return static_cast<std::int64_t>(value.toBool());
      break;
    default:
      break;
  }
  return value;
}

IValue plain_constant(const Argument& given) {
  switch (given.kind) {
    case Kind::kNone:
      return {};
    case Kind::kBool:
      return given.ints.at(0) != 0;
    case Kind::kInt:
      return given.ints.at(0);
    case Kind::kFloat:
      return given.floats.at(0);
    case Kind::kString:
      return given.text;
    case Kind::kDtype:
    case Kind::kMemoryFormat:
    case Kind::kLayout:
      return enum_of(given);
    default:
      refuse_argument(given, "what is known here");
  }
}

/// One that stays, for the schema's type.
IValue constant_of(const Argument& given, TypeKind wanted) {
  const IValue value = plain_constant(given);
  switch (wanted) {
    case TypeKind::TensorType:
    case TypeKind::FloatType:
    case TypeKind::NumberType:
      if (!value.isInt() && !value.isDouble() && !value.isBool()) refuse_argument(given, "a number");
      return fitted(value, wanted);
    case TypeKind::IntType:
      if (!value.isInt() && !value.isBool()) refuse_argument(given, "a whole number");
      return fitted(value, wanted);
    case TypeKind::BoolType:
      if (value.isInt()) return value.toInt() != 0;
      if (!value.isBool()) refuse_argument(given, "true or false");
      return value;
    case TypeKind::StringType:
      if (!value.isString()) refuse_argument(given, "a text");
      return value;
    default:
      // Kinds that newer versions have types of their own for: dtypes, layouts, memory formats.
      if (!value.isInt()) refuse_argument(given, "what the operator takes");
      return value;
  }
}

}  // namespace

torch::Tensor wrapped_number(const c10::Scalar& number) {
  torch::Tensor tensor = c10::scalar_to_tensor(number);
  tensor.unsafeGetTensorImpl()->set_wrapped_number(true);
  return tensor;
}

int Names::define(const std::string& name) {
  if (!numbers_.emplace(name, next_).second)
    throw WrongJson(fmt::format("defines \"{}\" twice", terminal_text(name)));
  return next_++;
}

int Names::find(const std::string& name) const {
  const auto found = numbers_.find(name);
  if (found == numbers_.end())
    throw WrongJson(fmt::format("uses \"{}\" before it is defined", terminal_text(name)));
  return found->second;
}

Slot Slot::constant(IValue value) {
  Slot slot;
  slot.constant_ = std::move(value);
  return slot;
}

Slot Slot::plain(const Argument& given, const Names& names) {
  const bool is_one =
      given.kind == Kind::kTensor ||
      ((given.kind == Kind::kInt || given.kind == Kind::kFloat || given.kind == Kind::kBool) &&
       is_symbol(given));
  if (!is_one) return constant(plain_constant(given));
  Slot slot;
  slot.form_ = Form::kOne;
  slot.registers_ = {names.find(given.names.at(0))};
  return slot;
}

Slot Slot::of(const Argument& given, const c10::TypePtr& type, int list_length, const Names& names) {
  const bool is_tensor = type->kind() == TypeKind::TensorType;
  const bool is_one_of_tensors = given.kind == Kind::kOptionalTensors && given.names.size() == 1;
  if (const auto optional = type->cast<c10::OptionalType>()) {
    const bool is_none = is_one_of_tensors && given.names[0].empty() &&
                         optional->getElementType()->kind() == TypeKind::TensorType;
    if (given.kind == Kind::kNone || is_none) return constant({});
    return of(given, optional->getElementType(), list_length, names);
  }
  Slot slot;
  if (given.kind == Kind::kDevice || type->kind() == TypeKind::DeviceObjType) {
    if (given.kind != Kind::kDevice) refuse_argument(given, "a device");
    slot.form_ = Form::kDevice;
    return slot;
  }
  if (given.kind == Kind::kTensor || (is_tensor && is_one_of_tensors)) {
    if (!is_tensor) refuse_argument(given, "the operator takes");
    slot.form_ = Form::kOne;
    slot.registers_ = {names.find(given.names.at(0))};
    return slot;
  }
  if (const auto list = type->cast<c10::ListType>())
    return of_list(given, list->getElementType()->kind(), list_length, names);
  slot = plain(given, names);
  if (slot.form_ != Form::kOne) return constant(constant_of(given, type->kind()));
  slot.wanted_ = type->kind();
  return slot;
}

Slot Slot::of_list(const Argument& given, TypeKind item, int length, const Names& names) {
  Slot slot;
  if (static_cast<std::int64_t>(given.ints.size()) > kMostList) refuse_argument(given, "a short list");
  switch (item) {
    case TypeKind::TensorType:
    case TypeKind::OptionalType:  // of tensors, as indices are
      slot.form_ = item == TypeKind::TensorType ? Form::kTensors : Form::kOptionalTensors;
      if (given.kind != Kind::kTensors && given.kind != Kind::kOptionalTensors &&
          (given.kind != Kind::kInts || !given.ints.empty()))  // an empty list is one of anything
        refuse_argument(given, "a list of tensors");
      break;
    case TypeKind::FloatType:
      return constant(real_list(given));
    case TypeKind::BoolType:
      return constant(bool_list(given));
    case TypeKind::NumberType:
      return constant(number_list(given));
    default:
      slot.form_ = Form::kInts;
      slot.ints_ = whole_list(given, length);
      if (std::all_of(given.names.begin(), given.names.end(), [](const auto& name) { return name.empty(); }))
        return constant(slot.ints_);
  }
  for (const std::string& name : given.names) {
    if (name.empty() && slot.form_ == Form::kTensors) refuse_argument(given, "a list of tensors");
    slot.registers_.push_back(name.empty() ? -1 : names.find(name));
  }
  return slot;
}

IValue Slot::value(const Registers& registers, const torch::Device& device) const {
  const auto at = [&](int number) -> const IValue& { return registers[static_cast<std::size_t>(number)]; };
  switch (form_) {
    case Form::kConstant:
      return constant_;
    case Form::kDevice:
      return device;
    case Form::kOne:
      return fitted(at(registers_[0]), wanted_);
    case Form::kTensors: {
      c10::List<torch::Tensor> list;
      for (const int each : registers_) list.push_back(at(each).toTensor());
      return list;
    }
    case Form::kOptionalTensors: {
      c10::List<c10::optional<torch::Tensor>> list;
      for (const int each : registers_)
        list.push_back(each < 0 ? c10::optional<torch::Tensor>() : at(each).toTensor());
      return list;
    }
    case Form::kInts: {
      std::vector<std::int64_t> list = ints_;
      for (std::size_t i = 0; i < registers_.size(); ++i) {
        if (registers_[i] >= 0) list[i] = at(registers_[i]).toInt();
      }
      return list;
    }
  }
  return {};
}

}  // namespace glidepath::pt2
