// src/data/images/folder_store.cpp - class folders of image files, as torchvision's ImageFolder reads them.
#include "data/images/folder_store.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <dirent.h>
#include <initializer_list>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "data/formats/decode.h"
#include "data/images/folder_listing.h"
#include "data/stores/image_name.h"
#include "files/read_file.h"
#include "glidepath/error.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

/// Whether a folder can be looked into and is not bare, as a place is where a disk was mounted.
bool is_at_hand(const std::string& folder) {
  DIR* open = opendir(folder.c_str());
  if (open == nullptr) return false;
  bool is_bare = true;
  while (const dirent* entry = readdir(open)) {
    if (std::strcmp(entry->d_name, ".") != 0 && std::strcmp(entry->d_name, "..") != 0) is_bare = false;
  }
  closedir(open);
  return !is_bare && access(folder.c_str(), X_OK) == 0;
}

/// A file that is missing where its neighbours are is gone for good. Where the folder is away with it, or the
/// disk gives an error, it may come back.
void read_or_tell(const std::string& file, const std::string& folder, std::vector<unsigned char>& buffer) {
  for (bool is_second = false;; is_second = true) {
    try {
      return read_file(file, buffer, kLargestImageFile);
    } catch (const ReadFailed& failure) {
      if (is_trouble_of_the_disk(failure.reason()) || !is_at_hand(folder)) throw;
      if (is_second) throw RunError(failure.what());  // the folder was not back just now
    }
  }
}

/// The files of one split. A million names take 40 MB: they stand one after the other in one string.
class FolderStore : public ImageStore {
 public:
  /// `root` is the data set's, `split` the folder of the classes.
  FolderStore(const fs::path& root, const fs::path& split, const std::vector<std::string>& classes,
              PassedBy& passed_by)
      : root_bytes_((root / "").string().size()) {
    for (std::size_t label = 0; label < classes.size(); ++label) {
      const std::size_t before = images_.size();
      const std::string folder = (split / classes[label]).string();
      PassedBy here;
      add_below(folder, static_cast<std::int64_t>(label), here);
      passed_by.add(here);
      if (images_.size() != before) continue;
      throw InputError(fmt::format("{}: has no image; a class needs files ending in {}{}", folder,
                                   image_endings(), here.empty() ? "" : "; " + here.text()));
    }
  }

