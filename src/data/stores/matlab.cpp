// src/data/stores/matlab.cpp - reads the one struct array of meta.mat. libmatio reads every MATLAB file, and
// brings HDF5 along for it; this one file was made in 2012 and does not change.
// Format: "MAT-File Format", The MathWorks, chapter 1 (MAT-file level 5).
#include "data/stores/matlab.h"

#include <cmath>
#include <cstring>

#include <fmt/format.h>
#include <zlib.h>

#include "glidepath/error.h"

namespace glidepath {
namespace {

// Types of data elements, and classes of arrays.
enum DataType : std::uint32_t {
  kInt8 = 1,
  kUint8 = 2,
  kInt16 = 3,
  kUint16 = 4,
  kInt32 = 5,
  kUint32 = 6,
  kDouble = 9,
  kMatrix = 14,
  kCompressed = 15,
  kUtf8 = 16
};
constexpr std::uint32_t kStructClass = 2;
constexpr std::size_t kHeaderBytes = 128, kMostBytes = 16U << 20;

/// The elements that follow each other in a piece of the file.
class Elements {
 public:
  struct Element {
    std::uint32_t type = 0;
    const char* data = nullptr;
    std::size_t bytes = 0;
  };

  Elements(const char* data, std::size_t bytes, const std::string& place)
      : data_(data), bytes_(bytes), place_(place) {}
  Elements(const Element& element, const std::string& place) : Elements(element.data, element.bytes, place) {}

  bool done() const { return at_ >= bytes_; }
  const std::string& place() const { return place_; }

  Element next() {
    Element element;
    need(8);
    const std::uint32_t first = number(at_);
    if (first >> 16 != 0) {  // up to four bytes lie in the tag itself
      element = {first & 0xffff, data_ + at_ + 4, first >> 16};
      if (element.bytes > 4) refuse("a small element of more than four bytes");
      at_ += 8;
      return element;
    }
    element = {first, data_ + at_ + 8, number(at_ + 4)};
    at_ += 8;
    need(element.bytes);
    const std::size_t padded = first == kCompressed ? element.bytes : (element.bytes + 7) / 8 * 8;
    at_ = std::min(bytes_, at_ + padded);
    return element;
  }
  Element next(std::uint32_t type) {
    const Element element = next();
    if (element.type != type) refuse(fmt::format("an element of type {}, expected {}", element.type, type));
    return element;
  }
  [[noreturn]] void refuse(const std::string& what) const {
    throw InputError(fmt::format("{}: {} near byte {}; copy or fetch it again", place_, what, at_));
  }

 private:
  std::uint32_t number(std::size_t at) const {
    std::uint32_t value = 0;
    std::memcpy(&value, data_ + at, sizeof value);
    return value;
  }
  void need(std::size_t bytes) const {
    if (bytes > bytes_ - at_) refuse("it ends within an element");
  }

