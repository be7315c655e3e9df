// src/data/own/mask_set.cpp - images with masks: opened, checked, and cut at random for training.
#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <mutex>
#include <utility>

#include <fmt/format.h>
#include <torch/types.h>

#include "data/own/image_table.h"
#include "data/own/labelled_picture.h"
#include "data/own/mask_folder.h"
#include "data/own/own_sets.h"
#include "data/own/side_by_side.h"
#include "glidepath/error.h"
#include "glidepath/examples.h"
#include "system/cores.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

constexpr std::size_t kMostHeld = std::size_t{1} << 30;  // bytes of decoded pictures
constexpr std::size_t kLabels = 256;

/// What opening a split finds out.
struct Found {
  std::vector<LabelledPicture> held;  // decoded; none where they are too many
  ImageSize smallest{1 << 30, 1 << 30}, largest;
  std::array<bool, kLabels> has{};
};

/// Decodes every image and mask, on all cores. Of those that are wrong the first is told.
class Opening {
 public:
  Opening(const std::vector<MaskedImage>& list, std::int64_t classes, std::int64_t ignored)
      : list_(list), classes_(classes), ignored_(ignored), held_(list.size()) {}

  Found open(int threads) {
    side_by_side(list_.size(), threads,
                 [&](std::size_t i) { take(i, read_labelled(list_[i].image, list_[i].mask)); });
    if (is_too_much_) held_.clear();
    found_.held = std::move(held_);
    return std::move(found_);
  }

 private:
  void take(std::size_t i, LabelledPicture picture) {
    std::array<bool, kLabels> has{};
    for (const unsigned char label : picture.labels) has[label] = true;
    if (classes_ > 0) check_labels(list_[i].mask, picture, has);
    const std::lock_guard<std::mutex> lock(mutex_);
    for (std::size_t label = 0; label < kLabels; ++label) found_.has[label] = found_.has[label] || has[label];
    found_.smallest.width = std::min(found_.smallest.width, picture.size.width);
    found_.smallest.height = std::min(found_.smallest.height, picture.size.height);
    found_.largest.width = std::max(found_.largest.width, picture.size.width);
    found_.largest.height = std::max(found_.largest.height, picture.size.height);
    bytes_ += picture.pixels.size() + picture.labels.size();
    is_too_much_ = is_too_much_ || bytes_ > kMostHeld;
    if (is_too_much_) return;
    held_[i] = std::move(picture);
  }
  void check_labels(const fs::path& mask, const LabelledPicture& picture,
                    const std::array<bool, kLabels>& has) const {
    for (std::size_t label = static_cast<std::size_t>(classes_); label < kLabels; ++label) {
      if (!has[label] || static_cast<std::int64_t>(label) == ignored_) continue;
      const auto at = static_cast<std::size_t>(
          std::find(picture.labels.begin(), picture.labels.end(), static_cast<unsigned char>(label)) -
          picture.labels.begin());
      const auto width = static_cast<std::size_t>(picture.size.width);
      throw InputError(
          fmt::format("{}: row {}, column {} has the label {}, and classes.txt names {}; is it to be left "
                      "out, --ignored-label {}?",
                      mask.string(), at / width, at % width, label, classes_, label));
    }
  }

  const std::vector<MaskedImage>& list_;
  std::int64_t classes_, ignored_;
  std::vector<LabelledPicture> held_;
  Found found_;
  std::mutex mutex_;
  std::size_t bytes_ = 0;
  bool is_too_much_ = false;
};

struct MaskOptions {
  ImageSize crop, whole;  ///< of training examples, and of those that are looked at
  std::int64_t ignored = -1;
  bool flip = true;
  int threads = 1;  ///< that make a batch
};

/// Images float32 [B, 3, H, W], normalised, and masks int64 [B, H, W].
class MaskExamples : public Examples {
 public:
  MaskExamples(std::vector<MaskedImage> list, std::vector<LabelledPicture> held, const MaskOptions& options)
      : list_(std::move(list)), held_(std::move(held)), options_(options) {}
  std::int64_t size() const override { return static_cast<std::int64_t>(list_.size()); }
  Batch batch(const Request& request) const override {
    const auto count = static_cast<std::int64_t>(request.numbers.size());
    const ImageSize size = request.training ? options_.crop : options_.whole;
    Batch batch;
    batch.examples = count;
    batch.inputs.push_back(torch::empty({count, 3, size.height, size.width}));
    batch.targets.push_back(torch::empty({count, size.height, size.width}, torch::kInt64));
    auto* image = batch.inputs[0].data_ptr<float>();
    auto* mask = batch.targets[0].data_ptr<std::int64_t>();
    const auto area = static_cast<std::size_t>(size.width) * static_cast<std::size_t>(size.height);
    side_by_side(request.numbers.size(), options_.threads, [&](std::size_t i) {
      const LabelledPicture picture = example(request, request.numbers[i], size);
      table_.write(picture.pixels.data(), static_cast<std::size_t>(size.width) * kPixelBytes, size,
                   image + 3 * area * i);
      std::copy(picture.labels.begin(), picture.labels.end(), mask + area * i);
    });
    return batch;
  }