  std::int64_t size() const override { return static_cast<std::int64_t>(images_.size()); }
  std::int64_t label(std::int64_t index) const override { return folder_of(index).label; }
  std::string name(std::int64_t index) const override {
    return folder_of(index).path + "/" + &names_[image(index).name];
  }
  std::string local_name(std::int64_t index) const override { return name(index).substr(root_bytes_); }
  std::uint64_t fingerprint(std::int64_t index) const override {
    struct stat found {};
    return stat(name(index).c_str(), &found) == 0 ? static_cast<std::uint64_t>(found.st_size) : 0;
  }
  StoredImage read(std::int64_t index, std::vector<unsigned char>& buffer) const override {
    read_or_tell(name(index), folder_of(index).path, buffer);
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
  using Found = std::vector<std::pair<std::string, std::vector<std::string>>>;

  const Image& image(std::int64_t index) const { return images_[static_cast<std::size_t>(index)]; }
  const Folder& folder_of(std::int64_t index) const { return folders_[image(index).folder]; }

  // In the order of torchvision: folders by their whole path, and in each its files by name.
  void add_below(const std::string& top, std::int64_t label, PassedBy& passed_by) {
    Found found;
    Walk walked;
    walk(top, walked, found, passed_by);
    std::sort(found.begin(), found.end());
    for (const auto& [path, files] : found) {
      folders_.push_back({path, label});
      for (const std::string& file : files) {
        images_.push_back({static_cast<std::uint32_t>(folders_.size() - 1), names_.size()});
        names_.append(file.c_str(), file.size() + 1);
      }
    }
  }

  struct Walk {
    std::vector<std::pair<dev_t, ino_t>> above;  // the folders that one is in
    std::int64_t folders = 0;
  };

  // Links that part and meet again make of a few folders more paths than there is time for.
  static void walk(const std::string& folder, Walk& walked, Found& found, PassedBy& passed_by) {
    constexpr std::int64_t kMostFolders = 1'000'000;
    if (++walked.folders > kMostFolders)
      throw InputError(
          fmt::format("{}: one class has more than {} folders, links counted", folder, kMostFolders));
    struct stat itself {};
    if (stat(folder.c_str(), &itself) != 0)
      throw InputError(fmt::format("{}: cannot be read: {}", folder, std::strerror(errno)));
    const std::pair<dev_t, ino_t> identity{itself.st_dev, itself.st_ino};
    std::vector<std::pair<dev_t, ino_t>>& above = walked.above;
    if (std::find(above.begin(), above.end(), identity) != above.end())
      throw InputError(fmt::format("{}: is a link to a folder that it is in", folder));
    above.push_back(identity);
    FolderListing listing = list_folder(folder);
    for (const std::string& below : listing.folders) walk(folder + "/" + below, walked, found, passed_by);
    above.pop_back();
    if (listing.broken_links > 0) passed_by.add("link(s) to nothing", listing.broken_links);
    std::vector<std::string> images;
    for (std::string& file : listing.files) {
      if (is_image_name(file) && !is_litter(file)) {
        images.push_back(std::move(file));
      } else {
        passed_by.add_file(file);
      }
    }
    if (!images.empty()) found.emplace_back(folder, std::move(images));
  }

  std::size_t root_bytes_;
  std::vector<Folder> folders_;
  std::vector<Image> images_;
  std::string names_;
};

[[noreturn]] void refuse_one_class(const fs::path& split, const std::string& name) {
  const fs::path folder = split / name;
  const auto below = folders_with_images(folder.string());
  if (below.size() < 2) {
    throw InputError(
        fmt::format("{}: is the only class in {}; there must be a folder for each of two classes "
                    "or more",
                    folder.string(), split.string()));
  }
  throw InputError(
      fmt::format("{}: is the only folder in {}, and would be the only class; the classes seem to "
                  "be the folders in it ({}{}): move them up into {}",
                  folder.string(), split.string(), below[0] + ", " + below[1],
                  below.size() > 2 ? ", ..." : "", split.string()));
}

/// images/ beside masks/ is how sets for other tasks lie; as classes they would be learned to 100 %.
void refuse_other_tasks(const fs::path& split, const std::vector<std::string>& classes) {
  const auto all_are = [&](std::initializer_list<const char*> words) {
    return std::all_of(classes.begin(), classes.end(), [&](const std::string& name) {
      return std::find(words.begin(), words.end(), name) != words.end();
    });
  };
  const bool has_pictures = std::any_of(classes.begin(), classes.end(), [](const std::string& name) {
    return name == "images" || name == "image" || name == "imgs" || name == "img" || name == "JPEGImages";
  });
  if (!has_pictures ||
      !all_are({"images", "image", "imgs", "img", "JPEGImages", "masks", "mask", "labels", "label",
                "annotations", "annotation", "Annotations", "SegmentationClass", "gt"}))
    return;
  throw InputError(
      fmt::format("{}: its folders {} are the parts of a data set for segmentation or detection, and "
                  "no classes; there must be a folder for each class",
                  split.string(), fmt::join(classes, ", ")));
}

std::vector<std::string> folders_in(const fs::path& split) {
  std::vector<std::string> folders = list_folder(split.string()).folders;
  if (!folders.empty()) return folders;
  throw InputError(fmt::format("{}: has no folder; there must be one for each class", split.string()));
}

std::vector<std::string> classes_in(const fs::path& split) {
  std::vector<std::string> classes = folders_in(split);
  if (classes.size() == 1) refuse_one_class(split, classes.front());
  refuse_other_tasks(split, classes);
  return classes;
}

/// Files beside the class folders of a split.
void count_loose_files(const fs::path& split, ImageCollection& images) {
  std::int64_t loose = 0;
  for (const std::string& file : list_folder(split.string()).files) {
    if (is_image_name(file) && !is_litter(file)) {
      ++loose;
    } else if (ending_of(file) != ".tar") {  // those are named
      images.passed_by.add_file(file);
    }
  }
  if (loose > 0)
    images.notes.push_back(fmt::format("{} {} beside the class folders of {} passed by", loose,
                                       loose == 1 ? "image" : "images", split.string()));
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

/// The folder to test on; none where a part of the training folder is to be kept for it.
std::optional<std::string> chosen_test_folder(const fs::path& root, const std::string& train,
                                              const ImageChoice& choice) {
  const std::vector<std::string> folders = folders_of_data_set(root.string(), choice.test_on);
  if (choice.test_on != "auto" && choice.split.empty()) {
    if (std::find(folders.begin(), folders.end(), choice.test_on) != folders.end()) return choice.test_on;
    throw InputError(fmt::format("test_on \"{}\": {} has no such folder; it has {}", choice.test_on,
                                 root.string(), fmt::join(folders, ", ")));
  }
  const std::vector<std::string> found = test_folders(folders);
  for (const std::string& name : found) {
    if (!list_folder((root / name).string()).folders.empty()) return name;
  }
  if (!choice.split.empty()) return std::nullopt;
  if (!found.empty()) return found.front();  // and its error
  throw InputError(
      fmt::format("{}: has a folder {}/ and no {}; a run is tested on its images. To have a part "
                  "of {}/ kept for that, give --split 80/20",
                  root.string(), train, told_test_folders(), train));
}

}  // namespace

bool has_class_folders(const fs::path& root) {
  std::error_code error;
  if (!fs::is_directory(root, error)) return false;
  return training_folder(folders_of_data_set(root.string())).has_value();
}

bool has_images_in_class_folders(const fs::path& root) {
  const auto train = training_folder(folders_of_data_set(root.string()));
  if (!train) return false;
  const std::string split = (root / *train).string();
  const std::vector<std::string> classes = list_folder(split).folders;
  return std::any_of(classes.begin(), classes.end(),
                     [&](const std::string& name) { return holds_images(split + "/" + name); });
}

ImageCollection open_image_folders(const fs::path& root, const ImageChoice& choice) {
  const std::string train_name = training_folder(folders_of_data_set(root.string())).value();
  const auto test_name = chosen_test_folder(root, train_name, choice);
  const fs::path train = root / train_name;
  ImageCollection images;
  images.class_names = classes_in(train);
  count_loose_files(train, images);
  if (!test_name) {
    images.train = std::make_shared<FolderStore>(root, train, images.class_names, images.passed_by);
    return images;
  }
  const fs::path test = root / *test_name;
  require_same_classes(train, images.class_names, test, folders_in(test));
  images.train = std::make_shared<FolderStore>(root, train, images.class_names, images.passed_by);
  images.val = std::make_shared<FolderStore>(root, test, images.class_names, images.passed_by);
  images.tested_on = *test_name;
  if (test != train) count_loose_files(test, images);
  std::vector<std::string> others = test_folders(folders_of_data_set(root.string()));
  others.erase(std::remove(others.begin(), others.end(), *test_name), others.end());
  if (!others.empty())
    images.notes.push_back(fmt::format("tested on {}; not looked at: {} (--test-on {})", test.string(),
                                       fmt::join(others, ", "), others.front()));
  return images;
}

bool is_class_folders(const fs::path& root) {
  std::error_code error;
  if (!fs::is_directory(root, error)) return false;
  try {
    const std::vector<std::string> folders = list_folder(root.string()).folders;
    return std::any_of(folders.begin(), folders.end(),
                       [&](const std::string& name) { return holds_images((root / name).string()); });
  } catch (const InputError&) {
    return false;
  }
}

ImageCollection open_single_folder(const fs::path& root, const ImageChoice& choice) {
  if (choice.split.empty()) {
    const auto refuse = [&](const std::string& what) {
      throw InputError(fmt::format("data \"imagefolder:{}\": {}", root.string(), what));
    };
    fs::path whole = root.lexically_normal();
    if (!whole.has_filename()) whole = whole.parent_path();
    if (whole.filename() == "." || whole.filename() == "..") whole = fs::absolute(whole).lexically_normal();
    const fs::path above = whole.has_parent_path() ? whole.parent_path() : fs::path(".");
    const std::vector<std::string> name = {whole.filename().string()};
    const bool is_split = training_folder(name) || !test_folders(name).empty();
    if (is_split && has_class_folders(above))
      refuse(fmt::format("is one of the splits in {}; give imagefolder:{}", above.string(), above.string()));
    const std::string hint = hint_for(root);
    if (!hint.empty()) refuse("must hold train/ and val/; " + hint);
    const std::vector<std::string> classes = classes_in(root);  // or what is wrong with them
    refuse(
        fmt::format("holds class folders ({}, {}{}) and no train/ and val/; to have a part of every class "
                    "kept for tests, give --split 80/20",
                    classes[0], classes[1], classes.size() > 2 ? ", ..." : ""));
  }
  ImageCollection images;
  images.class_names = classes_in(root);
  count_loose_files(root, images);
  images.train = std::make_shared<FolderStore>(root, root, images.class_names, images.passed_by);
  return images;
}

}  // namespace glidepath
