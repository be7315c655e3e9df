// src/model/safetensors.cpp - the safetensors format: 8 bytes of header length, a JSON header, then raw
// tensors. Format: https://github.com/huggingface/safetensors (README, "Format").
#include "glidepath/safetensors.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <limits>
#include <memory>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>
#include <openssl/evp.h>
#include <torch/types.h>

#include "core/safe_text.h"
#include "files/atomic_file.h"
#include "files/content_kind.h"
#include "files/json_text.h"
#include "glidepath/error.h"
#include "model/write_safetensors.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

using nlohmann::json;
constexpr const char* kMetadataName = "__metadata__";
constexpr std::uint64_t kLargestHeader = 100'000'000;  // the limit of the format's own library
constexpr std::uint64_t kLargestTensor = std::numeric_limits<std::int64_t>::max();
constexpr std::size_t kLengthBytes = 8;

struct Dtype {
  const char* name;
  torch::ScalarType type;
};
constexpr std::array<Dtype, 10> kDtypes{{{"F64", torch::kFloat64},
                                         {"F32", torch::kFloat32},
                                         {"F16", torch::kFloat16},
                                         {"BF16", torch::kBFloat16},
                                         {"I64", torch::kInt64},
                                         {"I32", torch::kInt32},
                                         {"I16", torch::kInt16},
                                         {"I8", torch::kInt8},
                                         {"U8", torch::kUInt8},
                                         {"BOOL", torch::kBool}}};

[[noreturn]] void refuse(const fs::path& file, const std::string& what) {
  throw InputError(fmt::format("{}: {}; it is not a whole safetensors file", file.string(), what));
}

/// One tensor of the header, checked.
struct Entry {
  std::string name;
  torch::ScalarType type;
  std::vector<std::int64_t> shape;
  std::uint64_t begin, end;
};

std::uint64_t checked_bytes(const fs::path& file, const Entry& entry) {
  std::uint64_t bytes = c10::elementSize(entry.type);
  bool empty = false;
  for (const std::int64_t extent : entry.shape) {
    empty = empty || extent == 0;
    // An extent of 0 counts as 1 here: torch multiplies the others for the strides of an empty tensor too.
    const auto factor = static_cast<std::uint64_t>(std::max<std::int64_t>(1, extent));
    if (bytes > kLargestTensor / factor) {
      refuse(file, fmt::format("tensor \"{}\" has a shape too large to exist", entry.name));
    }
    bytes *= factor;
  }
  return empty ? 0 : bytes;
}

Entry read_entry(const fs::path& file, const std::string& name, const json& value, std::uint64_t data_bytes) {
  const auto is_count = [](const json& number) {
    return number.is_number_unsigned() && number <= json(std::uint64_t{1} << 62);
  };
  const auto all_counts = [&](const json& list) {
    return list.is_array() && std::all_of(list.begin(), list.end(), is_count);
  };
  if (!value.is_object() || !value.contains("dtype") || !value["dtype"].is_string() ||
      !value.contains("shape") || !all_counts(value["shape"]) || !value.contains("data_offsets") ||
      !all_counts(value["data_offsets"]) || value["data_offsets"].size() != 2) {
    refuse(file, fmt::format("tensor \"{}\" lacks dtype, shape or data_offsets", name));
  }
  Entry entry{name, torch::kFloat32, value["shape"].get<std::vector<std::int64_t>>(),
              value["data_offsets"][0], value["data_offsets"][1]};
  const std::string dtype = value["dtype"];
  const auto* found =
      std::find_if(kDtypes.begin(), kDtypes.end(), [&](const Dtype& d) { return dtype == d.name; });
  if (found == kDtypes.end())
    refuse(file, fmt::format("tensor \"{}\" has the unknown dtype {}", name, dtype));
  entry.type = found->type;
  if (entry.begin > entry.end || entry.end > data_bytes) {
    refuse(file, fmt::format("tensor \"{}\" lies at bytes {} to {} of {}", name, entry.begin, entry.end,
                             data_bytes));
  }
  if (checked_bytes(file, entry) != entry.end - entry.begin) {
    refuse(file, fmt::format("tensor \"{}\" needs {} bytes and has {}", name, checked_bytes(file, entry),
                             entry.end - entry.begin));
  }
  return entry;
}

