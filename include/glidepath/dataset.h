// include/glidepath/dataset.h - image data sets: small ones held in memory, large ones read as they are used.
#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <torch/types.h>

#include "glidepath/data_choice.h"

namespace glidepath {

class CorruptImages;
class Examples;
class ImageStore;
class Patience;

/// One split. labels int64 [N], each in [0, classes). The images are either in memory, `images` uint8
/// [N, C, H, W] contiguous, or encoded in `store` under the same numbers, and `images` is then undefined. Of
/// data of one's own (glidepath/examples.h) there are `examples` alone.
struct Split {
  torch::Tensor images;
  torch::Tensor labels;
  std::shared_ptr<const ImageStore> store = nullptr;
  std::shared_ptr<CorruptImages> corrupt = nullptr;  ///< those of the store met so far; none in memory
  std::shared_ptr<Patience> patience =
      nullptr;  ///< what waits where the store cannot be read; none in memory

  std::shared_ptr<const Examples> examples = nullptr;

  std::int64_t size() const;
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
  /// Per channel, on the [0, 1] scale: of the training split, and ImageNet's for images in a store.
  std::vector<float> mean, stddev;
  bool flip = true;  ///< whether a horizontal flip keeps the label's meaning (not for digits)
  Split train, test;
  Split val = {};  ///< held out of train by TrainConfig::val, to choose on; empty where nothing is
  ImageOptions image_options;
  /// What models are trained for on it, where nobody says otherwise: classify, multilabel, regress, segment
  /// or language.
  std::string task = "classify";
  std::int64_t ignored_label = -1;  ///< of segmentation: pixels with it are left out; -1: none has it
  std::int64_t tokens = 0;          ///< of language: that one example has to predict
  double bytes_per_token = 0;       ///< of language, of its test text; 0: not known
  std::string tested_on;  ///< what `test` is called where it lies: "valid"; empty for images in memory
  std::vector<std::string> notes;  ///< what opening it found and the user should know, a line each

  bool has_val() const { return val.labels.defined() || val.examples; }
  bool is_own() const { return train.examples != nullptr; }
  /// What is tested on the way: val where there is one, else test.
  const Split& watched() const { return has_val() ? val : test; }
  /// Whether nothing has to be decoded.
  bool in_memory() const { return train.images.defined() || is_own(); }
  /// Of images; 0 for data of one's own, as is the next.
  std::int64_t channels() const { return is_own() ? 0 : in_memory() ? train.images.size(1) : 3; }
  /// Height and width of the images that are trained on.
  std::int64_t image_size() const {
    return is_own() ? 0 : in_memory() ? train.images.size(2) : image_options.train_size;
  }
};

/// Mean and standard deviation of each channel, on the [0, 1] scale.
struct DatasetStatistics {
  std::vector<double> mean, stddev;
};

/// Of the training images of a data set in memory, measured. Encoded ones: measure_images() of image_pack.h.
DatasetStatistics measure_statistics(const Dataset& dataset);

/// How many images of each class there are, by label.
std::vector<std::int64_t> images_per_class(const Split& split, std::int64_t classes);

/// Loads the data set of that name, or opens the images at PATH for "imagefolder:PATH" (docs/images.md), or
/// the files of "tensors:PATH", "tokens:PATH" or "segmentation:PATH" (docs/data.md); a relative PATH is taken
/// from `data_dir` where one is given.
///
/// Where data sets are looked for, in this order: `data_dir` when not empty, $GLIDEPATH_DATA,
/// $XDG_CACHE_HOME/glidepath/data, ~/.cache/glidepath/data. Each may hold the official folder
/// (cifar-10-batches-bin, cifar-100-binary, ...) with the files, or, looked at after that, the files
/// themselves. Every file is checked by size, and label range; a wrong one throws InputError that names the
/// file, its size, the size expected and what to do (`glidepath data fetch cifar10`). RunError where a disk
/// did not give its files for choice.wait_seconds.
Dataset load_dataset(const std::string& name, const std::filesystem::path& data_dir = {},
                     const DataChoice& choice = {});

}  // namespace glidepath
