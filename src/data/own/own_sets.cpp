// src/data/own/own_sets.cpp - data sets of files of one's own, by what they are called.
#include "data/own/own_sets.h"

#include <fmt/format.h>

#include "core/data_names.h"
#include "core/words.h"
#include "files/read_failed.h"
#include "glidepath/error.h"

namespace fs = std::filesystem;

namespace glidepath {

fs::path own_path(const std::string& data, const fs::path& data_dir) {
  const fs::path path = data.substr(data_prefix(data).size());
  if (path.empty()) throw InputError(fmt::format("data \"{}\": a path must follow", data));
  return data_dir / path;
}

void require_own_set(const fs::path& path) {
  std::error_code error;
  if (fs::exists(path, error)) return;
  throw_if_in_trouble(path, error);
  throw InputError(fmt::format("{}: is not there; give the data set's file or folder", path.string()));
}

void load_own_set(Dataset& dataset, const fs::path& path, const DataChoice& choice) {
  require_own_set(path);
  const std::string prefix = data_prefix(dataset.name);
  if (prefix == kTensors) load_tensor_set(dataset, path, choice);
  if (prefix == kTokens) load_token_set(dataset, path, choice);
  if (prefix == kSegmentation) load_mask_set(dataset, path, choice);
}

std::int64_t ignored_label(const DataChoice& choice) {
  constexpr std::int64_t kVoid = 255;  // as in Pascal VOC, Cityscapes' trainIds and torchvision's references
  if (choice.ignored_label == "none") return -1;
  return choice.ignored_label == "auto" ? kVoid : words::count(choice.ignored_label).value();
}

}  // namespace glidepath