  const char* data_;
  std::size_t bytes_, at_ = 0;
  const std::string& place_;
};

using Element = Elements::Element;

template <typename T>
double first_number(const Element& element) {
  T value{};
  if (element.bytes < sizeof value) return std::nan("");
  std::memcpy(&value, element.data, sizeof value);
  return static_cast<double>(value);
}

double number_in(const Element& element) {
  switch (element.type) {
    case kInt8:
      return first_number<std::int8_t>(element);
    case kUint8:
      return first_number<std::uint8_t>(element);
    case kInt16:
      return first_number<std::int16_t>(element);
    case kUint16:
      return first_number<std::uint16_t>(element);
    case kInt32:
      return first_number<std::int32_t>(element);
    case kUint32:
      return first_number<std::uint32_t>(element);
    case kDouble:
      return first_number<double>(element);
    default:
      return std::nan("");
  }
}

/// Letters are stored as 16-bit ones or as bytes; those beyond ASCII do not occur in meta.mat.
std::string text_in(const Element& element) {
  if (element.type != kUint16) return {element.data, element.bytes};
  std::string text;
  for (std::size_t at = 0; at + 1 < element.bytes; at += 2) {
    const auto low = element.data[at], high = element.data[at + 1];
    text += high == 0 && (low & 0x80) == 0 ? low : '?';
  }
  return text;
}

/// An array's flags, extents and name; `elements` then stands before its values.
struct ArrayHead {
  std::uint32_t array_class = 0;
  std::size_t count = 1;
  std::string name;
};

ArrayHead read_head(Elements& elements) {
  ArrayHead head;
  const Element flags = elements.next(kUint32), extents = elements.next(kInt32), name = elements.next(kInt8);
  if (flags.bytes < 4) elements.refuse("an array without flags");
  head.array_class = static_cast<unsigned char>(flags.data[0]);
  for (std::size_t at = 0; at + 4 <= extents.bytes; at += 4) {
    std::int32_t extent = 0;
    std::memcpy(&extent, extents.data + at, 4);
    if (extent < 0 || static_cast<std::size_t>(extent) > kMostBytes) elements.refuse("an array's extent");
    head.count *= static_cast<std::size_t>(extent);
    if (head.count > kMostBytes) elements.refuse("an array's extent");
  }
  head.name.assign(name.data, name.bytes);
  return head;
}

std::vector<std::string> read_field_names(Elements& elements) {
  const Element length_element = elements.next(kInt32), names = elements.next(kInt8);
  const double length = number_in(length_element);
  if (!(length >= 1 && length <= 64) || names.bytes % static_cast<std::size_t>(length) != 0) {
    elements.refuse("the field names of a struct");
  }
  std::vector<std::string> result;
  for (std::size_t at = 0; at < names.bytes; at += static_cast<std::size_t>(length)) {
    const char* name = names.data + at;
    result.emplace_back(name, ::strnlen(name, static_cast<std::size_t>(length)));
  }
  return result;
}

/// Fills the synset's field `name` from an array, if it is one of those wanted; counts it.
int take_field(Synset& synset, const std::string& name, const Element& cell, const Elements& outer) {
  const bool is_text = name == "WNID" || name == "words";
  if (!is_text && name != "ILSVRC2012_ID" && name != "num_children") return 0;
  Elements elements(cell, outer.place());
  read_head(elements);
  const Element value = elements.next();
  if (is_text) {
    (name == "WNID" ? synset.wnid : synset.words) = text_in(value);
    return 1;
  }
  const double number = number_in(value);
  if (!(number >= 0 && number < 1e9 && number == std::floor(number))) outer.refuse(name + " is no count");
  (name == "num_children" ? synset.children : synset.id) = static_cast<std::int64_t>(number);
  return 1;
}

std::vector<Synset> read_struct(Elements& elements, const ArrayHead& head) {
  if (head.array_class != kStructClass) elements.refuse("synsets is no struct array");
  const std::vector<std::string> fields = read_field_names(elements);
  std::vector<Synset> synsets;
  for (std::size_t row = 0; row < head.count; ++row) {
    Synset synset;
    int taken = 0;
    for (const std::string& field : fields)
      taken += take_field(synset, field, elements.next(kMatrix), elements);
    if (taken != 4) elements.refuse("synsets lacks ILSVRC2012_ID, WNID, words or num_children");
    synsets.push_back(std::move(synset));
  }
  return synsets;
}

std::string inflate_element(const Element& element, const Elements& file) {
  std::string result;
  z_stream stream{};
  if (inflateInit(&stream) != Z_OK) throw RunError("zlib cannot start");
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(element.data));
  stream.avail_in = static_cast<uInt>(element.bytes);
  int status = Z_OK;
  while (status == Z_OK && result.size() < kMostBytes) {
    constexpr std::size_t kStep = 1U << 18;
    const std::size_t before = result.size();
    result.resize(before + kStep);
    stream.next_out = reinterpret_cast<Bytef*>(result.data() + before);
    stream.avail_out = kStep;
    status = inflate(&stream, Z_NO_FLUSH);
    result.resize(before + kStep - stream.avail_out);
  }
  inflateEnd(&stream);
  if (status != Z_STREAM_END) file.refuse("a damaged compressed element");
  return result;
}

}  // namespace

std::vector<Synset> read_synsets(const std::string& bytes, const std::string& place) {
  if (bytes.size() < kHeaderBytes || bytes.compare(0, 10, "MATLAB 5.0") != 0 ||
      bytes.compare(126, 2, "IM") != 0) {
    throw InputError(fmt::format("{}: is no little-endian MATLAB 5 file; copy or fetch it again", place));
  }
  Elements file(bytes.data() + kHeaderBytes, bytes.size() - kHeaderBytes, place);
  while (!file.done()) {
    Element element = file.next();
    std::string inflated;
    if (element.type == kCompressed) {
      inflated = inflate_element(element, file);
      element = Elements(inflated.data(), inflated.size(), place).next();
    }
    if (element.type != kMatrix) continue;
    Elements array(element, place);
    const ArrayHead head = read_head(array);
    if (head.name == "synsets") return read_struct(array, head);
  }
  throw InputError(fmt::format("{}: holds no array \"synsets\"; copy or fetch it again", place));
}

}  // namespace glidepath
