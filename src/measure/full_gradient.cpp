// src/measure/full_gradient.cpp - the gradient of the mean training loss over the whole training set.
#include "measure/full_gradient.h"

#include <algorithm>

#include <torch/types.h>

#include "compute/device_batches.h"
#include "evaluation/forward.h"
#include "evaluation/fresh_statistics.h"
#include "glidepath/error.h"
#include "model/in_mode.h"

namespace glidepath {
namespace {

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
    statistics.add(on_device(batch, plan.device), plan);
    reached = buffers.copy();
    buffers.restore();
  }
  return reached;
}

}  // namespace

torch::Tensor training_loss(Model& model, const Task& task, const Batch& batch, const ComputePlan& plan) {
  const Batch there = on_device(batch, plan.device);
  return task.loss(outputs_of(model, inputs_of(model, there), plan), there);
}

FullGradient full_gradient(Model& model, const Dataset& dataset, const FullGradientOptions& options,
                           const ComputePlan& plan, const std::function<void()>& between_batches) {
  ComputePlan compute = plan;
  compute.bf16 = options.bf16;
  compute.fp16 = false;
  const std::int64_t all = dataset.train.size();
  const std::int64_t images = options.images > 0 ? std::min(options.images, all) : all;
  KeepBuffers buffers(model.buffers());
  const bool is_fresh = options.statistics == NormStatistics::kFresh;
  const Tensors fresh =
      is_fresh ? fresh_buffers(model, dataset, images, options, compute, buffers, between_batches)
               : Tensors();
  const InMode mode(model, options.statistics == NormStatistics::kBatch);
  const bool has_terms = options.task->has_terms();
  GradientSum sum(named_parameters(model), has_terms ? 0 : images);
  MeasuredBatches batches(dataset, images, options, plan);
  for (std::int64_t first = 0; first < images; first += options.batch_size) {
    if (between_batches) between_batches();
    const Batch batch = batches.next();
    const std::int64_t count = batch.examples;
    const std::int64_t terms = count == 0 ? 0 : options.task->terms(batch);
    if (terms == 0) continue;  // none of its images can be decoded, or has a label
    if (is_fresh) buffers.put(fresh);
    sum.add(training_loss(model, *options.task, batch, compute), terms);
    buffers.restore();
  }
  if (sum.examples() == 0) throw RunError("full gradient: none of the images can be decoded");
  return sum.finish(options.weight_decay, options.decay_norm_bias);
}

}  // namespace glidepath
