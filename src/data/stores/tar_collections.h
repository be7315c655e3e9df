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
ImageCollection open_imagenet_tars(const std::filesystem::path& folder);

/// Whether the folder has tar files named train*.tar, or train/*.tar, other than ImageNet's own.
bool holds_shards(const std::filesystem::path& folder);

/// WebDataset's shards: train*.tar and val*.tar, or train/*.tar and val/*.tar, in the order of their names.
/// A sample is the files of one name up to its first dot, one after the other: an image (.jpg, .jpeg, .png)
/// and its label, as .cls (a number) or in .json (its "label"). There are as many classes as the largest
/// label says, named in classes.txt (a line each) if the folder has one, else by their numbers. Throws
/// InputError naming shard and sample for an image without label or twice, a label that is no number,
/// and damaged tars.
ImageCollection open_webdataset(const std::filesystem::path& folder);

}  // namespace glidepath
