// src/data/images/folder_listing.h - what lies in a folder of a data set, and which of its folders are what.
#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace glidepath {

/// Names alone, sorted by bytes; without what is_litter(), but with the hidden files.
struct FolderListing {
  std::vector<std::string> files, folders;
  std::int64_t broken_links = 0;
};

/// Throws InputError naming a folder that cannot be read, and ReadFailed where its disk is in trouble.
FolderListing list_folder(const std::string& folder);

/// The folders in a data set's own folder. Where that cannot be listed, which says nothing of what is below,
/// those of the names that splits have, and `also`, that are there.
std::vector<std::string> folders_of_data_set(const std::string& root, const std::string& also = "");

/// Whether there is an image in the folder or below it. A folder that cannot be read has none.
bool holds_images(const std::string& folder);

/// The folders below `root` that hold images, hereafter the classes where `root` is a split.
std::vector<std::string> folders_with_images(const std::string& root);

/// Which of `names` is the folder to train on: train or training, written in any case.
std::optional<std::string> training_folder(const std::vector<std::string>& names);

/// Those of `names` that are folders to test on, the one to be taken first: val, valid, validation, dev,
/// test, and names like these, in any case.
std::vector<std::string> test_folders(const std::vector<std::string>& names);

/// Names of the same in their order, for messages: "val/ (or valid/, ...)".
std::string told_test_folders();

/// What stands in place of the folders train/ and val/ at a path, and what would be right. Empty where
/// nothing can be said.
std::string hint_for(const std::filesystem::path& path);

}  // namespace glidepath
