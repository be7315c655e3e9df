// src/loop/evaluate.cpp - loss and accuracy of a model on a split.
#include "loop/evaluate.h"

#include <algorithm>
#include <optional>

#include <torch/types.h>
#include <torch/utils.h>

#include "compute/device_batches.h"
#include "glidepath/error.h"
#include "glidepath/loader.h"
#include "nn/loss.h"

namespace glidepath {
namespace {

class InEvaluationMode {
 public:
  explicit InEvaluationMode(Model& model) : model_(model) { model.eval(); }
  ~InEvaluationMode() { model_.train(); }
  InEvaluationMode(const InEvaluationMode&) = delete;
  InEvaluationMode& operator=(const InEvaluationMode&) = delete;

 private:
  Model& model_;
};

}  // namespace

Evaluation evaluate(Model& model, const Dataset& dataset, const Split& split, std::int64_t batch_size,
                    const ComputePlan& plan, const std::function<void()>& between_batches,
                    ProcessGroup* group, Confusion* confusion) {
  torch::NoGradGuard no_grad;
  const InEvaluationMode mode(model);
  const auto input_type = plan.bf16 ? torch::kBFloat16 : torch::kFloat32;
  // Kept on the device: reading a number there waits for all that is queued before it.
  torch::Tensor losses = torch::zeros({}, torch::TensorOptions(plan.device).dtype(torch::kFloat64));
  torch::Tensor corrects = torch::zeros({}, torch::TensorOptions(plan.device).dtype(torch::kInt64));
  std::int64_t images = 0;
  const int ranks = group == nullptr ? 1 : group->size();
  const Part part = part_of(split.size(), group == nullptr ? 0 : group->rank(), ranks);
  std::optional<PlainLoader> loader;
  if (part.count > 0)
    loader.emplace(dataset, split, part.first, part.count, batch_size, input_type, plan.channels_last);
  const std::int64_t longest = part_of(split.size(), 0, ranks).count;
  for (std::int64_t done = 0; done < longest; done += batch_size) {
    if (between_batches) between_batches();
    const std::optional<Batch> next = loader ? loader->next() : std::nullopt;
    if (!next || next->labels.size(0) == 0) continue;  // no part of it, or none that can be decoded
    const Batch batch = on_device(*next, plan.device);
    images += batch.labels.size(0);
    const AutocastGuard autocast(plan);
    const auto logits = model.forward(batch.images).to(torch::kFloat32);
    losses += cross_entropy_sum(logits, batch.labels);
    const auto predictions = logits.argmax(1);
    corrects += predictions.eq(batch.labels).sum();
    if (confusion != nullptr) confusion->add(batch.labels, predictions);
  }
  double loss_sum = losses.item<double>(), correct = corrects.item<double>();
  if (group != nullptr) {
    const auto sums = torch::tensor({loss_sum, correct, static_cast<double>(images)}, torch::kFloat64);
    group->all_reduce(sums);
    loss_sum = sums[0].item<double>();
    correct = sums[1].item<double>();
    images = static_cast<std::int64_t>(sums[2].item<double>());
  }
  if (images == 0) throw RunError("evaluation: none of the images can be decoded");
  return {loss_sum / static_cast<double>(images), correct / static_cast<double>(images)};
}

}  // namespace glidepath
