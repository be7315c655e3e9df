// src/evaluation/test_views.cpp - test-time augmentation.
#include "evaluation/test_views.h"

#include <fmt/format.h>
#include <torch/types.h>

#include "data/batches/augment_operators.h"
#include "evaluation/forward.h"
#include "glidepath/error.h"

namespace glidepath {
namespace {

/// `share` of `values`, and the rest of `others`.
Values mix(const Values& values, const Values& others, double share) {
  Values mixed;
  for (std::size_t i = 0; i < values.size(); ++i)
    mixed.push_back(values[i] * share + others[i] * (1 - share));
  return mixed;
}

Values with_images(Values inputs, torch::Tensor images) {
  inputs.front() = std::move(images);
  return inputs;
}

/// Row y of the result is row y + by, mirrored at the edges. Likewise columns.
torch::Tensor moved(const torch::Tensor& images, std::int64_t by) {
  torch::Tensor result = images;
  for (const std::int64_t side : {2, 3}) {
    const std::int64_t size = images.size(side);
    const auto options = torch::TensorOptions(torch::kInt64).device(images.device());
    result = result.index_select(side, reflected(torch::arange(size, options) + by, size));
  }
  return result.contiguous(images.suggest_memory_format());
}

Values over_flips(Model& model, const Values& inputs, const ComputePlan& plan) {
  const torch::Tensor& images = inputs.front();
  const torch::Tensor mirrored = images.flip(3).contiguous(images.suggest_memory_format());
  return mix(outputs_of(model, inputs, plan), outputs_of(model, with_images(inputs, mirrored), plan), 0.5);
}

}  // namespace

TestViews test_views(const std::string& name) {
  if (name == "none") return TestViews::kOne;
  return name == "flip" ? TestViews::kFlip : TestViews::kFlipShift;
}

int views_in(TestViews views) {
  switch (views) {
    case TestViews::kOne:
      return 1;
    case TestViews::kFlip:
      return 2;
    case TestViews::kFlipShift:
      break;
  }
  return 6;
}

Values outputs_over(TestViews views, Model& model, const Values& inputs, const ComputePlan& plan) {
  if (views == TestViews::kOne) return outputs_of(model, inputs, plan);
  const torch::Tensor& images = inputs.front();
  const bool can_move = images.dim() == 4 && images.size(2) > 1 && images.size(3) > 1;
  if (images.dim() != 4 || (views == TestViews::kFlipShift && !can_move))
    throw InputError(fmt::format("test_augment: its views are of images, and inputs have {} dimensions{}",
                                 images.dim(), images.dim() == 4 ? " and one pixel" : ""));
  const Values here = over_flips(model, inputs, plan);
  if (views == TestViews::kFlip) return here;
  const Values up = over_flips(model, with_images(inputs, moved(images, -1)), plan);
  const Values down = over_flips(model, with_images(inputs, moved(images, 1)), plan);
  return mix(here, mix(up, down, 0.5), 0.5);
}

}  // namespace glidepath