std::vector<Entry> read_entries(const fs::path& file, const json& header, std::uint64_t data_bytes) {
  std::vector<Entry> entries;
  for (const auto& [name, value] : header.items()) {
    if (name != kMetadataName) entries.push_back(read_entry(file, name, value, data_bytes));
  }
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return std::make_pair(a.begin, a.end) < std::make_pair(b.begin, b.end);
  });
  std::uint64_t position = 0;
  for (const Entry& entry : entries) {
    if (entry.begin != position)
      refuse(file, fmt::format("tensor \"{}\" leaves a gap or overlaps", entry.name));
    position = entry.end;
  }
  if (position != data_bytes)
    refuse(file, fmt::format("{} bytes follow the last tensor", data_bytes - position));
  return entries;
}

/// The entries lie one after the other.
void require_room(const fs::path& file, const std::vector<Entry>& entries, std::uint64_t most_bytes) {
  if (entries.empty() || entries.back().end <= most_bytes) return;
  const auto& largest = *std::max_element(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return a.end - a.begin < b.end - b.begin;
  });
  throw InputError(fmt::format(
      "{}: its tensors have {} bytes, and what they are for has no more than {}; the largest is \"{}\" "
      "of shape [{}]; they are of another model",
      file.string(), entries.back().end, most_bytes, largest.name, fmt::join(largest.shape, ", ")));
}

/// C++ has no bool that is neither true nor false.
void require_booleans(const fs::path& file, const Entry& entry, const torch::Tensor& tensor) {
  const auto* bytes = static_cast<const unsigned char*>(tensor.data_ptr());
  const auto* end = bytes + tensor.nbytes();
  const auto* found = std::find_if(bytes, end, [](unsigned char byte) { return byte > 1; });
  if (found == end) return;
  refuse(file, fmt::format("tensor \"{}\" has the value {} where BOOL has 0 or 1", entry.name, *found));
}

/// What a file is that cannot be a safetensors file, where that is known.
void refuse_other_kind(const fs::path& file) {
  const std::string kind = content_kind_of(file);
  const bool is_torchs = kind == "a zip archive" || kind == "a serialised Python object";
  if (kind.empty() || kind == "a text") return;
  throw InputError(fmt::format(
      "{}: is no safetensors file, but {}{}", file.string(), kind,
      is_torchs ? ", as torch.save() makes them; examples/export_torchvision.py turns it into one" : ""));
}

json read_header(const fs::path& file, std::ifstream& stream, std::uint64_t file_bytes, std::string* text) {
  std::array<unsigned char, kLengthBytes> length{};
  if (file_bytes < kLengthBytes || !stream.read(reinterpret_cast<char*>(length.data()), kLengthBytes)) {
    refuse_other_kind(file);
    refuse(file, fmt::format("{} bytes, too short for a header", file_bytes));
  }
  std::uint64_t bytes = 0;
  for (std::size_t i = kLengthBytes; i > 0; --i) bytes = bytes << 8 | length[i - 1];
  if (bytes > kLargestHeader || bytes > file_bytes - kLengthBytes) {
    refuse_other_kind(file);
    refuse(file, fmt::format("a header of {} bytes in a file of {}", bytes, file_bytes));
  }
  text->assign(bytes, '\0');
  if (!stream.read(text->data(), static_cast<std::streamsize>(bytes)))
    refuse(file, "the header cannot be read");
  constexpr std::size_t kDeepest = 8;  // of ours: 3
  if (json_depth(*text) > kDeepest) refuse(file, "the header's brackets are too deep");
  json header = try_parse_json(*text);
  if (!header.is_object() || text->front() != '{') refuse(file, "the header is not a JSON object");
  return header;
}

