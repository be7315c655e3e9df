// src/evaluation/evaluate.cpp - loss and accuracy of a model on a split.
#include "evaluation/evaluate.h"

#include <algorithm>
#include <optional>

#include <ATen/core/grad_mode.h>
#include <torch/types.h>

#include "compute/device_batches.h"
#include "evaluation/forward.h"
#include "glidepath/error.h"
#include "glidepath/loader.h"
#include "model/in_mode.h"

namespace glidepath {
Evaluation evaluate(Model& model, const Task& task, const Dataset& dataset, const Split& split,
                    std::int64_t batch_size, const ComputePlan& plan, const Ranks& ranks,
                    const std::function<void()>& between_batches, TestViews views, Confusion* confusion) {
  at::NoGradGuard no_grad;
  const InMode mode(model, false);
  const auto input_type = plan.bf16 ? torch::kBFloat16 : torch::kFloat32;
  // Kept on the device: reading a number there waits for all that is queued before it.
  torch::Tensor losses = torch::zeros({}, torch::TensorOptions(plan.device).dtype(torch::kFloat64));
  torch::Tensor corrects = torch::zeros({}, torch::TensorOptions(plan.device).dtype(torch::kFloat64));
  std::int64_t images = 0;
  const Part part = part_of(split.size(), ranks.rank(), ranks.size());
  std::optional<PlainLoader> loader;
  if (part.count > 0)
    loader.emplace(dataset, split, part.first, part.count, batch_size, input_type, plan.channels_last);
  const std::int64_t longest = part_of(split.size(), 0, ranks.size()).count;
  for (std::int64_t done = 0; done < longest; done += batch_size) {
    if (between_batches) between_batches();
    const std::optional<Batch> next = loader ? loader->next() : std::nullopt;
    if (!next || next->examples == 0) continue;  // no part of it, or none that can be decoded
    const Batch batch = on_device(*next, plan.device);
    images += batch.examples;
    const Values outputs = outputs_over(views, model, batch.inputs, plan);
    losses += task.loss_sum(outputs, batch);
    corrects += right_of(task, outputs, batch);
    if (confusion != nullptr) confusion->add(batch.labels(), outputs.front().argmax(1));
  }
  const auto sums = torch::tensor(
      {losses.item<double>(), corrects.item<double>(), static_cast<double>(images)}, torch::kFloat64);
  ranks.add_up(sums);
  const auto* sum = sums.data_ptr<double>();
  if (sum[2] == 0) throw RunError("evaluation: none of the images can be decoded");
  return {sum[0] / sum[2], sum[1] / sum[2]};
}

}  // namespace glidepath
