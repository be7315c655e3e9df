// src/train/evaluate.cpp - loss and accuracy of a model on a split.
#include "train/evaluate.h"

#include <algorithm>

#include <torch/torch.h>

#include "glidepath/error.h"
#include "glidepath/loader.h"

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
                    const ComputePlan& plan, const std::function<void()>& between_batches) {
  torch::NoGradGuard no_grad;
  const InEvaluationMode mode(model);
  const auto input_type = plan.bf16 ? torch::kBFloat16 : torch::kFloat32;
  double loss_sum = 0;
  std::int64_t correct = 0, images = 0;
  PlainLoader loader(dataset, split, 0, split.size(), batch_size, input_type, plan.channels_last);
  while (true) {
    if (between_batches) between_batches();
    const auto next = loader.next();
    if (!next) break;
    const Batch& batch = *next;
    if (batch.labels.size(0) == 0) continue;  // none of its images can be decoded
    images += batch.labels.size(0);
    const AutocastGuard autocast(plan);
    const auto labels = batch.labels.to(plan.device);
    const auto logits = model.forward(batch.images.to(plan.device)).to(torch::kFloat32);
    loss_sum += torch::nn::functional::cross_entropy(
                    logits, labels, torch::nn::functional::CrossEntropyFuncOptions().reduction(torch::kSum))
                    .item<double>();
    correct += logits.argmax(1).eq(labels).sum().item<std::int64_t>();
  }
  if (images == 0) throw RunError("evaluation: none of the images can be decoded");
  return {loss_sum / static_cast<double>(images), static_cast<double>(correct) / static_cast<double>(images)};
}

}  // namespace glidepath
