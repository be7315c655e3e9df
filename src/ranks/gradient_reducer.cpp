// src/ranks/gradient_reducer.cpp - gradients summed over the ranks while backward still computes
// others.
#include "ranks/gradient_reducer.h"

#include <ATen/core/grad_mode.h>
#include <torch/types.h>

namespace glidepath {
namespace {

/// A part of `flat` in the shape and memory format of `like`.
torch::Tensor view_of(const torch::Tensor& flat, std::int64_t offset, const torch::Tensor& like) {
  const torch::Tensor part = flat.narrow(0, offset, like.numel());
  return like.is_non_overlapping_and_dense() ? part.as_strided(like.sizes(), like.strides(), offset)
                                             : part.view(like.sizes());
}

}  // namespace

GradientReducer::GradientReducer(ProcessGroup& group, const std::vector<torch::Tensor>& parameters,
                                 std::int64_t first_bucket_bytes, std::int64_t bucket_bytes)
    : group_(group) {
  std::vector<std::int64_t> sizes;
  for (auto parameter = parameters.rbegin(); parameter != parameters.rend(); ++parameter) {
    if (!parameter->requires_grad()) continue;
    const std::int64_t bytes = parameter->numel() * static_cast<std::int64_t>(parameter->element_size());
    const std::int64_t limit = buckets_.size() <= 1 ? first_bucket_bytes : bucket_bytes;
    const bool is_other_kind =
        !entries_.empty() && (entries_.back().parameter.scalar_type() != parameter->scalar_type() ||
                              entries_.back().parameter.device() != parameter->device());
    if (buckets_.empty() || is_other_kind || (sizes.back() > 0 && sizes.back() + bytes > limit)) {
      buckets_.emplace_back();
      sizes.push_back(0);
    }
    sizes.back() += bytes;
    ++buckets_.back().entries;
    entries_.push_back({*parameter, {}, buckets_.size() - 1, 0, false});
  }
  std::vector<std::int64_t> offsets(buckets_.size());
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    Entry& entry = entries_[i];
    Bucket& bucket = buckets_[entry.bucket];
    if (!bucket.flat.defined()) {
      const auto elements = sizes[entry.bucket] / static_cast<std::int64_t>(entry.parameter.element_size());
      bucket.flat = torch::zeros({elements}, entry.parameter.options().requires_grad(false));
    }
    entry.view = view_of(bucket.flat, offsets[entry.bucket], entry.parameter);
    offsets[entry.bucket] += entry.parameter.numel();
    entry.hook =
        entry.parameter.register_hook([this, i](const torch::Tensor& gradient) { take(i, gradient); });
  }
}

GradientReducer::~GradientReducer() {
  for (Entry& entry : entries_) entry.parameter.remove_hook(entry.hook);
}

void GradientReducer::begin(bool adds) {
  active_ = true;
  adds_ = adds;
  next_bucket_ = 0;
  for (Entry& entry : entries_) entry.ready = false;
  for (Bucket& bucket : buckets_) bucket.ready = 0;
}

void GradientReducer::take(std::size_t index, const torch::Tensor& gradient) {
  if (!active_) return;
  const at::NoGradGuard no_grad;
  Entry& entry = entries_[index];
  if (gradient.defined()) {
    entry.view.copy_(gradient);
  } else {
    entry.view.zero_();
  }
  if (adds_ && entry.parameter.grad().defined()) entry.view.add_(entry.parameter.grad());
  entry.ready = true;
  ++buckets_[entry.bucket].ready;
  start_full_buckets();
}

void GradientReducer::start_full_buckets() {
  for (; next_bucket_ < buckets_.size(); ++next_bucket_) {
    Bucket& bucket = buckets_[next_bucket_];
    if (bucket.ready < bucket.entries) return;
    bucket.pending = group_.all_reduce_later(bucket.flat);
  }
}

void GradientReducer::finish() {
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    if (!entries_[i].ready) take(i, {});
  }
  for (Bucket& bucket : buckets_) bucket.pending.wait();
  active_ = false;
  for (Entry& entry : entries_) entry.parameter.mutable_grad() = entry.view;
}

void GradientReducer::abandon() { active_ = false; }

}  // namespace glidepath
