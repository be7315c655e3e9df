// src/data/batches/loader.cpp - batches of normalised, augmented images, made ahead of training.
#include "glidepath/loader.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>

#include <fmt/format.h>
#include <torch/types.h>

#include "data/batches/augment.h"
#include "data/batches/augment_operators.h"
#include "data/batches/image_batches.h"
#include "data/batches/random.h"
#include "glidepath/error.h"

namespace glidepath {
namespace {

// What a random number is for is part of its key, so that crops do not repeat the order's numbers.
constexpr std::uint64_t kForOrder = 1, kForCrop = 2;

torch::Tensor empty_batch(const torch::Tensor& images, std::int64_t count, torch::ScalarType dtype,
                          bool channels_last, bool pinned = false) {
  return torch::empty(
      {count, images.size(1), images.size(2), images.size(3)},
      torch::TensorOptions()
          .dtype(dtype)
          .memory_format(channels_last ? torch::MemoryFormat::ChannelsLast : torch::MemoryFormat::Contiguous)
          .pinned_memory(pinned));
}

torch::Tensor labels_at(const torch::Tensor& labels, const std::vector<Crop>& crops, bool pinned = false) {
  torch::Tensor chosen = torch::empty({static_cast<std::int64_t>(crops.size())},
                                      torch::TensorOptions().dtype(torch::kInt64).pinned_memory(pinned));
  const auto* from = labels.data_ptr<std::int64_t>();
  auto* to = chosen.data_ptr<std::int64_t>();
  for (std::size_t i = 0; i < crops.size(); ++i) to[i] = from[crops[i].image];
  return chosen;
}

void check(const LoaderOptions& options, const Dataset& dataset) {
  if (options.batch_size < 1)
    throw InputError(fmt::format("batch_size {}: must be at least 1", options.batch_size));
  if (options.dtype != torch::kFloat32 && options.dtype != torch::kBFloat16) {
    throw InputError("loader: batches are float32 or bfloat16");
  }
  if (options.ranks < 1 || options.rank < 0 || options.rank >= options.ranks)
    throw InputError(fmt::format("loader: rank {} of {} ranks does not exist", options.rank, options.ranks));
  if (!dataset.in_memory()) return;
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

}  // namespace

/// Makes batches by number; with a thread of its own, ahead of who takes them.
struct TrainLoader::Impl {
  Impl(const Dataset& dataset, const LoaderOptions& options)
      : split(dataset.train), flip(dataset.flip), options(options), normaliser(dataset) {
    if (!dataset.in_memory()) {
      stored = dataset;
      size_of = [size = dataset.image_options.train_size](std::int64_t) { return size; };
    }
    images = split.size();
    steps_per_epoch = (images + options.batch_size - 1) / options.batch_size;
    if (dataset.in_memory() && (options.by_operators || !split.labels.is_cpu())) {
      operators.emplace(dataset, split, options.dtype, options.channels_last);
      this->options.prefetch = 0;  // a GPU's queue is ahead as it is
    }
  }

  /// The images of a batch that are this rank's, in their order.
  std::vector<std::int64_t> part_at(std::int64_t step) {
    const std::int64_t epoch = step / steps_per_epoch;
    if (epoch != order_epoch) {
      order = random_order(images, {options.seed, kForOrder, static_cast<std::uint64_t>(epoch)});
      order_epoch = epoch;
    }
    const std::int64_t first = step % steps_per_epoch * options.batch_size;
    const Part part = part_of(images_of(step), options.rank, options.ranks);
    const auto begin = order.begin() + first + part.first;
    return {begin, begin + part.count};
  }

  Batch make(std::int64_t step) {
    std::vector<Crop> crops;
    for (const std::int64_t image : part_at(step)) crops.push_back(crop_of(step / steps_per_epoch, image));
    const auto count = static_cast<std::int64_t>(crops.size());
    if (operators) return {operators->images(crops), operators->labels(crops)};
    torch::Tensor images =
        empty_batch(split.images, count, options.dtype, options.channels_last, options.pin_memory);
    normaliser.write(split.images, crops, images);
    return {images, labels_at(split.labels, crops, options.pin_memory)};
  }

