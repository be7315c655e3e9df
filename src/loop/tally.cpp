// src/loop/tally.cpp - what the updates of a run told.
#include "loop/tally.h"

#include <fmt/format.h>
#include <torch/types.h>

#include "glidepath/error.h"

namespace glidepath {
namespace {

constexpr std::int64_t kUpdatesBeforeRate = 3;
constexpr const char* kLossWindow = "loss_window";

}  // namespace

void Tally::add(const Applied& update, double seconds) {
  window_.add(update.loss, update.correct, update.terms);
  // In the first updates memory is taken and kernels are chosen: they say nothing of the rate.
  if (++updates_here_ == kUpdatesBeforeRate + 1) seconds_ = images_ = 0;
  seconds_ += seconds;
  images_ += static_cast<double>(update.images);
}

void Tally::save(Saved& saved) const {
  saved.state.put(kept_);
  saved.tensors[kLossWindow] = window_.state();
}

void Tally::load(const Saved& saved) {
  kept_ = saved.state.get<Kept>();
  window_.set_state(stored(saved, kLossWindow));
}

const torch::Tensor& stored(const Saved& saved, const std::string& name, const torch::Tensor* like) {
  const auto found = saved.tensors.find(name);
  if (found == saved.tensors.end() || (like != nullptr && found->second.sizes() != like->sizes()))
    throw InputError(fmt::format("its checkpoint does not fit this model at {}", name));
  return found->second;
}

}  // namespace glidepath
