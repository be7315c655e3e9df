// src/study/plan/own_size.cpp - how many examples files of one's own have to train on, without reading them.
#include "study/plan/own_size.h"

#include <algorithm>
#include <filesystem>
#include <string>

#include <nlohmann/json.hpp>

#include "core/data_names.h"
#include "core/little_endian.h"
#include "core/words.h"
#include "data/stores/image_name.h"
#include "files/json_text.h"
#include "files/read_file.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

using Count = std::optional<std::int64_t>;

constexpr std::size_t kMostHeader = std::size_t{1} << 20;

Count rows_of_safetensors(const fs::path& file) {
  constexpr std::size_t kLength = 8;
  const std::string head = head_of(file, kLength + kMostHeader);
  if (head.size() < kLength) return std::nullopt;
  const std::uint64_t length = little_endian(head, 0, kLength);
  if (length > head.size() - kLength) return std::nullopt;
  const auto header = try_parse_json(std::string_view(head).substr(kLength, length));
  if (!header.is_object() || !header.contains("train.inputs")) return std::nullopt;
  const auto& tensor = header["train.inputs"];
  if (!tensor.is_object() || !tensor.contains("shape")) return std::nullopt;
  const auto& shape = tensor["shape"];
  if (!shape.is_array() || shape.empty() || !shape[0].is_number_unsigned()) return std::nullopt;
  return shape[0].get<std::int64_t>();
}

/// The first number behind 'shape': ( of the dictionary that the file begins with.
Count rows_of_npy(const fs::path& file) {
  const std::string head = head_of(file, 4096), name = "'shape': (";
  const auto at = head.find(name);
  if (at == std::string::npos) return std::nullopt;
  const auto begin = at + name.size();
  const auto count = words::count(head.substr(begin, head.find_first_of(",)", begin) - begin));
  return count ? Count(*count) : std::nullopt;
}

Count windows(std::uint64_t tokens, std::int64_t context) {
  if (tokens < 2) return std::nullopt;
  return static_cast<std::int64_t>(tokens - 1) / context;
}

/// Of a text the first nine tenths; a byte counts as a character, of which it is never fewer.
Count windows_in(const fs::path& path, std::int64_t context) {
  std::error_code error;
  const bool is_folder = fs::is_directory(path, error);
  const std::uint64_t bytes = fs::file_size(is_folder ? path / "train.bin" : path, error);
  if (error) return std::nullopt;
  return windows(is_folder ? bytes / 2 : bytes / 10 * 9, context);
}

Count images_in(const fs::path& folder) {
  std::error_code error;
  std::int64_t count = 0;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    const std::string name = at->path().filename().string();
    count += is_image_name(name) && !is_litter(name) ? 1 : 0;
  }
  return error || count == 0 ? std::nullopt : Count(count);
}

}  // namespace

std::optional<std::int64_t> count_own_examples(const TrainConfig& config) {
  const std::string prefix = data_prefix(config.data);
  const fs::path path = fs::path(config.data_dir) / config.data.substr(prefix.size());
  std::error_code error;
  if (prefix == kTokens) return windows_in(path, config.context);
  if (prefix == kSegmentation) return images_in(path / "train" / "images");
  if (prefix != kTensors) return std::nullopt;
  return fs::is_directory(path, error) ? rows_of_npy(path / "train_inputs.npy") : rows_of_safetensors(path);
}

}  // namespace glidepath
