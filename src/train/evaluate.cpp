// src/train/evaluate.cpp - loss and accuracy of a model on a split.
#include "train/evaluate.h"

#include <algorithm>
#include <optional>

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
                    const ComputePlan& plan, const std::function<void()>& between_batches,
                    ProcessGroup* group) {
  torch::NoGradGuard no_grad;
  const InEvaluationMode mode(model);
  const auto input_type = plan.bf16 ? torch::kBFloat16 : torch::kFloat32;
  double loss_sum = 0;
  std::int64_t correct = 0, images = 0;
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
    const Batch& batch = *next;
    images += batch.labels.size(0);
    const AutocastGuard autocast(plan);
    const auto labels = batch.labels.to(plan.device);
    const auto logits = model.forward(batch.images.to(plan.device)).to(torch::kFloat32);
    loss_sum += torch::nn::functional::cross_entropy(
                    logits, labels, torch::nn::functional::CrossEntropyFuncOptions().reduction(torch::kSum))
                    .item<double>();
    correct += logits.argmax(1).eq(labels).sum().item<std::int64_t>();
  }
  if (group != nullptr) {
    const auto sums = torch::tensor({loss_sum, static_cast<double>(correct), static_cast<double>(images)},
                                    torch::kFloat64);
    group->all_reduce(sums);
    loss_sum = sums[0].item<double>();
    correct = static_cast<std::int64_t>(sums[1].item<double>());
    images = static_cast<std::int64_t>(sums[2].item<double>());
  }
  if (images == 0) throw RunError("evaluation: none of the images can be decoded");
  return {loss_sum / static_cast<double>(images), static_cast<double>(correct) / static_cast<double>(images)};
}

}  // namespace glidepath
