// include/glidepath/dataset.h - image data sets: small ones held in memory, large ones read as they are used.
#pragma once
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <torch/types.h>

namespace glidepath {

class CorruptImages;
class ImageStore;

/// One split. labels int64 [N], each in [0, classes). The images are either in memory, `images` uint8
/// [N, C, H, W] contiguous, or encoded in `store` under the same numbers, and `images` is then undefined.
struct Split {
  torch::Tensor images;
  torch::Tensor labels;
  std::shared_ptr<const ImageStore> store = nullptr;
  std::shared_ptr<CorruptImages> corrupt = nullptr;  ///< those of the store met so far; none in memory

  std::int64_t size() const { return labels.size(0); }
  /// Its first `count` images, which must not be more than there are.
  Split first(std::int64_t count) const;
};

/// How encoded images become what a network is given; of no consequence for images in memory.
struct ImageOptions {
  std::int64_t train_size = 224;   ///< side of the random-resized crops that are trained on
  std::int64_t eval_size = 224;    ///< side of the centre crop that is tested on
  std::int64_t eval_resize = 256;  ///< what the shorter side is resized to before it
  /// Whether photographs are turned as their EXIF orientation says. torchvision's loader does not.
  bool exif_orientation = false;
  std::int64_t workers = 0;  ///< threads that decode; 0: every core
};

struct Dataset {
  std::string name;
  std::int64_t classes = 0;
  std::vector<std::string> class_names;  ///< may be empty
  std::vector<float> mean, stddev;       ///< per channel, on the [0, 1] scale, of the training split
  bool flip = true;  ///< whether a horizontal flip keeps the label's meaning (not for digits)
  Split train, test;
  ImageOptions image_options;

  bool in_memory() const { return train.images.defined(); }
  std::int64_t channels() const { return in_memory() ? train.images.size(1) : 3; }
  /// Height and width of the images that are trained on.
  std::int64_t image_size() const { return in_memory() ? train.images.size(2) : image_options.train_size; }
};

/// Names that load_dataset knows: cifar10, cifar100, mnist, fashion-mnist, digits.
const std::vector<std::string>& dataset_names();

/// Loads the data set of that name, or opens the images at PATH for "imagefolder:PATH" (docs/images.md); a
/// relative PATH is taken from `data_dir` where one is given.
///
/// Where data sets are looked for, in this order: `data_dir` when not empty, $GLIDEPATH_DATA,
/// $XDG_CACHE_HOME/glidepath/data, ~/.cache/glidepath/data. Each may hold the official folder
/// (cifar-10-batches-bin, cifar-100-binary, ...) with the files, or, looked at after that, the files
/// themselves. Every file is checked by size, and label range; a wrong one throws InputError that names the
/// file, its size, the size expected and what to do (`glidepath data fetch cifar10`).
Dataset load_dataset(const std::string& name, const std::filesystem::path& data_dir = {});

/// Throws the same when the data set is nowhere, without reading it.
void require_dataset(const std::string& name, const std::filesystem::path& data_dir = {});

}  // namespace glidepath
