// src/data/own/npy.cpp - NumPy's .npy format.
// Format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
#include <array>
#include <cstring>
#include <limits>
#include <memory>
#include <optional>
#include <vector>

#include <fmt/format.h>
#include <torch/types.h>

#include "core/safe_text.h"
#include "core/words.h"
#include "data/own/tensor_files.h"
#include "data/stores/input_file.h"
#include "files/content_kind.h"
#include "glidepath/error.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

constexpr std::uint64_t kMostHeader = 1 << 20;
constexpr char kMagic[] = "\x93NUMPY";
constexpr std::size_t kMagicBytes = 6, kVersionBytes = 2;

struct NpyType {
  const char* code;
  torch::ScalarType type;
};
constexpr std::array<NpyType, 9> kTypes{{{"b1", torch::kBool},
                                         {"i1", torch::kInt8},
                                         {"u1", torch::kUInt8},
                                         {"i2", torch::kInt16},
                                         {"i4", torch::kInt32},
                                         {"i8", torch::kInt64},
                                         {"f2", torch::kFloat16},
                                         {"f4", torch::kFloat32},
                                         {"f8", torch::kFloat64}}};

[[noreturn]] void refuse(const fs::path& file, const std::string& what) {
  throw InputError(fmt::format("{}: {}", file.string(), what));
}

/// What stands behind 'key': in the header, which is a dictionary as Python prints it.
std::string value_of(const fs::path& file, const std::string& header, const std::string& key) {
  const std::string name = "'" + key + "':";
  const auto at = header.find(name);
  if (at == header.npos) refuse(file, fmt::format("has no {} in its header; it is no .npy file", key));
  const std::string rest(words::trim(header.substr(at + name.size())));
  if (rest.empty()) return rest;
  if (rest[0] == '\'') return rest.substr(1, rest.find('\'', 1) - 1);
  if (rest[0] == '(') return rest.substr(1, rest.find(')') - 1);
  return rest.substr(0, rest.find_first_of(",}"));
}

std::vector<std::int64_t> shape_of(const fs::path& file, const std::string& text) {
  std::vector<std::int64_t> shape;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find(',', at), text.size());
    const std::string number(words::trim(text.substr(at, end - at)));
    at = end + 1;
    if (number.empty() && end == text.size()) break;  // (3,)
    const auto extent = words::count(number);
    if (!extent) refuse(file, fmt::format("has the shape ({}); it is no .npy file", terminal_text(text)));
    shape.push_back(*extent);
  }
  return shape;
}

/// Bytes that so many elements take; nothing where that is more than any file has.
std::optional<std::uint64_t> bytes_for(const std::vector<std::int64_t>& shape, std::size_t each) {
  std::uint64_t bytes = each;
  for (const std::int64_t extent : shape) {
    // An extent of 0 counts as 1: torch multiplies the others for the strides of an empty tensor too.
    const auto factor = static_cast<std::uint64_t>(std::max<std::int64_t>(1, extent));
    if (bytes > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) / factor) return {};
    bytes *= factor;
  }
  for (const std::int64_t extent : shape) {
    if (extent == 0) return 0;
  }
  return bytes;
}

std::unique_ptr<InputFile> open_npy(const fs::path& file) {
  try {
    return std::make_unique<InputFile>(file);
  } catch (const InputError&) {
    refuse(file, "cannot be read; give a .npy file");
  }
}

/// Where the elements begin is `end`.
std::string read_header(const InputFile& file, std::uint64_t& end) {
  const fs::path& path = file.path();
  std::array<unsigned char, kMagicBytes + kVersionBytes + 4> begin{};
  const std::size_t there = file.read_some(begin.data(), begin.size(), 0);
  if (there < kMagicBytes + kVersionBytes || std::memcmp(begin.data(), kMagic, kMagicBytes) != 0) {
    const std::string kind = content_kind_of(path);
    refuse(path, kind.empty() ? "is no .npy file" : fmt::format("is {}, no .npy file", kind));
  }
  const std::size_t length_bytes = begin[kMagicBytes] == 1 ? 2 : 4;
  const std::size_t before = kMagicBytes + kVersionBytes + length_bytes;
  std::uint64_t size = 0;
  for (std::size_t i = 0; i < length_bytes; ++i)
    size |= std::uint64_t{begin[kMagicBytes + kVersionBytes + i]} << (8 * i);
  if (size > kMostHeader) refuse(path, fmt::format("has a header of {} bytes; it is damaged", size));
  end = before + size;
  if (there < before || file.size() < end) refuse(path, "is truncated");
  std::string header(size, '\0');
  file.read(header.data(), size, before);
  return header;
}

/// `wide` where elements are uint16, which torch has no type for that all its versions can use.
torch::ScalarType type_of(const fs::path& file, const std::string& descr, bool& wide) {
  const std::string code = descr.empty() ? descr : descr.substr(1);
  wide = code == "u2";
  if (!descr.empty() && descr[0] == '>' && code.size() > 1 && code[1] != '1')
    refuse(file, fmt::format("is big-endian ({}); save it with .astype('<{}')", terminal_text(descr),
                             terminal_text(code)));
  if (wide) return torch::kInt16;
  for (const NpyType& each : kTypes) {
    if (code == each.code) return each.type;
  }
  refuse(file,
         fmt::format("has the type \"{}\"; must be bool, int8 to int64, uint8, uint16 or float16 to float64",
                     terminal_text(descr)));
}

}  // namespace

torch::Tensor read_npy(const fs::path& file) {
  const auto npy = open_npy(file);
  std::uint64_t begin = 0;
  const std::string header = read_header(*npy, begin);
  bool wide = false;
  const torch::ScalarType type = type_of(file, value_of(file, header, "descr"), wide);
  const auto shape = shape_of(file, value_of(file, header, "shape"));
  if (value_of(file, header, "fortran_order") != "False" && shape.size() > 1)
    refuse(file, "is in Fortran order; save numpy.ascontiguousarray() of it");
  const auto bytes = bytes_for(shape, c10::elementSize(type));
  const std::uint64_t there = npy->size() - begin;
  if (!bytes || there != *bytes) {
    refuse(file,
           fmt::format("holds {} bytes, and its shape ({}) takes {}; it is {}", there, fmt::join(shape, ", "),
                       bytes ? std::to_string(*bytes) : "more than any file has",
                       bytes && there > *bytes ? "damaged" : "truncated"));
  }
  torch::Tensor values = torch::empty(shape, type);
  npy->read(values.data_ptr(), *bytes, begin);
  if (type == torch::kBool) values = values.view(torch::kUInt8).ne(0);
  return wide ? values.to(torch::kInt32).bitwise_and(0xFFFF) : values;
}

}  // namespace glidepath
