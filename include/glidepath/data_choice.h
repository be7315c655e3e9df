// include/glidepath/data_choice.h - which data set is meant, and what is told of it; without torch.
#pragma once
#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace glidepath {

/// Which part of what lies at a path is meant, and what opening it may do. For images in memory the last two
/// count.
struct DataChoice {
  /// Shares of every class of a folder that has no splits, in percent: "80/20" to train and to test on,
  /// "80/10/10" with a last part that is kept apart; a seed behind an @. Empty: it must have splits.
  std::string split;
  /// The split that is tested on, by the name of its folder or shards; auto: val, valid, validation, dev,
  /// test, the first that is there. Of a split in three parts: val, or test.
  std::string test_on = "auto";
  double wait_seconds = 60;    ///< how long a disk in trouble is waited for
  std::int64_t context = 128;  ///< of tokens:PATH: how many make an example
  /// Of masks: the label of pixels that are left out, none, or auto: 255.
  std::string ignored_label = "auto";
  std::int64_t crop = 0;     ///< of segmentation:PATH: the side of training crops; 0: the smallest image's
  bool flip = true;          ///< likewise: whether they are mirrored at random
  std::int64_t workers = 0;  ///< likewise: threads that decode; 0: every core
  /// Told in one line what takes a while: a disk that is waited for, compressed tars that are unpacked.
  std::function<void(const std::string&)> tell = {};
};

/// Names that load_dataset knows: cifar10, cifar100, mnist, fashion-mnist, digits.
const std::vector<std::string>& dataset_names();

/// Throws as load_dataset() of dataset.h does when the data set is nowhere, without reading it.
void require_dataset(const std::string& name, const std::filesystem::path& data_dir = {},
                     const DataChoice& choice = {});

/// What is in a data set, for people.
struct DataInfo {
  std::string name, task;
  std::int64_t classes = 0, train = 0, test = 0;  ///< images
  std::vector<std::string> class_names;           ///< may be empty
  std::vector<std::int64_t> train_per_class, test_per_class;
  std::string tested_on;  ///< what the test split is called where it lies
  bool is_own = false;    ///< examples that are no images with a label each: nothing is counted by class
  bool in_memory = true;  ///< else its images are read as they are used, and have no one shape
  std::array<std::int64_t, 3> shape{};  ///< channels, height, width of images in memory
  std::vector<double> mean, stddev;     ///< by which images are normalised, by channel, on the [0, 1] scale
  std::vector<std::string> notes;       ///< what opening it found, a line each
};

/// Loads or opens it as load_dataset() does. `measured`: for images in memory, mean and standard deviation of
/// the training images in place of the known ones.
DataInfo data_info(const std::string& name, const std::filesystem::path& data_dir, const DataChoice& choice,
                   bool measured = false);

}  // namespace glidepath
