// src/data/batches/batch_maker.cpp - a batch from the numbers of its examples; of all but encoded images.
#include "data/batches/batch_maker.h"

#include <memory>
#include <numeric>
#include <utility>

#include <fmt/format.h>
#include <torch/types.h>

#include "data/batches/augment.h"
#include "data/batches/augment_operators.h"
#include "data/batches/flips.h"
#include "data/batches/random_keys.h"
#include "data/images/trivial_augment.h"
#include "glidepath/error.h"
#include "glidepath/examples.h"
#include "glidepath/keyed_random.h"

namespace glidepath {
namespace {

using Numbers = std::vector<std::int64_t>;

/// Of a batch, and where it lies.
struct Form {
  torch::ScalarType dtype;
  bool channels_last, pinned;
  Beyond beyond = Beyond::kBlack;
  torch::MemoryFormat memory_format() const {
    return channels_last ? torch::MemoryFormat::ChannelsLast : torch::MemoryFormat::Contiguous;
  }
};

torch::Tensor empty_batch(const torch::Tensor& images, std::int64_t count, const Form& form) {
  return torch::empty({count, images.size(1), images.size(2), images.size(3)},
                      torch::TensorOptions()
                          .dtype(form.dtype)
                          .memory_format(form.memory_format())
                          .pinned_memory(form.pinned));
}

torch::Tensor labels_at(const torch::Tensor& labels, const std::vector<Crop>& crops, bool pinned) {
  torch::Tensor chosen = torch::empty({static_cast<std::int64_t>(crops.size())},
                                      torch::TensorOptions().dtype(torch::kInt64).pinned_memory(pinned));
  const auto* from = labels.data_ptr<std::int64_t>();
  auto* to = chosen.data_ptr<std::int64_t>();
  for (std::size_t i = 0; i < crops.size(); ++i) to[i] = from[crops[i].image];
  return chosen;
}

/// How the images of a batch are taken.
using Crops = std::function<std::vector<Crop>(const Numbers&, std::int64_t epoch)>;

std::vector<Crop> whole_pictures(const Numbers& numbers, std::int64_t /*epoch*/) {
  std::vector<Crop> crops(numbers.size());
  for (std::size_t i = 0; i < numbers.size(); ++i) crops[i].image = numbers[i];
  return crops;
}

Crops random_crops(const LoaderOptions& options, Flip flip) {
  return [seed = options.seed, padding = options.crop_padding, flip](const Numbers& numbers,
                                                                     std::int64_t epoch) {
    std::vector<Crop> crops = whole_pictures(numbers, epoch);
    for (Crop& crop : crops) {
      KeyedRandom random{seed, kForCrop, static_cast<std::uint64_t>(epoch),
                         static_cast<std::uint64_t>(crop.image)};
      const auto window = static_cast<std::uint64_t>(2 * padding + 1);
      crop.top = static_cast<int>(random.below(window)) - static_cast<int>(padding);
      crop.left = static_cast<int>(random.below(window)) - static_cast<int>(padding);
      crop.mirrored = is_mirrored(flip, seed, epoch, crop.image, random);
    }
    return crops;
  };
}

/// [channels][256]: each byte is itself.
std::vector<std::uint8_t> unchanged_bytes(std::int64_t channels) {
  std::vector<std::uint8_t> table(static_cast<std::size_t>(256 * channels));
  for (std::size_t i = 0; i < table.size(); ++i) table[i] = static_cast<std::uint8_t>(i % 256);
  return table;
}

BatchMaker image_maker(const Dataset& dataset, const Split& split, Crops crops, const Form& form) {
  return [normaliser = std::make_shared<Normaliser>(dataset), split, crops = std::move(crops), form](
             const Numbers& numbers, std::int64_t epoch) -> Batch {
    const std::vector<Crop> taken = crops(numbers, epoch);
    torch::Tensor images = empty_batch(split.images, static_cast<std::int64_t>(taken.size()), form);
    normaliser->write(split.images, taken, images, form.beyond);
    return {images, labels_at(split.labels, taken, form.pinned)};
  };
}

/// The crops as bytes, changed, and then as numbers.
BatchMaker changed_maker(const Dataset& dataset, const Split& split, Crops crops, const ImageChange& change,
                         std::uint64_t seed, const Form& form) {
  return [normaliser = std::make_shared<Normaliser>(dataset), split, crops = std::move(crops), change, seed,
          form](const Numbers& numbers, std::int64_t epoch) -> Batch {
    const std::vector<Crop> taken = crops(numbers, epoch);
    const ImageShape picture{split.images.size(1), split.images.size(2), split.images.size(3)};
    torch::Tensor bytes = torch::empty(
        {static_cast<std::int64_t>(taken.size()), picture.channels, picture.height, picture.width},
        torch::kUInt8);
    auto* at = bytes.data_ptr<std::uint8_t>();
    write_crops(split.images.data_ptr<std::uint8_t>(), taken, picture,
                unchanged_bytes(picture.channels).data(), at,
                /*channels_last=*/false, form.beyond);
    for (const Crop& crop : taken) {
      change.apply_to(
          {at, picture.channels, picture.height, picture.width, picture.height * picture.width, 1},
          {seed, kForTrivialAugment, static_cast<std::uint64_t>(epoch),
           static_cast<std::uint64_t>(crop.image)});
      at += picture.size();
    }
    torch::Tensor images = empty_batch(split.images, bytes.size(0), form);
    Numbers all(taken.size());
    std::iota(all.begin(), all.end(), 0);
    normaliser->write(bytes, whole_pictures(all, epoch), images);
    return {images, labels_at(split.labels, taken, form.pinned)};
  };
}

BatchMaker operator_maker(const Dataset& dataset, const Split& split, Crops crops, const Form& form) {
  return
      [operators = std::make_shared<OperatorAugment>(dataset, split, form.dtype, form.channels_last),
       beyond = form.beyond, crops = std::move(crops)](const Numbers& numbers, std::int64_t epoch) -> Batch {
        const std::vector<Crop> taken = crops(numbers, epoch);
        return {operators->images(taken, beyond), operators->labels(taken)};
      };
}

/// As the loop wants them: a row for each example, in memory as images are.
void check_and_lay_out(Values& values, std::int64_t rows, const char* what, const Form& form) {
  for (torch::Tensor& each : values) {
    if (!each.defined() || each.dim() < 1 || each.size(0) != rows)
      throw InputError(fmt::format("examples: a batch of {} came with {} of other rows", rows, what));
    if (each.dim() == 4 && each.is_floating_point()) each = each.contiguous(form.memory_format());
    if (form.pinned) each = each.pin_memory();
  }
}

BatchMaker own_maker(const Split& split, bool training, std::uint64_t seed, const Form& form) {
  return [examples = split.examples, training, seed, form](const Numbers& numbers, std::int64_t epoch) {
    Batch batch = examples->batch({numbers, training, seed, epoch});
    const auto rows = static_cast<std::int64_t>(numbers.size());
    check_and_lay_out(batch.inputs, rows, "inputs", form);
    check_and_lay_out(batch.targets, rows, "targets", form);
    batch.examples = rows;
    return batch;
  };
}

}  // namespace

BatchMaker training_maker(const Dataset& dataset, const LoaderOptions& options) {
  const Form form{options.dtype, options.channels_last, options.pin_memory,
                  options.crop_reflects ? Beyond::kReflected : Beyond::kBlack};
  const Split& split = dataset.train;
  if (split.examples) return own_maker(split, options.augment, options.seed, form);
  Crops crops = options.augment ? random_crops(options, chosen_flip(options.flip, dataset.flip))
                                : Crops(whole_pictures);
  const ImageChange change{options.trivial_augment, options.rand_operators, options.rand_magnitude};
  if (change.any() && options.augment) {
    if (options.by_operators || !split.labels.is_cpu())
      throw InputError("loader: trivial_augment and rand_operators are for images on the CPU");
    return changed_maker(dataset, split, std::move(crops), change, options.seed, form);
  }
  if (options.by_operators || !split.labels.is_cpu())
    return operator_maker(dataset, split, std::move(crops), form);
  return image_maker(dataset, split, std::move(crops), form);
}

BatchMaker plain_maker(const Dataset& dataset, const Split& split, torch::ScalarType dtype,
                       bool channels_last) {
  const Form form{dtype, channels_last, /*pinned=*/false};
  if (split.examples) return own_maker(split, /*training=*/false, 0, form);
  if (!split.labels.is_cpu()) return operator_maker(dataset, split, whole_pictures, form);
  return image_maker(dataset, split, whole_pictures, form);
}

}  // namespace glidepath
