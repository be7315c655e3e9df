// src/data/batches/image_batches.cpp - batches of encoded images, decoded by threads ahead of who takes them.
#include "data/batches/image_batches.h"

#include <algorithm>
#include <atomic>

#include <fmt/format.h>
#include <torch/types.h>

#include "data/batches/augment.h"
#include "data/batches/flips.h"
#include "data/batches/random_keys.h"
#include "data/images/corrupt_images.h"
#include "data/images/pixels.h"
#include "data/images/transforms.h"
#include "files/patience.h"
#include "glidepath/error.h"
#include "system/cores.h"

namespace glidepath {
namespace {

constexpr int kMostSubstitutes = 100;
constexpr int kChannels = 3;

int threads_for(const Dataset& dataset) {
  if (dataset.image_options.workers > 0) return static_cast<int>(dataset.image_options.workers);
  return usable_cores();
}

}  // namespace

struct ImageBatches::Shared {
  Shared(const Dataset& dataset, const Split& split_, torch::ScalarType dtype_, bool channels_last_)
      : split(split_), normaliser(dataset), dtype(dtype_), channels_last(channels_last_) {
    if (!split.patience) split.patience = std::make_shared<Patience>();
    for (int i = 0; i < threads_for(dataset); ++i)
      workers.push_back(std::make_unique<Worker>(dataset.image_options.exif_orientation));
  }

  /// What a thread keeps from image to image.
  struct Worker {
    explicit Worker(bool exif_orientation) : transformer(exif_orientation) {}
    ImageTransformer transformer;
    std::vector<unsigned char> bytes, changed;
  };

  /// Memory for a batch of this size: that of an earlier one which nobody holds any more, if there is one.
  /// New memory costs a page fault every 4 KiB, a fifth of all the time where nothing is decoded. Called by
  /// one thread at a time.
  torch::Tensor memory(std::int64_t images, std::int64_t size) {
    const auto free_one = [](const torch::Tensor& tensor) { return tensor.storage().use_count() == 1; };
    const std::vector<std::int64_t> shape = {images, kChannels, size, size};
    for (const torch::Tensor& tensor : memories) {
      if (free_one(tensor) && tensor.sizes() == torch::IntArrayRef(shape)) return tensor.detach();
    }
    memories.erase(std::remove_if(memories.begin(), memories.end(), free_one), memories.end());
    const auto format = channels_last ? torch::MemoryFormat::ChannelsLast : torch::MemoryFormat::Contiguous;
    memories.push_back(torch::empty(shape, torch::TensorOptions().dtype(dtype).memory_format(format)));
    return memories.back().detach();
  }

  /// A copy of the crop, changed.
  static const unsigned char* augmented(const unsigned char* pixels, const ImageRequest& request,
                                        std::int64_t image, Worker& worker) {
    const std::int64_t size = request.size;
    worker.changed.assign(pixels, pixels + kPixelBytes * size * size);
    request.change.apply_to({worker.changed.data(), kChannels, size, size, 1, kPixelBytes},
                            {request.seed, kForTrivialAugment, static_cast<std::uint64_t>(request.epoch),
                             static_cast<std::uint64_t>(image)});
    return worker.changed.data();
  }

  /// One image into its place. Returns what is wrong when it cannot be decoded, else nothing.
  std::string write(const ImageRequest& request, std::int64_t image, KeyedRandom random, Worker& worker,
                    torch::Tensor& images, std::int64_t place) const {
    const unsigned char* pixels = nullptr;
    bool mirrored = false;
    try {
      const StoredImage stored =
          split.patience->read([&] { return split.store->read(image, worker.bytes); }, stopping);
      const ImageSize picture = worker.transformer.open(stored);
      const int size = static_cast<int>(request.size);
      if (request.resize > 0) {
        pixels = worker.transformer.centre_crop(static_cast<int>(request.resize), size);
      } else {
        const Rectangle crop = random_resized_crop(picture, random);
        mirrored = is_mirrored(request.flip, request.seed, request.epoch, image, random);
        pixels = worker.transformer.resized_crop(crop, size);
        if (request.change.any()) pixels = augmented(pixels, request, image, worker);
      }
    } catch (const ReadFailed&) {
      throw;
    } catch (const DataLost&) {
      throw;
    } catch (const RunError& error) {
      const std::string name = split.store->name(image);
      std::string reason = error.what();
      if (reason.rfind(name + ": ", 0) == 0) reason = reason.substr(name.size() + 2);
      return reason;
    }
    const std::int64_t first = place * kChannels * request.size * request.size;
    if (dtype == torch::kBFloat16) {
      auto* to = reinterpret_cast<std::uint16_t*>(images.data_ptr<c10::BFloat16>());
      write_pixels(pixels, request.size, mirrored, normaliser.table_bf16(), channels_last, to + first);
    } else {
      write_pixels(pixels, request.size, mirrored, normaliser.table(), channels_last,
                   images.data_ptr<float>() + first);
    }
    return {};
  }