  std::int64_t images_of(std::int64_t step) const {
    return std::min(options.batch_size, images - step % steps_per_epoch * options.batch_size);
  }

  Crop crop_of(std::int64_t epoch, std::int64_t image) const {
    Crop crop;
    crop.image = image;
    if (!options.augment) return crop;
    KeyedRandom random{options.seed, kForCrop, static_cast<std::uint64_t>(epoch),
                       static_cast<std::uint64_t>(image)};
    const auto window = static_cast<std::uint64_t>(2 * options.crop_padding + 1);
    crop.top = static_cast<int>(random.below(window)) - static_cast<int>(options.crop_padding);
    crop.left = static_cast<int>(random.below(window)) - static_cast<int>(options.crop_padding);
    crop.mirrored = flip && random.below(2) == 1;
    return crop;
  }

  void start() {
    if (options.prefetch <= 0) return;
    stopping = false;
    worker = std::thread([this] { work(); });
  }

  /// What batch `step` of encoded images is.
  ImageRequest request_of(std::int64_t step) {
    ImageRequest request;
    request.images = part_at(step);
    request.size = size_of(step);
    request.resize = options.augment ? 0 : resize_for(stored->image_options, request.size);
    request.flip = flip;
    request.seed = options.seed;
    request.epoch = step / steps_per_epoch;
    request.fill = true;
    return request;
  }

  Batch next_decoded() {
    if (!batches) {
      batches = std::make_unique<ImageBatches>(
          *stored, split, options.dtype, options.channels_last, options.prefetch,
          [this, step = next_step]() mutable -> std::optional<ImageRequest> { return request_of(step++); });
    }
    ++next_step;
    return *batches->next();
  }

  void stop() {
    batches.reset();
    if (!worker.joinable()) return;
    {
      const std::lock_guard<std::mutex> lock(mutex);
      stopping = true;
    }
    changed.notify_all();
    worker.join();
    ready.clear();
    failure = nullptr;
  }

  void work() {
    for (std::int64_t step = next_step;; ++step) {
      Batch batch;
      std::exception_ptr thrown;
      try {
        batch = make(step);
      } catch (...) {
        thrown = std::current_exception();
      }
      std::unique_lock<std::mutex> lock(mutex);
      changed.wait(lock,
                   [this] { return stopping || static_cast<std::int64_t>(ready.size()) < options.prefetch; });
      if (stopping) return;
      failure = thrown;
      if (!thrown) ready.push_back(std::move(batch));
      changed.notify_all();
      if (thrown) return;
    }
  }

  Batch next() {
    if (stored) return next_decoded();
    if (options.prefetch <= 0) return make(next_step++);
    if (!worker.joinable()) start();
    std::unique_lock<std::mutex> lock(mutex);
    changed.wait(lock, [this] { return !ready.empty() || failure; });
    if (ready.empty()) std::rethrow_exception(failure);
    Batch batch = std::move(ready.front());
    ready.pop_front();
    ++next_step;
    changed.notify_all();
    return batch;
  }

  Split split;  // shares the data set's tensors
  bool flip;
  LoaderOptions options;
  Normaliser normaliser;
  std::optional<OperatorAugment> operators;  // in place of the normaliser
  std::int64_t images, steps_per_epoch;
  std::vector<std::int64_t> order;
  std::int64_t order_epoch = -1;
  std::int64_t next_step = 0;

  std::optional<Dataset> stored;  // where images are encoded
  std::function<std::int64_t(std::int64_t)> size_of;
  std::unique_ptr<ImageBatches> batches;

