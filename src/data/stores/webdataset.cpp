// src/data/stores/webdataset.cpp - shards as the webdataset package writes them.
#include <algorithm>
#include <cctype>
#include <map>
#include <set>
#include <sstream>
#include <string_view>
#include <sys/resource.h>
#include <unordered_map>
#include <unordered_set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "core/words.h"
#include "data/stores/image_name.h"
#include "data/stores/tar_collections.h"
#include "data/stores/tar_images.h"
#include "data/stores/tar_index.h"
#include "data/stores/unpacked_tar.h"
#include "files/json_text.h"
#include "files/read_file.h"
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
  const auto json = try_parse_json(text);
  if (!json.is_object() || !json.contains("label") || !json["label"].is_number_integer()) {
    throw InputError(fmt::format("{}: is no JSON object whose \"label\" is a whole number", place));
  }
  const auto& label = json["label"];
  const bool is_huge = label.is_number_unsigned() && label.get<std::uint64_t>() > kMostClasses;
  return checked_label(is_huge ? kMostClasses : label.get<std::int64_t>(), place);
}

/// Gathers files that follow each other and share their name up to its first dot, as the webdataset package
/// does, and takes their images when the next name begins.
class Shard {
 public:
  explicit Shard(const InputFile& file) : file_(file) {}

  void add(const TarEntry& entry) {
    const std::size_t slash = entry.name.rfind('/');
    const std::size_t part = slash == std::string::npos ? 0 : slash + 1;
    const std::size_t dot = entry.name.find('.', part);
    const bool is_litter_file =
        is_litter(std::string_view(entry.name).substr(part)) || is_below_litter(entry.name);
    if (dot == std::string::npos || is_litter_file) {
      if (!is_below_litter(entry.name)) images_.passed_by.add_file(std::string_view(entry.name).substr(part));
      return;
    }
    std::string key = entry.name.substr(0, dot);
    if (key != key_) finish();
    key_ = std::move(key);
    files_.push_back(entry);
  }

  void finish() {
    take_labels();
    find_images();
    for (const TarEntry& entry : files_) take_or_count(entry);
    files_.clear();
    labels_.clear();
  }

  void add_lost(const std::string& name) {
    if (is_image_name(name)) images_.passed_by.add("link(s) to nothing");
  }

  TarImages take() { return std::move(images_); }

 private:
  struct Label {
    const TarEntry* cls = nullptr;
    const TarEntry* json = nullptr;
    const TarEntry* image = nullptr;
    bool is_own = false;  // the image has the label's whole name
  };

  static bool is_below_litter(const std::string& name) {
    for (std::size_t at = 0, slash; (slash = name.find('/', at)) != std::string::npos; at = slash + 1) {
      const std::string_view folder = std::string_view(name).substr(at, slash - at);
      if (!folder.empty() && folder != "." && folder != ".." && is_litter(folder)) return true;
    }
    return false;
  }
  static std::string stem_of(const std::string& name) { return name.substr(0, name.rfind('.')); }

  void take_labels() {
    for (const TarEntry& entry : files_) {
      const std::string ending = ending_of(entry.name);
      if (ending != ".cls" && ending != ".json") continue;
      Label& label = labels_[stem_of(entry.name)];
      const TarEntry*& place = ending == ".cls" ? label.cls : label.json;
      if (place != nullptr) refuse(stem_of(entry.name), "has a second label, " + entry.name);
      place = &entry;
    }
  }

  /// The name of the label that shares most of the image's name; empty where there is none.
  std::string label_for(const TarEntry& entry) const {
    std::string stem = stem_of(entry.name);
    while (labels_.count(stem) == 0) {
      if (stem.size() <= key_.size()) return {};
      stem = stem_of(stem);
    }
    return stem;
  }

  // Beside 7.jpg and 7.cls there may be 7.seg.png: the image with the label's whole name is the one that is
  // meant.
  void find_images() {
    for (const TarEntry& entry : files_) {
      if (!is_image_name(entry.name)) continue;
      const std::string stem = label_for(entry);
      if (stem.empty()) refuse(key_, "has no label: neither " + key_ + ".cls nor " + key_ + ".json");
      Label& label = labels_[stem];
      const bool is_own = stem == stem_of(entry.name);
      if (label.image != nullptr && label.is_own == is_own) refuse(stem, "has a second image, " + entry.name);
      if (label.image == nullptr || is_own) label.image = &entry, label.is_own = is_own;
    }
  }

