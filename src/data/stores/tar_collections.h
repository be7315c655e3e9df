// src/data/stores/tar_collections.h - data sets of images that lie in tar files.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "data/images/image_store.h"

namespace glidepath {

/// Whether the folder holds ILSVRC2012_img_train.tar, by which one knows ImageNet's own files.
bool holds_imagenet_tars(const std::filesystem::path& folder);

/// ImageNet as its makers publish it, nothing unpacked: ILSVRC2012_img_train.tar, ILSVRC2012_img_val.tar and
/// ILSVRC2012_devkit_t12.tar.gz in one folder. Labels are those of torchvision: classes in the order of
/// their WordNet ids. Images are in the order of ImageFolder over the unpacked files for training, and of
/// their numbers for validation. class_names are "n01440764 tench, Tinca tinca". Throws InputError naming
/// the file that is missing, damaged or does not fit the others.
ImageCollection open_imagenet_tars(const std::filesystem::path& folder, const ImageChoice& choice = {});

/// Whether the folder has tar files named train*.tar, or train/*.tar, other than ImageNet's own.
bool holds_shards(const std::filesystem::path& folder);

/// What would be taken for shards or for ImageNet's files, if class folders were not: "train.tar".
std::vector<std::string> shards_in(const std::filesystem::path& folder);

/// WebDataset's shards: train*.tar and val*.tar, or train/*.tar and val/*.tar, in the order of their names;
/// for val there may be valid, validation, dev or test. Compressed ones are read by open_tar().
///
/// A sample is the files of one name up to its first dot, one after the other: an image (is_image_name()) and
/// its label, as .cls (a number) or in .json (its "label"). Where names have more dots, an image belongs to
/// the label that shares most of its name: "a.1.jpg" to "a.1.cls", and where there is none to "a.cls". There
/// are as many classes as the largest label says, named in classes.txt (a line each) if the folder has one,
/// else by their numbers. Throws InputError naming shard and sample for an image without label, a label with
/// two images or a sample twice, a label that is no number, and damaged tars; naming classes.txt where its
/// names are not as many as the classes.
ImageCollection open_webdataset(const std::filesystem::path& folder, const ImageChoice& choice = {});

}  // namespace glidepath