std::map<std::string, std::string> read_metadata(const fs::path& file, const json& header) {
  std::map<std::string, std::string> metadata;
  if (!header.contains(kMetadataName)) return metadata;
  const json& values = header[kMetadataName];
  if (!values.is_object()) refuse(file, "__metadata__ is not an object");
  for (const auto& [key, value] : values.items()) {
    if (!value.is_string()) refuse(file, fmt::format("__metadata__ \"{}\" is not a text", key));
    metadata[key] = value;
  }
  return metadata;
}

const char* dtype_name(const std::string& name, torch::ScalarType type) {
  for (const Dtype& dtype : kDtypes) {
    if (dtype.type == type) return dtype.name;
  }
  throw InputError(
      fmt::format("tensor \"{}\": dtype {} has no place in safetensors", name, c10::toString(type)));
}

/// Wide elements first, so that every tensor begins at a multiple of its element size: readers that map the
/// file, the Python package among them, refuse others.
std::vector<std::pair<std::string, torch::Tensor>> in_file_order(const TensorMap& tensors) {
  std::vector<std::pair<std::string, torch::Tensor>> ordered(tensors.begin(), tensors.end());
  std::stable_sort(ordered.begin(), ordered.end(), [](const auto& a, const auto& b) {
    return a.second.element_size() > b.second.element_size();
  });
  return ordered;
}

constexpr const char* kChecksumName = "sha256";

/// SHA-256 of bytes given piece by piece.
class Sha256 {
 public:
  Sha256() : context_(EVP_MD_CTX_new()) { EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr); }
  void add(const void* data, std::size_t bytes) { EVP_DigestUpdate(context_.get(), data, bytes); }
  std::string hex() {
    std::array<unsigned char, 32> digest{};
    EVP_DigestFinal_ex(context_.get(), digest.data(), nullptr);
    std::string text;
    for (const unsigned char byte : digest) text += fmt::format("{:02x}", byte);
    return text;
  }

 private:
  struct Free {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };
  std::unique_ptr<EVP_MD_CTX, Free> context_;
};

/// The digest stands in the header it covers: there it counts as this many zeros.
const std::string kNoDigest(64, '0');

/// Where the digest's digits are in the header, or npos.
std::size_t digest_position(const std::string& header, const std::string& digest) {
  const std::string before = fmt::format("\"{}\":\"", kChecksumName);
  const std::size_t found = header.find(before + digest + '"');
  return found == std::string::npos ? found : found + before.size();
}

std::array<unsigned char, kLengthBytes> header_length(const std::string& header) {
  std::array<unsigned char, kLengthBytes> length{};
  for (std::size_t i = 0; i < kLengthBytes; ++i)
    length[i] = static_cast<unsigned char>(header.size() >> (8 * i));
  return length;
}

/// Starts the digest of a file with its first part. Throws InputError where the header has no digest.
Sha256 digest_of_header(const fs::path& file, std::string header, const std::string& digest) {
  const std::size_t position = digest_position(header, digest);
  if (digest.size() != kNoDigest.size() || position == std::string::npos)
    refuse(file, "it carries no SHA-256 of its content");
  header.replace(position, kNoDigest.size(), kNoDigest);
  Sha256 sum;
  const auto length = header_length(header);
  sum.add(length.data(), length.size());
  sum.add(header.data(), header.size());
  return sum;
}

}  // namespace

void save_safetensors(const fs::path& file, const TensorMap& tensors,
                      const std::map<std::string, std::string>& metadata, Checksum checksum) {
  AtomicFile out(file);
  write_safetensors(out, file, tensors, metadata, checksum);
}