  Split split;
  Normaliser normaliser;
  torch::ScalarType dtype;
  bool channels_last;
  std::atomic<bool> stopping{false};  // nobody waits for what is being made any more
  std::vector<std::unique_ptr<Worker>> workers;
  std::vector<torch::Tensor> memories;  // of batches begun and not yet forgotten
};

namespace {

/// A batch while threads fill it.
template <typename Shared>
class Filling : public PoolBatch {
 public:
  Filling(std::shared_ptr<Shared> shared, ImageRequest request)
      : shared_(std::move(shared)),
        request_(std::move(request)),
        is_there_(request_.images.size(), true),
        corrupt_(request_.images.size()) {
    images_ = shared_->memory(items(), request_.size);
    labels_ = torch::empty({items()}, torch::kInt64);
  }

  std::int64_t items() const override { return static_cast<std::int64_t>(request_.images.size()); }

  void make(std::int64_t item, int thread) override {
    auto& worker = *shared_->workers[static_cast<std::size_t>(thread)];
    const std::int64_t wanted = request_.images[static_cast<std::size_t>(item)];
    const auto key = [&](std::uint64_t purpose, int attempt) {
      return KeyedRandom{request_.seed, purpose, static_cast<std::uint64_t>(request_.epoch),
                         static_cast<std::uint64_t>(wanted), static_cast<std::uint64_t>(attempt)};
    };
    std::int64_t image = wanted;
    for (int attempt = 0; attempt <= kMostSubstitutes; ++attempt) {
      std::string wrong =
          shared_->write(request_, image, key(kForResizedCrop, attempt), worker, images_, item);
      if (wrong.empty()) {
        labels_.template data_ptr<std::int64_t>()[item] =
            shared_->split.labels.template data_ptr<std::int64_t>()[image];
        return;
      }
      corrupt_[static_cast<std::size_t>(item)].emplace_back(image, std::move(wrong));
      if (!request_.fill) {
        is_there_[static_cast<std::size_t>(item)] = false;
        return;
      }
      image = static_cast<std::int64_t>(
          key(kForSubstitute, attempt).below(static_cast<std::uint64_t>(shared_->split.size())));
    }
    throw RunError(fmt::format("{}: {}, and none of {} images in its place can be decoded either",
                               shared_->split.store->name(wanted),
                               corrupt_[static_cast<std::size_t>(item)].front().second, kMostSubstitutes));
  }

  /// What was made; counts what could not be.
  Batch take() {
    for (const auto& item : corrupt_) {
      for (const auto& [image, wrong] : item)
        shared_->split.corrupt->add(image, shared_->split.store->name(image), wrong);
    }
    if (std::find(is_there_.begin(), is_there_.end(), false) == is_there_.end()) return {images_, labels_};
    std::vector<std::int64_t> kept;
    for (std::size_t i = 0; i < is_there_.size(); ++i) {
      if (is_there_[i]) kept.push_back(static_cast<std::int64_t>(i));
    }
    const torch::Tensor index = torch::tensor(kept, torch::kInt64);
    return {images_.index_select(0, index).contiguous(images_.suggest_memory_format()),
            labels_.index_select(0, index)};
  }

 private:
  std::shared_ptr<Shared> shared_;
  ImageRequest request_;
  torch::Tensor images_, labels_;
  std::vector<char> is_there_;  // not bool: threads write neighbours
  std::vector<std::vector<std::pair<std::int64_t, std::string>>> corrupt_;  // by item
};

}  // namespace

ImageBatches::ImageBatches(const Dataset& dataset, const Split& split, torch::ScalarType dtype,
                           bool channels_last, std::int64_t ahead, Order order)
    : shared_(std::make_shared<Shared>(dataset, split, dtype, channels_last)) {
  const auto begin = [shared = shared_, order = std::move(order)]() -> std::shared_ptr<PoolBatch> {
    auto request = order();
    if (!request) return nullptr;
    return std::make_shared<Filling<Shared>>(shared, std::move(*request));
  };
  pool_ = std::make_unique<OrderedPool>(static_cast<int>(shared_->workers.size()), static_cast<int>(ahead),
                                        begin);
}

ImageBatches::~ImageBatches() { shared_->stopping = true; }

std::optional<Batch> ImageBatches::next() {
  const Patience& patience = *shared_->split.patience;
  const auto batch = pool_->next([&] { patience.look_up(); });
  if (!batch) return std::nullopt;
  return static_cast<Filling<Shared>&>(*batch).take();
}

}  // namespace glidepath