 private:
  LabelledPicture example(const Request& request, std::int64_t number, ImageSize size) const {
    const auto at = static_cast<std::size_t>(number);
    const auto beyond = static_cast<unsigned char>(std::max<std::int64_t>(0, options_.ignored));
    LabelledPicture read;
    if (held_.empty()) read = read_labelled(list_[at].image, list_[at].mask);
    const LabelledPicture& picture = held_.empty() ? read : held_[at];
    JointCrop crop{picture.size};
    if (request.training) crop = random_crop(picture.size, request.random(number));
    return cropped(picture, crop, size, beyond);
  }
  /// Half to twice the size, then a part of it. Without a label for what is beyond it, no smaller.
  JointCrop random_crop(const ImageSize& size, KeyedRandom random) const {
    const double scale = options_.ignored >= 0 ? 0.5 + 1.5 * random.unit() : 1 + random.unit();
    const auto scaled = [&](int side) { return std::max(1, static_cast<int>(std::lround(side * scale))); };
    JointCrop crop{{scaled(size.width), scaled(size.height)}};
    const auto within = [&](int side, int taken) {
      return side > taken ? static_cast<int>(random.below(static_cast<std::uint64_t>(side - taken + 1))) : 0;
    };
    crop.left = within(crop.scaled.width, options_.crop.width);
    crop.top = within(crop.scaled.height, options_.crop.height);
    crop.mirrored = options_.flip && random.below(2) == 1;
    return crop;
  }

  std::vector<MaskedImage> list_;
  std::vector<LabelledPicture> held_;
  MaskOptions options_;
  ImageTable table_;
};

/// Without a label for pixels beyond an image, none may be needed.
void require_no_padding(const fs::path& path, const Found& train, const Found& test,
                        const DataChoice& choice) {
  const auto differ = [](const Found& split) {
    return split.smallest.width != split.largest.width || split.smallest.height != split.largest.height;
  };
  if (differ(train) || differ(test))
    throw InputError(
        fmt::format("{}: has images of several sizes, and ignored_label \"none\" leaves none to pad them "
                    "with",
                    path.string()));
  if (choice.crop > std::min(train.smallest.width, train.smallest.height))
    throw InputError(
        fmt::format("train_res \"{}\": the images of {} have {} x {} pixels, and ignored_label \"none\" "
                    "leaves none to pad them with",
                    choice.crop, path.string(), train.smallest.width, train.smallest.height));
}

std::int64_t classes_in(const Found& train, const Found& test, std::int64_t ignored) {
  std::int64_t classes = 1;
  for (std::size_t label = 0; label < kLabels; ++label) {
    const auto number = static_cast<std::int64_t>(label);
    if (number != ignored && (train.has[label] || test.has[label])) classes = number + 1;
  }
  return classes;
}

}  // namespace

void load_mask_set(Dataset& dataset, const fs::path& path, const DataChoice& choice) {
  const MaskFolder folder = list_masks(path);
  dataset.task = "segment";
  dataset.ignored_label = ignored_label(choice);
  dataset.class_names = folder.class_names;
  const auto named = static_cast<std::int64_t>(folder.class_names.size());
  const int threads = choice.workers > 0 ? static_cast<int>(choice.workers) : usable_cores();
  Found train = Opening(folder.train, named, dataset.ignored_label).open(threads);
  Found test = Opening(folder.test, named, dataset.ignored_label).open(threads);
  dataset.classes = named > 0 ? named : classes_in(train, test, dataset.ignored_label);
  dataset.tested_on = folder.tested_on;
  if (dataset.ignored_label < 0) require_no_padding(path, train, test, choice);
  const auto side = static_cast<int>(choice.crop);
  const ImageSize crop = side > 0 ? ImageSize{side, side} : train.smallest;
  dataset.notes.push_back(fmt::format(
      "{} images with masks to train on, in crops of {} x {}, and {} to test on; {} "
      "classes{}",
      folder.train.size(), crop.width, crop.height, folder.test.size(), dataset.classes,
      dataset.ignored_label < 0 ? "" : fmt::format(", label {} left out", dataset.ignored_label)));
  dataset.train.examples = std::make_shared<MaskExamples>(
      folder.train, std::move(train.held),
      MaskOptions{crop, train.largest, dataset.ignored_label, choice.flip, threads});
  dataset.test.examples = std::make_shared<MaskExamples>(
      folder.test, std::move(test.held),
      MaskOptions{crop, test.largest, dataset.ignored_label, choice.flip, threads});
}

}  // namespace glidepath