void write_safetensors(AtomicFile& out, const fs::path& file, const TensorMap& tensors,
                       const std::map<std::string, std::string>& metadata, Checksum checksum) {
  json header = json::object();
  if (!metadata.empty()) header[kMetadataName] = metadata;
  if (checksum == Checksum::kSha256) header[kMetadataName][kChecksumName] = kNoDigest;
  std::vector<torch::Tensor> contiguous;
  std::uint64_t position = 0;
  for (const auto& [name, tensor] : in_file_order(tensors)) {
    if (name == kMetadataName)
      throw InputError(fmt::format("tensor \"{}\": the format keeps this name", name));
    contiguous.push_back(tensor.detach().to(torch::kCPU).contiguous());
    const std::uint64_t end = position + contiguous.back().nbytes();
    header[name] = {{"dtype", dtype_name(name, tensor.scalar_type())},
                    {"shape", tensor.sizes().vec()},
                    {"data_offsets", {position, end}}};
    position = end;
  }
  // JSON is UTF-8; a path among the metadata may not be.
  std::string text = json_text(header);
  // Tensors begin at a multiple of 8, as the format's library writes.
  text.resize((text.size() + kLengthBytes - 1) / kLengthBytes * kLengthBytes, ' ');
  if (checksum == Checksum::kSha256) {
    Sha256 sum = digest_of_header(file, text, kNoDigest);
    for (const torch::Tensor& tensor : contiguous) sum.add(tensor.data_ptr(), tensor.nbytes());
    text.replace(digest_position(text, kNoDigest), kNoDigest.size(), sum.hex());
  }
  const auto length = header_length(text);
  out.write(length.data(), length.size());
  out.write(text.data(), text.size());
  for (const torch::Tensor& tensor : contiguous) out.write(tensor.data_ptr(), tensor.nbytes());
  out.commit();
}

std::uint64_t bytes_of(const TensorMap& tensors) {
  std::uint64_t bytes = 0;
  for (const auto& item : tensors) bytes += item.second.nbytes();
  return bytes;
}

TensorMap load_safetensors(const fs::path& file, std::map<std::string, std::string>* metadata,
                           Checksum checksum, std::uint64_t most_bytes) {
  std::error_code error;
  const bool is_file = fs::is_regular_file(file, error);  // a pipe would be waited for
  const std::uint64_t file_bytes = is_file ? fs::file_size(file, error) : 0;
  std::ifstream stream;
  if (is_file) stream.open(file, std::ios::binary);
  if (!stream.is_open() || error) {
    throw InputError(fmt::format("{}: cannot be read; give a safetensors file", file.string()));
  }
  std::string text;
  const json header = read_header(file, stream, file_bytes, &text);
  auto stored_metadata = read_metadata(file, header);
  const std::string digest = stored_metadata[kChecksumName];
  std::optional<Sha256> sum;
  if (checksum == Checksum::kSha256) sum.emplace(digest_of_header(file, text, digest));
  TensorMap tensors;
  const std::vector<Entry> entries = read_entries(file, header, file_bytes - kLengthBytes - text.size());
  require_room(file, entries, most_bytes);
  for (const Entry& entry : entries) {
    torch::Tensor tensor = torch::empty(entry.shape, entry.type);
    if (!stream.read(static_cast<char*>(tensor.data_ptr()), static_cast<std::streamsize>(tensor.nbytes()))) {
      refuse(file, fmt::format("tensor \"{}\" is cut off", entry.name));
    }
    if (sum) sum->add(tensor.data_ptr(), tensor.nbytes());
    if (entry.type == torch::kBool) require_booleans(file, entry, tensor);
    tensors.emplace(entry.name, std::move(tensor));
  }
  if (sum && sum->hex() != digest) refuse(file, "its content is not what its SHA-256 says");
  if (digest.empty()) stored_metadata.erase(kChecksumName);
  if (metadata != nullptr) *metadata = std::move(stored_metadata);
  return tensors;
}

}  // namespace glidepath
