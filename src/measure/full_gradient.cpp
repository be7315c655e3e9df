// src/measure/full_gradient.cpp - the gradient of the mean training loss over the whole training set.
#include "measure/full_gradient.h"

#include <algorithm>
#include <cmath>

#include <torch/csrc/autograd/autograd.h>
#include <torch/types.h>
#include <torch/utils.h>

#include "glidepath/error.h"
#include "loop/fresh_statistics.h"
#include "nn/loss.h"

namespace glidepath {
namespace {

class InMode {
 public:
  InMode(Model& model, bool training) : model_(model), before_(model.is_training()) { model.train(training); }
  ~InMode() { model_.train(before_); }
  InMode(const InMode&) = delete;
  InMode& operator=(const InMode&) = delete;

 private:
  Model& model_;
  bool before_;
};

double squared(const torch::Tensor& sum) { return sum.dot(sum).item<double>(); }

/// The images of a measure, batch by batch.
class MeasuredBatches {
 public:
  MeasuredBatches(const Dataset& dataset, std::int64_t images, const FullGradientOptions& options,
                  const ComputePlan& plan)
      : part_(dataset) {
    const auto input_type = options.bf16 ? torch::kBFloat16 : torch::kFloat32;
    part_.train = dataset.train.first(images);
    if (options.augmented) {
      LoaderOptions like = *options.augmented;
      like.batch_size = options.batch_size;
      like.dtype = input_type;
      loader_.emplace(part_, like);
    } else {
      plain_.emplace(part_, part_.train, 0, images, options.batch_size, input_type, plan.channels_last);
    }
  }
  Batch next() { return loader_ ? loader_->next() : plain_->next().value(); }

 private:
  Dataset part_;
  std::optional<TrainLoader> loader_;
  std::optional<PlainLoader> plain_;
};

/// The model's buffers as they are with fresh statistics. Between two batches they are as they were.
Tensors fresh_buffers(Model& model, const Dataset& dataset, std::int64_t images,
                      const FullGradientOptions& options, const ComputePlan& plan, KeepBuffers& buffers,
                      const std::function<void()>& between_batches) {
  const InMode training(model, true);
  FreshStatistics statistics(model);
  MeasuredBatches batches(dataset, images, options, plan);
  Tensors reached = buffers.copy();
  for (std::int64_t first = 0; first < images; first += options.batch_size) {
    if (between_batches) between_batches();
    const Batch batch = batches.next();
    buffers.put(reached);
    statistics.add({batch.images.to(plan.device), batch.labels}, plan);
    reached = buffers.copy();
    buffers.restore();
  }
  return reached;
}

}  // namespace

torch::Tensor training_loss(Model& model, const Batch& batch, double label_smoothing,
                            const ComputePlan& plan) {
  const AutocastGuard autocast(plan);
  const auto logits = model.forward(batch.images.to(plan.device)).to(torch::kFloat32);
  return cross_entropy(logits, batch.labels.to(plan.device), label_smoothing);
}

KeepBuffers::KeepBuffers(Model& model) : live_(model.buffers()) {
  for (const torch::Tensor& buffer : live_) kept_.push_back(buffer.clone());
}

KeepBuffers::~KeepBuffers() { restore(); }

Tensors KeepBuffers::copy() const {
  Tensors copy;
  for (const torch::Tensor& buffer : live_) copy.push_back(buffer.clone());
  return copy;
}

void KeepBuffers::put(const Tensors& values) {
  const torch::NoGradGuard no_grad;
  for (std::size_t i = 0; i < live_.size(); ++i) live_[i].copy_(values[i]);
}

void KeepBuffers::restore() { put(kept_); }

FullGradient full_gradient(Model& model, const Dataset& dataset, const FullGradientOptions& options,
                           const ComputePlan& plan, const std::function<void()>& between_batches) {
  ComputePlan compute = plan;
  compute.bf16 = options.bf16;
  compute.fp16 = false;
  const std::int64_t all = dataset.train.size();
  const std::int64_t images = options.images > 0 ? std::min(options.images, all) : all;
  KeepBuffers buffers(model);
  const bool is_fresh = options.statistics == NormStatistics::kFresh;
  const Tensors fresh =
      is_fresh ? fresh_buffers(model, dataset, images, options, compute, buffers, between_batches)
               : Tensors();
  const InMode mode(model, options.statistics == NormStatistics::kBatch);
  const Tensors parameters = model.parameters();
  FullGradient result;
  result.images = images;
  for (const torch::Tensor& parameter : parameters)
    result.gradients.push_back(
        torch::zeros({parameter.numel()}, parameter.options().dtype(torch::kFloat64).requires_grad(false)));
  MeasuredBatches batches(dataset, images, options, plan);
  std::int64_t seen = 0;
  for (std::int64_t first = 0; first < images; first += options.batch_size) {
    if (between_batches) between_batches();
    const Batch batch = batches.next();
    const std::int64_t count = batch.labels.size(0);
    if (count == 0) continue;  // none of its images can be decoded
    seen += count;
    if (is_fresh) buffers.put(fresh);
    const double weight = static_cast<double>(count) / static_cast<double>(images);
    const torch::Tensor loss = training_loss(model, batch, options.label_smoothing, compute);
    // Not backward(): the model's own gradients stay.
    add_scaled(result.gradients, torch::autograd::grad({loss}, parameters), weight, parameters);
    result.mean_loss += weight * loss.item<double>();
    buffers.restore();
  }
  const torch::NoGradGuard no_grad;
  if (seen == 0) throw RunError("full gradient: none of the images can be decoded");
  if (seen < images) {  // some were left out: the mean is over the others
    const double share = static_cast<double>(images) / static_cast<double>(seen);
    for (torch::Tensor& gradient : result.gradients) gradient.mul_(share);
    result.mean_loss *= share;
    result.images = seen;
  }
  double sum = 0;
  const auto named = model.named_parameters();
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const bool decayed = options.decay_norm_bias || parameters[i].dim() > 1;
    if (decayed && options.weight_decay != 0) {
      const auto flat = parameters[i].detach().as_strided({parameters[i].numel()}, {1});
      result.gradients[i].add_(flat.to(torch::kFloat64), options.weight_decay);
    }
    const double square = squared(result.gradients[i]);
    result.norms.emplace_back(named[i].key(), std::sqrt(square));
    sum += square;
  }
  result.norm = std::sqrt(sum);
  return result;
}

}  // namespace glidepath