  void take_or_count(const TarEntry& entry) {
    const std::string ending = ending_of(entry.name);
    const bool is_image = is_image_name(entry.name), may_be_label = ending == ".cls" || ending == ".json";
    const auto found = labels_.find(is_image ? label_for(entry) : stem_of(entry.name));
    const bool has_image =
        (is_image || may_be_label) && found != labels_.end() && found->second.image != nullptr;
    if (is_image && found->second.image == &entry) return take_image(entry, found->first, found->second);
    if (is_image || !has_image) images_.passed_by.add_file(entry.name.substr(entry.name.rfind('/') + 1));
  }

  void take_image(const TarEntry& entry, const std::string& sample, const Label& label) {
    if (!keys_.insert(sample).second) refuse(sample, "is there twice, apart from each other");
    // JSON often holds other things; it is asked only where there is no .cls.
    const std::int32_t number = label.cls != nullptr ? label_of_text(read(*label.cls), place(*label.cls))
                                                     : label_of_json(read(*label.json), place(*label.json));
    images_.add(entry.name, entry.offset, entry.size, number, file_.path().string());
  }

  [[noreturn]] void refuse(const std::string& sample, const std::string& what) const {
    throw InputError(fmt::format("{}: sample {} {}", file_.path().string(), sample, what));
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
  std::vector<TarEntry> files_;                    // of one key
  std::unordered_map<std::string, Label> labels_;  // by name without ending
};

TarImages index_shard(const InputFile& file) {
  Shard shard(file);
  index_tar(
      file, whole_file(file), [&](const TarEntry& entry) { shard.add(entry); },
      [&](const std::string& name) { shard.add_lost(name); });
  shard.finish();
  return shard.take();
}

/// Tars whose names begin so, in any case. Of one that lies there compressed and unpacked the unpacked one
/// counts.
std::vector<fs::path> tars_in(const fs::path& folder, const std::string& prefix) {
  std::map<std::string, fs::path> tars;  // by the name of the unpacked one
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    if (!is_tar_name(name) || is_litter(name) || entry.is_directory(error)) continue;
    const bool begins = name.size() >= prefix.size() &&
                        std::equal(prefix.begin(), prefix.end(), name.begin(), [](char a, unsigned char b) {
                          return a == static_cast<char>(std::tolower(b));
                        });
    if (!begins) continue;
    fs::path& place = tars[plain_tar_name(name)];
    if (place.empty() || plain_tar_name(name) == name) place = entry.path();
  }
  std::vector<fs::path> found;
  for (const auto& [name, path] : tars) found.push_back(path);
  std::sort(found.begin(), found.end());
  return found;
}

/// The folder of that name, in any case; none where there is none.
fs::path folder_called(const fs::path& folder, const std::string& wanted) {
  std::error_code error;
  if (fs::is_directory(folder / wanted, error)) return folder / wanted;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    std::string name = entry.path().filename().string();
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (name == wanted && entry.is_directory(error)) return entry.path();
  }
  return {};
}

/// train*.tar, else train/*.tar.
std::vector<fs::path> shards_of(const fs::path& folder, const std::string& split) {
  std::vector<fs::path> shards = tars_in(folder, split);
  if (!shards.empty()) return shards;
  const fs::path below = folder_called(folder, split);
  return below.empty() ? shards : tars_in(below, "");
}

// As for folders: a test split beside a validation split is for the end.
constexpr const char* kTestSplits[] = {"val", "valid", "validation", "dev", "test"};

/// Every shard stays open, and systems let a process have 1,024 files unless it asks for more.
void allow_open_files(std::size_t count) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  const rlim_t wanted = limit.rlim_cur + static_cast<rlim_t>(count);
  if (limit.rlim_cur == RLIM_INFINITY) return;
  limit.rlim_cur = std::min(wanted, limit.rlim_max);
  ::setrlimit(RLIMIT_NOFILE, &limit);  // refused: opening says so
}

std::shared_ptr<const TarStore> open_shards(const fs::path& folder, const std::string& split,
                                            const std::vector<fs::path>& shards, ImageCollection& collection,
                                            const ImageChoice& choice) {
  std::vector<TarStore::Part> parts;
  allow_open_files(shards.size());
  for (const fs::path& path : shards) {
    auto file = open_tar(path, choice.tell);
    TarImages images = cached_tar_images(*file, "webdataset", [&] { return index_shard(*file); });
    collection.passed_by.add(images.passed_by);
    parts.push_back({std::move(file), std::move(images)});
  }
  auto store = std::make_shared<TarStore>(std::move(parts));
  if (store->size() == 0) {
    throw InputError(fmt::format("{}: no image ({}) in the shards of {}{}", folder.string(), image_endings(),
                                 split,
                                 collection.passed_by.empty() ? "" : "; " + collection.passed_by.text()));
  }
  return store;
}

