// src/data/stores/imagenet_tars.cpp - ImageNet's official files, read in place.
#include <algorithm>
#include <charconv>
#include <map>
#include <set>

#include <fmt/format.h>

#include "data/archives/archive_reader.h"
#include "data/fetch/fetch_context.h"
#include "data/stores/image_name.h"
#include "data/stores/matlab.h"
#include "data/stores/tar_collections.h"
#include "data/stores/tar_images.h"
#include "data/stores/tar_index.h"
#include "glidepath/error.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

constexpr const char* kTrainTar = "ILSVRC2012_img_train.tar";
constexpr const char* kValTar = "ILSVRC2012_img_val.tar";
constexpr const char* kDevkit = "ILSVRC2012_devkit_t12.tar.gz";
constexpr const char* kTruth = "ILSVRC2012_validation_ground_truth.txt";
constexpr const char* kMeta = "meta.mat";

struct Devkit {
  std::vector<std::string> wnids, words;  // by label: in the order of the wnids
  std::map<std::int64_t, std::int32_t> label_of_id;
  std::vector<std::int64_t> truth;  // the id of each validation image
};

struct DevkitFiles {
  std::string meta, truth;
};

std::string read_member(ArchiveReader& archive, const std::string& place) {
  constexpr std::size_t kMost = 64U << 20, kStep = 1U << 16;
  std::string text;
  for (;;) {
    const std::size_t before = text.size();
    text.resize(before + kStep);
    const std::size_t count = archive.read(text.data() + before, kStep);
    text.resize(before + count);
    if (count == 0) return text;
    if (text.size() > kMost) throw InputError(fmt::format("{}: is larger than 64 MiB", place));
  }
}

DevkitFiles unpack_devkit(const fs::path& path) {
  DevkitFiles files;
  try {
    ArchiveReader archive(path);
    while (const auto name = archive.next()) {
      if (*name == kMeta) files.meta = read_member(archive, path.string() + ": " + kMeta);
      if (*name == kTruth) files.truth = read_member(archive, path.string() + ": " + kTruth);
    }
  } catch (const SourceFailed& failure) {
    throw InputError(fmt::format("{}: {}; copy or fetch it again", path.string(), failure.reason));
  }
  for (const auto& [name, text] : {std::pair(kMeta, &files.meta), {kTruth, &files.truth}}) {
    if (text->empty()) throw InputError(fmt::format("{}: holds no {}; fetch it again", path.string(), name));
  }
  return files;
}

std::vector<std::int64_t> read_truth(const std::string& text, const std::string& place) {
  std::vector<std::int64_t> ids;
  const char *at = text.data(), *end = at + text.size();
  for (;;) {
    at = std::find_if(at, end, [](char c) { return c != '\n' && c != '\r' && c != ' '; });
    if (at == end) return ids;
    std::int64_t id = 0;
    const auto [after, error] = std::from_chars(at, end, id);
    if (error != std::errc() || (after != end && *after != '\n' && *after != '\r' && *after != ' ')) {
      throw InputError(fmt::format("{}: line {} is no number", place, ids.size() + 1));
    }
    ids.push_back(id);
    at = after;
  }
}

Devkit read_devkit(const fs::path& path) {
  const DevkitFiles files = unpack_devkit(path);
  std::vector<Synset> synsets = read_synsets(files.meta, fmt::format("{}: {}", path.string(), kMeta));
  // Those with children are nodes above the classes.
  synsets.erase(
      std::remove_if(synsets.begin(), synsets.end(), [](const Synset& s) { return s.children != 0; }),
      synsets.end());
  std::sort(synsets.begin(), synsets.end(), [](const Synset& a, const Synset& b) { return a.wnid < b.wnid; });
  Devkit devkit;
  for (const Synset& synset : synsets) {
    const auto label = static_cast<std::int32_t>(devkit.wnids.size());
    const bool is_twice = !devkit.wnids.empty() && devkit.wnids.back() == synset.wnid;
    if (is_twice || !devkit.label_of_id.emplace(synset.id, label).second) {
      throw InputError(fmt::format("{}: {}: {} (ILSVRC2012_ID {}) is there twice", path.string(), kMeta,
                                   synset.wnid, synset.id));
    }
    devkit.wnids.push_back(synset.wnid);
    devkit.words.push_back(synset.words);
  }
  devkit.truth = read_truth(files.truth, fmt::format("{}: {}", path.string(), kTruth));
  return devkit;
}

/// The tar of tars: names become "n01440764/n01440764_18.JPEG", as the unpacked folders have them.
TarImages index_train(const InputFile& file) {
  TarImages images;
  index_tar(file, whole_file(file), [&](const TarEntry& entry) {
    const fs::path inner = fs::path(entry.name).filename();
    if (inner.extension() != ".tar") return;
    const TarRange range{fmt::format("{}: {}", file.path().string(), entry.name), entry.offset, entry.size};
    index_tar(file, range, [&](const TarEntry& image) {
      const std::string name = fs::path(image.name).filename().string();
      if (!is_image_name(name) || is_litter(name)) return images.passed_by.add_file(name);
      images.add(inner.stem().string() + "/" + name, image.offset, image.size, -1, range.place);
    });
  });
  images.sort_by_name();
  return images;
}

