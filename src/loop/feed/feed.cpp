// src/loop/feed/feed.cpp - the batches of a run, in order, on its device.
#include "loop/feed/feed.h"

#include <utility>

#include <torch/types.h>

namespace glidepath {

Feed::Feed(const Dataset& dataset, const LoaderOptions& options, const MixingOptions& mixing,
           const torch::Device& device, DataWatch& watch)
    : dataset_(dataset),
      options_(options),
      mixing_(mixing),
      changes_(mixing_.mixes() || mixing.erasing > 0),
      watch_(watch),
      loader_(dataset, options),
      batches_(loader_, device),
      pace_(device) {}

Batch Feed::take() {
  const DataWatch::MayStop here(watch_);
  Batch batch = peeked_ ? std::move(*peeked_) : changed(batches_.next(), options_.rank, options_.ranks);
  peeked_.reset();
  ++next_;
  return batch;
}

Batch Feed::changed(Batch batch, int rank, int ranks) const {
  if (!changes_) return batch;
  return mixing_.changed(std::move(batch), next_, images_of(next_), rank, ranks);
}

const Batch& Feed::peek() {
  if (options_.ranks == 1) {
    if (!peeked_) peeked_ = changed(batches_.next(), 0, 1);
    return *peeked_;
  }
  if (!whole_) {
    LoaderOptions options = options_;
    options.rank = 0;
    options.ranks = 1;
    options.prefetch = 0;
    whole_ = std::make_unique<TrainLoader>(dataset_, options);
    if (size_of_) whole_->set_image_size(size_of_);
  }
  whole_->seek(next_);
  peeked_whole_ = changed(whole_->next(), 0, 1);
  return peeked_whole_;
}

void Feed::update_queued() {
  batches_.prepare_next();
  pace_.update_queued();
}

void Feed::set_image_size(std::function<std::int64_t(std::int64_t)> size_of) {
  size_of_ = std::move(size_of);
  loader_.set_image_size(size_of_);
  whole_.reset();
}

void Feed::seek(std::int64_t step) {
  peeked_.reset();
  next_ = step;
  batches_.seek(step);
}

}  // namespace glidepath