std::int64_t largest_label(const ImageStore& store) {
  std::int64_t largest = 0;
  for (std::int64_t i = 0; i < store.size(); ++i) largest = std::max(largest, store.label(i));
  return largest;
}

/// The lines of classes.txt, as editors of every system leave them: with a byte-order mark, with carriage
/// returns, with blank lines at the end.
std::vector<std::string> names_in(const fs::path& path) {
  std::string text;
  try {
    text = read_file(path);
  } catch (const ReadFailed& failure) {
    if (is_trouble_of_the_disk(failure.reason())) throw;
    throw InputError(failure.what());
  }
  constexpr std::string_view kMark = "\xEF\xBB\xBF";
  if (text.compare(0, kMark.size(), kMark) == 0) text.erase(0, kMark.size());
  if (text.find('\0') != text.npos)
    throw InputError(fmt::format("{}: is no text in UTF-8; save it as UTF-8", path.string()));
  std::vector<std::string> names;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    constexpr const char* kBlank = " \t\r\v\f";
    const std::size_t first = line.find_first_not_of(kBlank);
    if (first != line.npos) names.push_back(line.substr(first, line.find_last_not_of(kBlank) - first + 1));
  }
  return names;
}

std::vector<std::string> class_names(const fs::path& folder, std::int64_t classes) {
  const fs::path path = folder / "classes.txt";
  std::error_code error;
  if (!fs::exists(path, error)) {
    std::vector<std::string> numbers;
    for (std::int64_t label = 0; label < classes; ++label) numbers.push_back(std::to_string(label));
    return numbers;
  }
  std::vector<std::string> names = names_in(path);
  if (static_cast<std::int64_t>(names.size()) == classes) return names;
  throw InputError(
      fmt::format("{}: {} names, and the shards have the labels 0 to {}; there must be a name for each",
                  path.string(), names.size(), classes - 1));
}

/// The split that is tested on; empty where there is none.
std::string chosen_split(const fs::path& folder, const ImageChoice& choice) {
  if (choice.test_on != "auto" && choice.split.empty()) {
    if (!shards_of(folder, choice.test_on).empty()) return choice.test_on;
    throw InputError(fmt::format("test_on \"{}\": {} has no shard {}*.tar and no {}/*.tar", choice.test_on,
                                 folder.string(), choice.test_on, choice.test_on));
  }
  for (const char* split : kTestSplits) {
    if (!shards_of(folder, split).empty()) return split;
  }
  return "";
}

}  // namespace

bool holds_shards(const fs::path& folder) {
  return !holds_imagenet_tars(folder) && !shards_of(folder, "train").empty();
}

std::vector<std::string> shards_in(const fs::path& folder) {
  std::set<std::string> found;
  const auto add = [&](const fs::path& path) { found.insert(path.lexically_relative(folder).string()); };
  for (const char* prefix : {"train", "ilsvrc2012", "val", "dev", "test"}) {
    for (const fs::path& path : tars_in(folder, prefix)) add(path);
    const fs::path below = folder_called(folder, prefix);
    if (below.empty()) continue;
    for (const fs::path& path : tars_in(below, "")) add(path);
  }
  return {found.begin(), found.end()};
}

ImageCollection open_webdataset(const fs::path& folder, const ImageChoice& choice) {
  const std::string test = chosen_split(folder, choice);
  if (test.empty() && choice.split.empty())
    throw InputError(
        fmt::format("{}: no shard val*.tar and no val/*.tar (or valid, validation, dev, test); to have a "
                    "part of the training images kept for tests, give --split 80/20",
                    folder.string()));
  ImageCollection collection;
  collection.train = open_shards(folder, "train", shards_of(folder, "train"), collection, choice);
  std::int64_t largest = largest_label(*collection.train);
  if (!test.empty()) {
    collection.val = open_shards(folder, test, shards_of(folder, test), collection, choice);
    collection.tested_on = test;
    largest = std::max(largest, largest_label(*collection.val));
  }
  collection.class_names = class_names(folder, largest + 1);
  return collection;
}

}  // namespace glidepath
