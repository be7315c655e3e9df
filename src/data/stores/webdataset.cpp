// src/data/stores/webdataset.cpp - shards as the webdataset package writes them.
#include <algorithm>
#include <fstream>
#include <optional>
#include <sys/resource.h>
#include <unordered_set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "core/words.h"
#include "data/stores/tar_collections.h"
#include "data/stores/tar_images.h"
#include "data/stores/tar_index.h"
#include "glidepath/error.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

constexpr std::int64_t kMostClasses = 1'000'000;

std::int32_t checked_label(std::int64_t label, const std::string& place) {
  if (label < 0 || label >= kMostClasses) {
    throw InputError(fmt::format("{}: label {} is not in [0, {})", place, label, kMostClasses));
  }
  return static_cast<std::int32_t>(label);
}

std::int32_t label_of_text(std::string text, const std::string& place) {
  const auto is_blank = [](char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; };
  while (!text.empty() && is_blank(text.back())) text.pop_back();
  const std::size_t first = std::min(text.find_first_not_of(" \n\r\t"), text.size());
  const auto label = words::whole(std::string_view(text).substr(first));
  if (!label)
    throw InputError(fmt::format("{}: label \"{}\" is not a whole number", place, text.substr(0, 40)));
  return checked_label(*label, place);
}

std::int32_t label_of_json(const std::string& text, const std::string& place) {
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object() || !json.contains("label") || !json["label"].is_number_integer()) {
    throw InputError(fmt::format("{}: is no JSON object whose \"label\" is a whole number", place));
  }
  const auto& label = json["label"];
  const bool is_huge = label.is_number_unsigned() && label.get<std::uint64_t>() > kMostClasses;
  return checked_label(is_huge ? kMostClasses : label.get<std::int64_t>(), place);
}

/// Gathers the files of one sample, which follow each other, and takes the sample when it is whole.
class Shard {
 public:
  explicit Shard(const InputFile& file) : file_(file) {}

  void add(const TarEntry& entry) {
    // As the webdataset package splits names: the key goes to the first dot of the last part.
    const std::size_t slash = entry.name.rfind('/');
    const std::size_t part = slash == std::string::npos ? 0 : slash + 1;
    const std::size_t dot = entry.name.find('.', part);
    if (dot == std::string::npos || dot == part) return;  // no field, or a hidden file
    const std::string key = entry.name.substr(0, dot);
    std::string field = entry.name.substr(dot + 1);
    std::transform(field.begin(), field.end(), field.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (key != key_) {
      finish();
      key_ = key;
    }
    const bool is_image = field == "jpg" || field == "jpeg" || field == "png";
    if (is_image && image_) refuse("has a second image, " + entry.name);
    if (is_image) image_ = entry;
    if (field == "cls" && has_cls_) refuse("has a second label, " + entry.name);
    if (field == "cls") {
      label_ = label_of_text(read(entry), place(entry));
      has_cls_ = true;
    } else if (field == "json" && !has_cls_) {
      json_ = entry;
    }
  }

  void finish() {
    if (!image_) return clear();
    // JSON often holds other things; it is asked only where there is no .cls.
    if (!has_cls_ && json_) label_ = label_of_json(read(*json_), place(*json_));
    if (!has_cls_ && !json_) refuse("has no label: neither " + key_ + ".cls nor " + key_ + ".json");
    if (!keys_.insert(key_).second) refuse("is there twice, apart from each other");
    images_.add(image_->name, image_->offset, image_->size, label_, file_.path().string());
    clear();
  }

  TarImages take() { return std::move(images_); }

 private:
  void clear() {
    image_.reset();
    json_.reset();
    has_cls_ = false;
  }
  [[noreturn]] void refuse(const std::string& what) const {
    throw InputError(fmt::format("{}: sample {} {}", file_.path().string(), key_, what));
  }
  std::string place(const TarEntry& entry) const {
    return fmt::format("{}: {}", file_.path().string(), entry.name);
  }
  std::string read(const TarEntry& entry) const {
    constexpr std::uint64_t kMost = 1U << 20;
    if (entry.size > kMost)
      throw InputError(fmt::format("{}: a label of {} bytes", place(entry), entry.size));
    std::string text(entry.size, '\0');
    file_.read(text.data(), text.size(), entry.offset);
    return text;
  }

  const InputFile& file_;
  TarImages images_;
  std::unordered_set<std::string> keys_;
  std::string key_;
  std::optional<TarEntry> image_, json_;
  std::int32_t label_ = -1;
  bool has_cls_ = false;
};

TarImages index_shard(const InputFile& file) {
  Shard shard(file);
  index_tar(file, whole_file(file), [&](const TarEntry& entry) { shard.add(entry); });
  shard.finish();
  return shard.take();
}

std::vector<fs::path> tars_in(const fs::path& folder, const std::string& prefix) {
  std::vector<fs::path> tars;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    const bool is_tar = entry.path().extension() == ".tar" && name.compare(0, prefix.size(), prefix) == 0;
    if (is_tar && name.front() != '.') tars.push_back(entry.path());
  }
  std::sort(tars.begin(), tars.end());
  return tars;
}