TarImages index_val(const InputFile& file) {
  TarImages images;
  index_tar(file, whole_file(file), [&](const TarEntry& image) {
    const std::string name = fs::path(image.name).filename().string();
    if (!is_image_name(name) || is_litter(name)) return images.passed_by.add_file(name);
    images.add(name, image.offset, image.size, -1, file.path().string());
  });
  images.sort_by_name();
  return images;
}

void label_train(TarImages& images, const Devkit& devkit, const fs::path& path) {
  std::set<std::string> seen;
  for (std::size_t i = 0; i < images.images.size(); ++i) {
    const std::string_view name = images.name(i);
    const std::string wnid(name.substr(0, name.find('/')));
    const auto at = std::lower_bound(devkit.wnids.begin(), devkit.wnids.end(), wnid);
    if (at == devkit.wnids.end() || *at != wnid) {
      throw InputError(fmt::format("{}: {}.tar is no class of {}", path.string(), wnid,
                                   (path.parent_path() / kDevkit).string()));
    }
    images.images[i].label = static_cast<std::int32_t>(at - devkit.wnids.begin());
    seen.insert(wnid);
  }
  if (seen.size() != devkit.wnids.size()) {
    const auto missing = std::find_if(devkit.wnids.begin(), devkit.wnids.end(),
                                      [&](const std::string& wnid) { return seen.count(wnid) == 0; });
    if (missing == devkit.wnids.end()) return;
    throw InputError(fmt::format("{}: has {} of {} classes, {}.tar is missing; fetch it again", path.string(),
                                 seen.size(), devkit.wnids.size(), *missing));
  }
}

void label_val(TarImages& images, const Devkit& devkit, const fs::path& path) {
  const std::string kit = (path.parent_path() / kDevkit).string();
  if (images.images.size() != devkit.truth.size()) {
    throw InputError(fmt::format("{}: has {} images, and {} has labels of {}", path.string(),
                                 images.images.size(), kit, devkit.truth.size()));
  }
  for (std::size_t i = 0; i < images.images.size(); ++i) {
    const auto label = devkit.label_of_id.find(devkit.truth[i]);
    if (label == devkit.label_of_id.end()) {
      throw InputError(
          fmt::format("{}: {}: line {}: {} is no class of {}", kit, kTruth, i + 1, devkit.truth[i], kMeta));
    }
    images.images[i].label = label->second;
  }
}

fs::path need(const fs::path& folder, const char* name) {
  std::error_code error;
  if (fs::exists(folder / name, error)) return folder / name;
  throw InputError(fmt::format("{}: missing; ImageNet's files {}, {} and {} go into one folder, as they are",
                               (folder / name).string(), kTrainTar, kValTar, kDevkit));
}

std::shared_ptr<const ImageStore> make_store(std::unique_ptr<InputFile> file, TarImages images) {
  std::vector<TarStore::Part> parts;
  parts.push_back({std::move(file), std::move(images)});
  return std::make_shared<TarStore>(std::move(parts));
}

}  // namespace

bool holds_imagenet_tars(const fs::path& folder) {
  std::error_code error;
  return fs::exists(folder / kTrainTar, error);
}

ImageCollection open_imagenet_tars(const fs::path& folder, const ImageChoice& choice) {
  if (choice.test_on != "auto" && choice.test_on != "val")
    throw InputError(fmt::format("test_on \"{}\": ImageNet's files have val alone", choice.test_on));
  const fs::path train_path = need(folder, kTrainTar), val_path = need(folder, kValTar);
  const Devkit devkit = read_devkit(need(folder, kDevkit));
  auto train_file = std::make_unique<InputFile>(train_path), val_file = std::make_unique<InputFile>(val_path);
  TarImages train =
      cached_tar_images(*train_file, "imagenet train", [&] { return index_train(*train_file); });
  TarImages val = cached_tar_images(*val_file, "imagenet val", [&] { return index_val(*val_file); });
  label_train(train, devkit, train_path);
  label_val(val, devkit, val_path);

  ImageCollection collection;
  for (std::size_t label = 0; label < devkit.wnids.size(); ++label) {
    collection.class_names.push_back(devkit.wnids[label] + " " + devkit.words[label]);
  }
  collection.passed_by.add(train.passed_by);
  collection.passed_by.add(val.passed_by);
  collection.train = make_store(std::move(train_file), std::move(train));
  collection.val = make_store(std::move(val_file), std::move(val));
  collection.tested_on = "val";
  return collection;
}

}  // namespace glidepath