  std::mutex mutex;
  std::condition_variable changed;
  std::deque<Batch> ready;
  std::exception_ptr failure;
  bool stopping = false;
  std::thread worker;
};

TrainLoader::TrainLoader(const Dataset& dataset, const LoaderOptions& options) {
  check(options, dataset);
  impl_ = std::make_unique<Impl>(dataset, options);
}

TrainLoader::~TrainLoader() { impl_->stop(); }

std::int64_t TrainLoader::steps_per_epoch() const { return impl_->steps_per_epoch; }

std::int64_t TrainLoader::images_of(std::int64_t step) const { return impl_->images_of(step); }

Part part_of(std::int64_t images, int rank, int ranks) {
  const std::int64_t each = images / ranks, more = images % ranks;
  return {rank * each + std::min<std::int64_t>(rank, more), each + (rank < more ? 1 : 0)};
}

Batch TrainLoader::next() { return impl_->next(); }

void TrainLoader::seek(std::int64_t step) {
  if (step < 0)
    throw InputError(fmt::format("loader: batch {} does not exist; batches are counted from 0", step));
  impl_->stop();
  impl_->next_step = step;
}

void TrainLoader::set_image_size(std::function<std::int64_t(std::int64_t step)> size_of) {
  if (!impl_->stored)
    throw InputError(fmt::format("loader: images in memory have one size; another is for image folders"));
  impl_->stop();
  impl_->size_of = std::move(size_of);
}

struct PlainLoader::Impl {
  const Dataset& dataset;
  Split split;
  std::int64_t next, end, batch_size;
  torch::ScalarType dtype;
  bool channels_last;
  std::unique_ptr<ImageBatches> batches = nullptr;

  std::optional<ImageRequest> request() {
    if (next == end) return std::nullopt;
    ImageRequest request;
    request.size = dataset.image_options.eval_size;
    request.resize = dataset.image_options.eval_resize;
    const std::int64_t count = std::min(batch_size, end - next);
    for (std::int64_t i = 0; i < count; ++i) request.images.push_back(next++);
    return request;
  }
};

PlainLoader::PlainLoader(const Dataset& dataset, const Split& split, std::int64_t first, std::int64_t count,
                         std::int64_t batch_size, torch::ScalarType dtype, bool channels_last) {
  check_range(split, first, count);
  impl_.reset(new Impl{dataset, split, first, first + count, batch_size, dtype, channels_last});
  if (dataset.in_memory()) return;
  constexpr std::int64_t kAhead = 2;
  impl_->batches = std::make_unique<ImageBatches>(dataset, split, dtype, channels_last, kAhead,
                                                  [impl = impl_.get()] { return impl->request(); });
}

PlainLoader::~PlainLoader() = default;

std::optional<Batch> PlainLoader::next() {
  if (impl_->batches) return impl_->batches->next();
  if (impl_->next == impl_->end) return std::nullopt;
  const std::int64_t first = impl_->next, count = std::min(impl_->batch_size, impl_->end - first);
  impl_->next += count;
  return plain_batch(impl_->dataset, impl_->split, first, count, impl_->dtype, impl_->channels_last);
}

Batch plain_batch(const Dataset& dataset, const Split& split, std::int64_t first, std::int64_t count,
                  torch::ScalarType dtype, bool channels_last) {
  check_range(split, first, count);
  if (!dataset.in_memory())
    return *PlainLoader(dataset, split, first, count, count, dtype, channels_last).next();
  std::vector<Crop> crops(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i) crops[static_cast<std::size_t>(i)].image = first + i;
  if (!split.labels.is_cpu()) {
    const OperatorAugment operators(dataset, split, dtype, channels_last);
    return {operators.images(crops), operators.labels(crops)};
  }
  torch::Tensor images = empty_batch(split.images, count, dtype, channels_last);
  Normaliser(dataset).write(split.images, crops, images);
  return {images, labels_at(split.labels, crops)};
}

}  // namespace glidepath