/// train*.tar, else train/*.tar.
std::vector<fs::path> shards_of(const fs::path& folder, const std::string& split) {
  std::vector<fs::path> shards = tars_in(folder, split);
  return shards.empty() ? tars_in(folder / split, "") : shards;
}

/// Every shard stays open, and systems let a process have 1,024 files unless it asks for more.
void allow_open_files(std::size_t count) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  const rlim_t wanted = limit.rlim_cur + static_cast<rlim_t>(count);
  if (limit.rlim_cur == RLIM_INFINITY) return;
  limit.rlim_cur = std::min(wanted, limit.rlim_max);
  ::setrlimit(RLIMIT_NOFILE, &limit);  // refused: opening says so
}

std::shared_ptr<const TarStore> open_split(const fs::path& folder, const std::string& split) {
  std::vector<TarStore::Part> parts;
  const std::vector<fs::path> shards = shards_of(folder, split);
  allow_open_files(shards.size());
  for (const fs::path& path : shards) {
    auto file = std::make_unique<InputFile>(path);
    TarImages images = cached_tar_images(*file, "webdataset", [&] { return index_shard(*file); });
    parts.push_back({std::move(file), std::move(images)});
  }
  if (parts.empty()) {
    throw InputError(fmt::format("{}: no shard {}*.tar and no {}/*.tar", folder.string(), split, split));
  }
  auto store = std::make_shared<TarStore>(std::move(parts));
  if (store->size() == 0) {
    throw InputError(
        fmt::format("{}: no image (.jpg, .jpeg, .png) in the shards of {}", folder.string(), split));
  }
  return store;
}

std::int64_t largest_label(const ImageStore& store) {
  std::int64_t largest = 0;
  for (std::int64_t i = 0; i < store.size(); ++i) largest = std::max(largest, store.label(i));
  return largest;
}

std::vector<std::string> class_names(const fs::path& folder, std::int64_t classes) {
  std::vector<std::string> names;
  const fs::path path = folder / "classes.txt";
  std::error_code error;
  if (fs::exists(path, error)) {
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) names.push_back(line);
    if (static_cast<std::int64_t>(names.size()) < classes) {
      throw InputError(fmt::format("{}: {} lines, and the shards have the label {}", path.string(),
                                   names.size(), classes - 1));
    }
  } else {
    for (std::int64_t label = 0; label < classes; ++label) names.push_back(std::to_string(label));
  }
  return names;
}

}  // namespace

bool holds_shards(const fs::path& folder) {
  return !holds_imagenet_tars(folder) && !shards_of(folder, "train").empty();
}

ImageCollection open_webdataset(const fs::path& folder) {
  const auto train = open_split(folder, "train"), val = open_split(folder, "val");
  ImageCollection collection;
  collection.class_names = class_names(folder, std::max(largest_label(*train), largest_label(*val)) + 1);
  collection.train = train;
  collection.val = val;
  return collection;
}

}  // namespace glidepath
