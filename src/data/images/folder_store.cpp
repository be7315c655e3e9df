// src/data/images/folder_store.cpp - class folders of image files, as torchvision's ImageFolder reads them.
#include "data/images/folder_store.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <dirent.h>
#include <sys/stat.h>
#include <utility>

#include <fmt/format.h>

#include "data/stores/image_name.h"
#include "files/read_file.h"
#include "glidepath/error.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

// More than the largest picture that is decoded could need.
constexpr std::size_t kMostBytes = std::size_t{2} << 30;

struct Listing {
  std::vector<std::string> files, folders;  // names alone, sorted by bytes
};

[[noreturn]] void refuse_folder(const std::string& folder, int reason) {
  throw InputError(fmt::format("{}: cannot be read: {}", folder, std::strerror(reason)));
}

Listing list_folder(const std::string& folder) {
  DIR* open = opendir(folder.c_str());
  if (open == nullptr) refuse_folder(folder, errno);
  Listing listing;
  for (errno = 0; const dirent* entry = readdir(open); errno = 0) {
    const std::string name = entry->d_name;
    if (name.front() == '.') continue;
    int type = entry->d_type;
    if (type == DT_LNK || type == DT_UNKNOWN) {
      struct stat found {};
      if (stat((folder + "/" + name).c_str(), &found) != 0) continue;  // a link to nothing
      type = S_ISDIR(found.st_mode) ? DT_DIR : S_ISREG(found.st_mode) ? DT_REG : DT_UNKNOWN;
    }
    if (type == DT_DIR) listing.folders.push_back(name);
    if (type == DT_REG) listing.files.push_back(name);
  }
  const int reason = errno;
  closedir(open);
  if (reason != 0) refuse_folder(folder, reason);
  std::sort(listing.files.begin(), listing.files.end());
  std::sort(listing.folders.begin(), listing.folders.end());
  return listing;
}

/// The files of one split. A million names take 40 MB: they stand one after the other in one string.
class FolderStore : public ImageStore {
 public:
  FolderStore(const fs::path& root, const std::vector<std::string>& classes) {
    for (std::size_t label = 0; label < classes.size(); ++label) {
      const std::size_t before = images_.size();
      const std::string folder = (root / classes[label]).string();
      add_below(folder, static_cast<std::int64_t>(label));
      if (images_.size() == before) {
        throw InputError(
            fmt::format("{}: has no image; a class needs files ending in .jpg, .jpeg or .png", folder));
      }
    }
  }

  std::int64_t size() const override { return static_cast<std::int64_t>(images_.size()); }
  std::int64_t label(std::int64_t index) const override { return folders_[image(index).folder].label; }
  std::string name(std::int64_t index) const override {
    return folders_[image(index).folder].path + "/" + &names_[image(index).name];
  }
  StoredImage read(std::int64_t index, std::vector<unsigned char>& buffer) const override {
    read_file(name(index), buffer, kMostBytes);
    return {StoredImage::Kind::kFile, buffer.data(), buffer.size()};
  }

 private:
  struct Folder {
    std::string path;
    std::int64_t label;
  };
  struct Image {
    std::uint32_t folder;
    std::uint64_t name;  // where it begins in names_
  };

  const Image& image(std::int64_t index) const { return images_[static_cast<std::size_t>(index)]; }

  // In the order of torchvision: folders by their whole path, and in each its files by name.
  void add_below(const std::string& top, std::int64_t label) {
    std::vector<std::pair<std::string, std::vector<std::string>>> found;
    std::vector<std::pair<dev_t, ino_t>> above;
    walk(top, above, found);
    std::sort(found.begin(), found.end());
    for (const auto& [path, files] : found) {
      folders_.push_back({path, label});
      for (const std::string& file : files) {
        images_.push_back({static_cast<std::uint32_t>(folders_.size() - 1), names_.size()});
        names_.append(file.c_str(), file.size() + 1);
      }
    }
  }

  static void walk(const std::string& folder, std::vector<std::pair<dev_t, ino_t>>& above,
                   std::vector<std::pair<std::string, std::vector<std::string>>>& found) {
    struct stat itself {};
    if (stat(folder.c_str(), &itself) != 0) refuse_folder(folder, errno);
    const std::pair<dev_t, ino_t> identity{itself.st_dev, itself.st_ino};
    if (std::find(above.begin(), above.end(), identity) != above.end())
      throw InputError(fmt::format("{}: is a link to a folder that it is in", folder));
    above.push_back(identity);
    Listing listing = list_folder(folder);
    for (const std::string& below : listing.folders) walk(folder + "/" + below, above, found);
    above.pop_back();
    auto& files = listing.files;
    files.erase(
        std::remove_if(files.begin(), files.end(), [](const auto& name) { return !is_image_name(name); }),
        files.end());
    if (!files.empty()) found.emplace_back(folder, std::move(files));
  }

  std::vector<Folder> folders_;
  std::vector<Image> images_;
  std::string names_;
};

bool is_folder(const fs::path& path) {
  std::error_code error;
  return fs::is_directory(path, error);
}

fs::path validation_folder(const fs::path& root) {
  for (const char* name : {"val", "validation", "test"}) {
    if (is_folder(root / name)) return root / name;
  }
  throw InputError(
      fmt::format("{}: has a folder train/ and no val/ (or validation/, or test/); a run is tested "
                  "on its images",
                  root.string()));
}

std::vector<std::string> classes_in(const fs::path& split) {
  std::vector<std::string> classes = list_folder(split.string()).folders;
  if (classes.empty())
    throw InputError(fmt::format("{}: has no folder; there must be one for each class", split.string()));
  return classes;
}

void require_same_classes(const fs::path& train, const std::vector<std::string>& in_train,
                          const fs::path& val, const std::vector<std::string>& in_val) {
  const auto require = [](const fs::path& here, const std::vector<std::string>& mine, const fs::path& there,
                          const std::vector<std::string>& others) {
    for (const std::string& name : mine) {
      if (std::binary_search(others.begin(), others.end(), name)) continue;
      throw InputError(fmt::format("{}: there is no such class in {}; both need the same classes",
                                   (here / name).string(), there.string()));
    }
  };
  require(train, in_train, val, in_val);
  require(val, in_val, train, in_train);
}

}  // namespace

bool has_image_folders(const fs::path& root) { return is_folder(root / "train"); }

ImageCollection open_image_folders(const fs::path& root) {
  const fs::path train = root / "train", val = validation_folder(root);
  ImageCollection images;
  images.class_names = classes_in(train);
  require_same_classes(train, images.class_names, val, classes_in(val));
  images.train = std::make_shared<FolderStore>(train, images.class_names);
  images.val = std::make_shared<FolderStore>(val, images.class_names);
  return images;
}

}  // namespace glidepath
