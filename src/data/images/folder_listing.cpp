// src/data/images/folder_listing.cpp - what lies in a folder of a data set, and which of its folders are
// what.
#include "data/images/folder_listing.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <dirent.h>
#include <set>
#include <string_view>
#include <sys/stat.h>
#include <utility>

#include <fmt/format.h>

#include "core/letters.h"
#include "data/stores/image_name.h"
#include "files/content_kind.h"
#include "files/read_file.h"
#include "glidepath/error.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

constexpr std::array<const char*, 2> kTraining = {"train", "training"};
// A test folder beside a validation folder is for the end: budgets and learning rates are chosen on the
// other.
constexpr std::array<const char*, 9> kTest = {"val",        "valid", "validation", "dev",  "eval",
                                              "evaluation", "test",  "testing",    "tests"};
constexpr int kDeepest = 8;  // folders below each other that are looked into for a first image

/// The name itself where there is one, else the first that differs in case alone.
std::optional<std::string> find_name(const std::vector<std::string>& names, const std::string& wanted) {
  std::optional<std::string> found;
  for (const std::string& name : names) {
    if (name == wanted) return name;
    if (!found && lower(name) == wanted) found = name;
  }
  return found;
}

using Identity = std::pair<dev_t, ino_t>;

/// Whether a first image is found; each folder is looked into once, whatever links lead to it.
bool is_in(const FolderListing& listing, const std::string& folder, int depth, std::set<Identity>& seen) {
  for (const std::string& file : listing.files) {
    if (!is_litter(file) && is_image_name(file)) return true;
  }
  if (depth == 0) return false;
  return std::any_of(listing.folders.begin(), listing.folders.end(), [&](const std::string& below) {
    try {
      const std::string path = folder + "/" + below;
      struct stat found {};
      if (stat(path.c_str(), &found) != 0 || !seen.insert({found.st_dev, found.st_ino}).second) return false;
      return is_in(list_folder(path), path, depth - 1, seen);
    } catch (const Error&) {
      return false;
    }
  });
}

}  // namespace

FolderListing list_folder(const std::string& folder) {
  const auto refuse = [&](int reason) {
    const std::string message = fmt::format("{}: cannot be read: {}", folder, std::strerror(reason));
    if (is_trouble_of_the_disk(reason)) throw ReadFailed(message, reason);
    throw InputError(message);
  };
  DIR* open = opendir(folder.c_str());
  if (open == nullptr) refuse(errno);
  FolderListing listing;
  for (errno = 0; const dirent* entry = readdir(open); errno = 0) {
    const std::string name = entry->d_name;
    if (name == "." || name == "..") continue;
    int type = entry->d_type;
    if (type == DT_LNK || type == DT_UNKNOWN) {
      struct stat found {};
      if (stat((folder + "/" + name).c_str(), &found) != 0) {  // a link to nothing
        if (!is_litter(name)) ++listing.broken_links;
        continue;
      }
      type = S_ISDIR(found.st_mode) ? DT_DIR : S_ISREG(found.st_mode) ? DT_REG : DT_UNKNOWN;
    }
    if (type == DT_DIR && !is_litter(name)) listing.folders.push_back(name);
    if (type == DT_REG) listing.files.push_back(name);
  }
  const int reason = errno;
  closedir(open);
  if (reason != 0) refuse(reason);
  std::sort(listing.files.begin(), listing.files.end());
  std::sort(listing.folders.begin(), listing.folders.end());
  return listing;
}

std::vector<std::string> folders_of_data_set(const std::string& root, const std::string& also) {
  try {
    return list_folder(root).folders;
  } catch (const InputError&) {
    std::vector<std::string> names(kTraining.begin(), kTraining.end());
    names.insert(names.end(), kTest.begin(), kTest.end());
    if (!also.empty()) names.push_back(also);
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    std::vector<std::string> found;
    for (const std::string& name : names) {
      std::error_code error;
      if (fs::is_directory(fs::path(root) / name, error)) found.push_back(name);
    }
    return found;
  }
}

bool holds_images(const std::string& folder) {
  try {
    std::set<Identity> seen;
    struct stat itself {};
    if (stat(folder.c_str(), &itself) == 0) seen.insert({itself.st_dev, itself.st_ino});
    return is_in(list_folder(folder), folder, kDeepest, seen);
  } catch (const Error&) {
    return false;
  }
}

std::vector<std::string> folders_with_images(const std::string& root) {
  std::vector<std::string> found;
  for (const std::string& name : list_folder(root).folders) {
    if (holds_images(root + "/" + name)) found.push_back(name);
  }
  return found;
}

std::optional<std::string> training_folder(const std::vector<std::string>& names) {
  for (const char* wanted : kTraining) {
    if (const auto found = find_name(names, wanted)) return found;
  }
  return std::nullopt;
}

std::vector<std::string> test_folders(const std::vector<std::string>& names) {
  std::vector<std::string> found;
  for (const char* wanted : kTest) {
    if (const auto name = find_name(names, wanted)) found.push_back(*name);
  }
  return found;
}

std::string told_test_folders() { return "val/ (or valid/, validation/, dev/, test/)"; }

std::string hint_for(const fs::path& path) {
  std::error_code error;
  if (fs::is_regular_file(path, error)) {
    std::string begin;
    try {
      std::vector<unsigned char> bytes;
      read_file(path.string(), bytes, std::size_t{1} << 20);
      begin.assign(bytes.begin(), bytes.end());
    } catch (const Error&) {  // a large one is an archive, most likely
    }
    const std::string kind = content_kind(begin.data(), begin.size());
    return kind.empty() ? "" : "it is " + kind;
  }
  FolderListing here;
  try {
    here = list_folder(path.string());
  } catch (const Error&) {
    return "";
  }
  for (const std::string& name : here.folders) {
    try {
      const FolderListing below = list_folder((path / name).string());
      if (training_folder(below.folders)) return fmt::format("give imagefolder:{}", (path / name).string());
    } catch (const Error&) {
      continue;
    }
  }
  const auto images = std::count_if(here.files.begin(), here.files.end(), [](const std::string& name) {
    return !is_litter(name) && is_image_name(name);
  });
  if (images > 0)
    return fmt::format("it holds {} image(s), and no folder that says what class they are of", images);
  return "";
}

}  // namespace glidepath
