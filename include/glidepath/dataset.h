// include/glidepath/dataset.h - image data sets held in memory, read from their official files and checked.
#pragma once
#include <array>
#include <filesystem>
#include <string>
#include <vector>

#include <torch/types.h>

namespace glidepath {

/// One split. images uint8 [N, C, H, W] contiguous; labels int64 [N], each in [0, classes).
struct Split {
  torch::Tensor images;
  torch::Tensor labels;
};

struct Dataset {
  std::string name;
  std::int64_t classes = 0;
  std::vector<std::string> class_names;  ///< may be empty
  std::vector<float> mean, stddev;       ///< per channel, on the [0, 1] scale, of the training split
  bool flip = true;  ///< whether a horizontal flip keeps the label's meaning (not for digits)
  Split train, test;
};

/// Names that load_dataset knows: cifar10, cifar100, mnist, fashion-mnist, digits.
const std::vector<std::string>& dataset_names();

/// Where data sets are looked for, in this order: `data_dir` when not empty, $GLIDEPATH_DATA,
/// $XDG_CACHE_HOME/glidepath/data, ~/.cache/glidepath/data. Each may hold the official folder
/// (cifar-10-batches-bin, cifar-100-binary, ...) with the files, or, looked at after that, the files
/// themselves. Every file is checked by size, and label range; a wrong one throws InputError that names the
/// file, its size, the size expected and what to do (`glidepath data fetch cifar10`).
Dataset load_dataset(const std::string& name, const std::filesystem::path& data_dir = {});

/// Throws the same when the data set is nowhere, without reading it.
void require_dataset(const std::string& name, const std::filesystem::path& data_dir = {});

}  // namespace glidepath
