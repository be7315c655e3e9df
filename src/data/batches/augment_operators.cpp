// src/data/batches/augment_operators.cpp - the batches of augment.h made by torch's operators, where the
// images lie.
#include "data/batches/augment_operators.h"

#include <ATen/core/grad_mode.h>
#include <torch/types.h>

namespace glidepath {

torch::Tensor reflected(const torch::Tensor& places, std::int64_t size) {
  return (size - 1) - ((size - 1) - places.abs()).abs();
}

OperatorAugment::OperatorAugment(const Dataset& dataset, Split split, torch::ScalarType dtype,
                                 bool channels_last)
    : split_(std::move(split)), channels_last_(channels_last) {
  const torch::Device device = split_.images.device();
  const std::int64_t channels = split_.images.size(1);
  // Looked up rather than computed: a GPU's division by a number is a product with its reciprocal.
  table_ = Normaliser(dataset).table_tensor().to(dtype).to(device);
  channels_ = torch::arange(channels, torch::kInt64).to(device);
  rows_ = torch::arange(split_.images.size(2), torch::kInt64).to(device).view({1, -1, 1});
  columns_ = torch::arange(split_.images.size(3), torch::kInt64).to(device).view({1, 1, -1});
}

torch::Tensor OperatorAugment::to_device(const std::vector<std::int64_t>& values,
                                         torch::IntArrayRef sizes) const {
  const torch::Device device = split_.images.device();
  const auto options = torch::TensorOptions().dtype(torch::kInt64).pinned_memory(device.is_cuda());
  torch::Tensor host = torch::empty(sizes, options);
  std::copy(values.begin(), values.end(), host.data_ptr<std::int64_t>());
  return host.to(device, /*non_blocking=*/true);
}

torch::Tensor OperatorAugment::images(const std::vector<Crop>& crops, Beyond beyond) const {
  const at::NoGradGuard no_grad;
  const torch::Tensor& stored = split_.images;
  const std::int64_t height = stored.size(2), width = stored.size(3);
  std::vector<std::int64_t> images, tops, starts, steps;
  for (const Crop& crop : crops) {
    images.push_back(crop.image);
    tops.push_back(crop.top);
    // Column x of the crop is column start + step * x of the picture.
    starts.push_back(crop.mirrored ? crop.left + width - 1 : crop.left);
    steps.push_back(crop.mirrored ? -1 : 1);
  }
  std::vector<std::int64_t> all;
  for (const auto* list : {&images, &tops, &starts, &steps})
    all.insert(all.end(), list->begin(), list->end());
  const torch::Tensor where = to_device(all, {4, static_cast<std::int64_t>(crops.size()), 1, 1});

  torch::Tensor row = where[1] + rows_;                   // [B, H, 1]
  torch::Tensor column = where[2] + where[3] * columns_;  // [B, 1, W]
  if (beyond == Beyond::kReflected) {
    row = reflected(row, height);
    column = reflected(column, width);
  }
  const torch::Tensor inside =
      row.ge(0).logical_and(row.lt(height)).logical_and(column.ge(0)).logical_and(column.lt(width));
  // Padding is byte 0: whatever is read there does not count.
  const torch::Tensor bytes = stored.permute({0, 2, 3, 1})
                                  .index({where[0], row.clamp(0, height - 1), column.clamp(0, width - 1)})
                                  .to(torch::kInt64)
                                  .mul_(inside.unsqueeze(3));  // [B, H, W, C]
  const torch::Tensor batch = table_
                                  .index({channels_, bytes})  // the same
                                  .permute({0, 3, 1, 2});
  return batch.contiguous(channels_last_ ? torch::MemoryFormat::ChannelsLast
                                         : torch::MemoryFormat::Contiguous);
}

torch::Tensor OperatorAugment::labels(const std::vector<Crop>& crops) const {
  std::vector<std::int64_t> images;
  for (const Crop& crop : crops) images.push_back(crop.image);
  return split_.labels.index_select(0, to_device(images, {static_cast<std::int64_t>(crops.size())}));
}

}  // namespace glidepath
