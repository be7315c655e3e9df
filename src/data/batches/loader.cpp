// src/data/batches/loader.cpp - batches of normalised, augmented images, made ahead of training.
#include "glidepath/loader.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <functional>
#include <memory>
#include <numeric>
#include <optional>

#include <fmt/format.h>
#include <torch/types.h>

#include "data/batches/batch_maker.h"
#include "data/batches/batch_order.h"
#include "data/batches/flips.h"
#include "data/batches/image_batches.h"
#include "data/batches/made_ahead.h"
#include "files/patience.h"
#include "glidepath/error.h"

namespace glidepath {
namespace {

void check(const LoaderOptions& options, const Dataset& dataset) {
  if (options.batch_size < 1)
    throw InputError(fmt::format("batch_size {}: must be at least 1", options.batch_size));
  if (options.dtype != torch::kFloat32 && options.dtype != torch::kBFloat16) {
    throw InputError("loader: batches are float32 or bfloat16");
  }
  if (options.ranks < 1 || options.rank < 0 || options.rank >= options.ranks)
    throw InputError(fmt::format("loader: rank {} of {} ranks does not exist", options.rank, options.ranks));
  if (!dataset.train.images.defined()) return;
  if (options.crop_padding < 0 || options.crop_padding >= dataset.image_size()) {
    throw InputError(
        fmt::format("crop_padding {}: must be in [0, {})", options.crop_padding, dataset.image_size()));
  }
}

/// The share of the picture that a centre crop shows is that of tests, at any size.
std::int64_t resize_for(const ImageOptions& options, std::int64_t size) {
  return std::lround(static_cast<double>(size) * static_cast<double>(options.eval_resize) /
                     static_cast<double>(options.eval_size));
}

void check_range(const Split& split, std::int64_t first, std::int64_t count) {
  if (first < 0 || count < 1 || first + count > split.size())
    throw InputError(fmt::format("images {} to {}: the split has {}", first, first + count, split.size()));
}

/// What a disk in trouble does not give is waited for, where the split has patience.
template <typename Make>
Batch read_patiently(const std::shared_ptr<Patience>& patience, const std::atomic<bool>& stopping,
                     const Make& make) {
  return patience ? patience->read(make, stopping) : make();
}

std::function<void()> look_up_of(const std::shared_ptr<Patience>& patience) {
  if (!patience) return {};
  return [patience] { patience->look_up(); };
}

}  // namespace

/// Encoded images are decoded by a pool of threads, all else is made by one.
struct TrainLoader::Impl {
  Impl(const Dataset& dataset, const LoaderOptions& given)
      : options(given), order(dataset.train.size(), given) {
    if (!dataset.in_memory()) {
      stored = dataset;
      size_of = [size = dataset.image_options.train_size](std::int64_t) { return size; };
      return;
    }
    // A GPU's queue is ahead as it is.
    const bool is_there = dataset.train.labels.defined() && !dataset.train.labels.is_cpu();
    patience = dataset.train.patience;
    made.emplace(
        [this, make = training_maker(dataset, given)](std::int64_t step, const std::atomic<bool>& stopping) {
          return read_patiently(patience, stopping,
                                [&] { return make(order.part_at(step), order.epoch_of(step)); });
        },
        given.by_operators || is_there ? 0 : given.prefetch);
  }

  /// What batch `step` of encoded images is.
  ImageRequest request_of(std::int64_t step) {
    ImageRequest request;
    request.images = order.part_at(step);
    request.size = size_of(step);
    request.resize = options.augment ? 0 : resize_for(stored->image_options, request.size);
    request.flip = chosen_flip(options.flip, stored->flip);
    request.change = {options.trivial_augment, options.rand_operators, options.rand_magnitude};
    request.seed = options.seed;
    request.epoch = order.epoch_of(step);
    request.fill = true;
    return request;
  }

  Batch next() {
    if (made) return made->next(look_up_of(patience));
    if (!decoded) {
      decoded = std::make_unique<ImageBatches>(
          *stored, stored->train, options.dtype, options.channels_last, options.prefetch,
          [this, step = next_step]() mutable -> std::optional<ImageRequest> { return request_of(step++); });
    }
    ++next_step;
    return *decoded->next();
  }

  void seek(std::int64_t step) {
    if (made) made->seek(step);
    decoded.reset();
    next_step = step;
  }

  const LoaderOptions options;
  BatchOrder order;
  std::shared_ptr<Patience> patience;  // of files of one's own that are read as they are used
  std::optional<MadeAhead> made;

