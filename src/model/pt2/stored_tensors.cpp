// src/model/pt2/stored_tensors.cpp - tensors from the raw bytes in an archive.
#include "model/pt2/stored_tensors.h"

#include <algorithm>
#include <limits>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/safe_text.h"
#include "glidepath/error.h"

namespace glidepath::pt2 {
namespace {

constexpr torch::ScalarType kDtypesBySchema[] = {
    torch::ScalarType::Undefined,
    torch::kUInt8,
    torch::kInt8,
    torch::kInt16,
    torch::kInt32,
    torch::kInt64,
    torch::kFloat16,
    torch::kFloat32,
    torch::kFloat64,
    torch::ScalarType::Undefined,  // complex numbers are not trained
    torch::ScalarType::Undefined,
    torch::ScalarType::Undefined,
    torch::kBool,
    torch::kBFloat16};

/// How many numbers lie between the first and the last one, both counted; -1 for what cannot be.
std::int64_t span_of(const StoredTensor& stored) {
  std::int64_t last = 0, count = 1;
  for (std::size_t i = 0; i < stored.sizes.size(); ++i) {
    const std::int64_t size = stored.sizes[i], stride = stored.strides[i];
    std::int64_t reach = 0;
    if (size < 0 || stride < 0 ||
        __builtin_mul_overflow(std::max<std::int64_t>(size - 1, 0), stride, &reach) ||
        __builtin_add_overflow(last, reach, &last) ||
        __builtin_mul_overflow(count, std::max<std::int64_t>(size, 1), &count))
      return -1;
  }
  const bool is_empty = std::find(stored.sizes.begin(), stored.sizes.end(), 0) != stored.sizes.end();
  // One number a thousand times would need memory that the file has not.
  return is_empty ? 0 : count > last + 1 ? -1 : last + 1;
}

}  // namespace

torch::ScalarType dtype_of(std::int64_t number) {
  const bool is_known = number > 0 && number < static_cast<std::int64_t>(std::size(kDtypesBySchema));
  return is_known ? kDtypesBySchema[number] : torch::ScalarType::Undefined;
}

void StoredTensors::refuse(const std::string& name, const std::string& what) const {
  archive_.refuse(fmt::format("tensor \"{}\" {}", terminal_text(name), what));
}

torch::Tensor StoredTensors::tensor(const std::string& name, const StoredTensor& stored) {
  if (stored.is_pickled)
    throw InputError(fmt::format("{}: tensor \"{}\" is pickled, and nothing is unpickled here",
                                 archive_.file().string(), terminal_text(name)));
  const torch::ScalarType dtype = dtype_of(stored.dtype);
  if (dtype == torch::ScalarType::Undefined)
    refuse(name, fmt::format("has the dtype {} of the schema, which is not supported", stored.dtype));
  const std::int64_t span = stored.sizes.size() == stored.strides.size() ? span_of(stored) : -1;
  const auto bytes = static_cast<std::int64_t>(c10::elementSize(dtype));
  const std::uint64_t has = span == 0 ? 0 : archive_.size(stored.entry);
  const auto numbers = static_cast<std::int64_t>(has / static_cast<std::uint64_t>(bytes));
  if (span < 0 || stored.offset < 0 ||
      (span > 0 && (stored.offset > numbers || span > numbers - stored.offset)))
    refuse(name, fmt::format("is {} [{}] with strides [{}] from {} on, in an entry of {} bytes",
                             c10::toString(dtype), fmt::join(stored.sizes, ", "),
                             fmt::join(stored.strides, ", "), stored.offset, has));
  if (span == 0) return torch::empty(stored.sizes, dtype);
  std::vector<Part>& parts = parts_[stored.entry];
  for (const Part& part : parts) {
    if (part.first == stored.offset && part.dtype == stored.dtype && part.sizes == stored.sizes &&
        part.strides == stored.strides)
      return part.tensor;
    if (stored.offset < part.first + part.span && part.first < stored.offset + span)
      refuse(name, fmt::format("shares a part of its numbers with \"{}\", which cannot be trained",
                               terminal_text(part.name)));
  }
  parts.push_back(
      {name, stored.offset, span, stored.dtype, stored.sizes, stored.strides, read(name, stored, numbers)});
  return parts.back().tensor;
}

torch::Tensor StoredTensors::read(const std::string& name, const StoredTensor& stored,
                                  std::int64_t numbers) const {
  const torch::ScalarType dtype = dtype_of(stored.dtype);
  const auto bytes = archive_.size(stored.entry);
  if (bytes != static_cast<std::uint64_t>(numbers) * c10::elementSize(dtype))
    refuse(name, fmt::format("is in an entry of {} bytes, which is no whole number of {}", bytes,
                             c10::toString(dtype)));
  torch::Tensor flat = torch::empty({numbers}, dtype);
  archive_.read(stored.entry, flat.data_ptr());
  if (dtype == torch::kBool) {
    const auto* begin = static_cast<const unsigned char*>(flat.data_ptr());
    if (std::any_of(begin, begin + numbers, [](unsigned char byte) { return byte > 1; }))
      refuse(name, "has a value other than 0 and 1 where Bool is said");
  }
  const torch::Tensor view = flat.as_strided(stored.sizes, stored.strides, stored.offset);
  const bool is_all = view.is_contiguous() && view.numel() == numbers;
  return is_all ? flat.resize_(stored.sizes) : view.clone();  // neither is a view, so that it can be trained
}

}  // namespace glidepath::pt2