  std::optional<Dataset> stored;  // where images are encoded, and so is what follows
  std::function<std::int64_t(std::int64_t)> size_of;
  std::int64_t next_step = 0;
  std::unique_ptr<ImageBatches> decoded;
};

TrainLoader::TrainLoader(const Dataset& dataset, const LoaderOptions& options) {
  check(options, dataset);
  impl_ = std::make_unique<Impl>(dataset, options);
}

TrainLoader::~TrainLoader() = default;

std::int64_t TrainLoader::steps_per_epoch() const { return impl_->order.steps_per_epoch(); }

std::int64_t TrainLoader::images_of(std::int64_t step) const { return impl_->order.examples_of(step); }

Part part_of(std::int64_t images, int rank, int ranks) {
  const std::int64_t each = images / ranks, more = images % ranks;
  return {rank * each + std::min<std::int64_t>(rank, more), each + (rank < more ? 1 : 0)};
}

Batch TrainLoader::next() { return impl_->next(); }

void TrainLoader::seek(std::int64_t step) {
  if (step < 0)
    throw InputError(fmt::format("loader: batch {} does not exist; batches are counted from 0", step));
  impl_->seek(step);
}

void TrainLoader::set_image_size(std::function<std::int64_t(std::int64_t step)> size_of) {
  if (!impl_->stored)
    throw InputError(fmt::format("loader: images in memory have one size; another is for image folders"));
  impl_->decoded.reset();
  impl_->size_of = std::move(size_of);
}

struct PlainLoader::Impl {
  ImageOptions image_options;
  std::int64_t next, end, batch_size;
  BatchMaker make = {};
  std::unique_ptr<ImageBatches> batches = nullptr;  // of encoded images, in its place
  // Of files of one's own, so that whoever takes batches is free to look up while a disk is waited for.
  std::optional<MadeAhead> made = std::nullopt;
  std::shared_ptr<Patience> patience = nullptr;

  /// Of the next batch; none after the last.
  std::vector<std::int64_t> take_numbers() {
    std::vector<std::int64_t> numbers = numbers_from(next);
    next += static_cast<std::int64_t>(numbers.size());
    return numbers;
  }
  std::vector<std::int64_t> numbers_from(std::int64_t from) const {
    const std::int64_t count = std::max<std::int64_t>(0, std::min(batch_size, end - from));
    std::vector<std::int64_t> numbers(static_cast<std::size_t>(count));
    std::iota(numbers.begin(), numbers.end(), from);
    return numbers;
  }
  std::optional<ImageRequest> request() {
    if (next == end) return std::nullopt;
    ImageRequest request;
    request.size = image_options.eval_size;
    request.resize = image_options.eval_resize;
    request.images = take_numbers();
    return request;
  }
};

PlainLoader::PlainLoader(const Dataset& dataset, const Split& split, std::int64_t first, std::int64_t count,
                         std::int64_t batch_size, torch::ScalarType dtype, bool channels_last) {
  check_range(split, first, count);
  impl_.reset(new Impl{dataset.image_options, first, first + count, batch_size});
  if (dataset.in_memory()) {
    impl_->make = plain_maker(dataset, split, dtype, channels_last);
    impl_->patience = split.patience;
    if (!split.patience) return;
    impl_->made.emplace(
        [impl = impl_.get(), first](std::int64_t step, const std::atomic<bool>& stopping) {
          const std::int64_t from = first + step * impl->batch_size;
          const std::vector<std::int64_t> numbers = impl->numbers_from(from);
          if (numbers.empty()) return Batch();
          return read_patiently(impl->patience, stopping, [&] { return impl->make(numbers, /*epoch=*/0); });
        },
        1);
    return;
  }
  constexpr std::int64_t kAhead = 2;
  impl_->batches = std::make_unique<ImageBatches>(dataset, split, dtype, channels_last, kAhead,
                                                  [impl = impl_.get()] { return impl->request(); });
}

PlainLoader::~PlainLoader() = default;

std::optional<Batch> PlainLoader::next() {
  if (impl_->batches) return impl_->batches->next();
  if (impl_->next == impl_->end) return std::nullopt;
  const std::vector<std::int64_t> numbers = impl_->take_numbers();
  return impl_->made ? impl_->made->next(look_up_of(impl_->patience)) : impl_->make(numbers, /*epoch=*/0);
}

Batch plain_batch(const Dataset& dataset, const Split& split, std::int64_t first, std::int64_t count,
                  torch::ScalarType dtype, bool channels_last) {
  return *PlainLoader(dataset, split, first, count, count, dtype, channels_last).next();
}

}  // namespace glidepath
