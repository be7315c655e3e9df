// src/evaluation/test_views.h - test-time augmentation: outputs in the mean over several views of an image.
#pragma once
#include <string>

#include "compute/device.h"
#include "glidepath/model.h"

namespace glidepath {

/// Weights are how often a random test view would be each.
enum class TestViews {
  kOne,
  kFlip,  ///< the image and its mirror image, half each
  /// Those of the image, half; and those of the image moved up and left, and down and right, by a pixel, a
  /// quarter each; what comes in at the edges is reflected. Source: airbench (arXiv 2404.00498, 3.5).
  kFlipShift
};

/// Of TrainConfig::test_augment.
TestViews test_views(const std::string& name);
/// Forward passes that one image takes.
int views_in(TestViews views);

/// The first of `inputs` is images [B, C, H, W], of 2 x 2 pixels at least for kFlipShift. Float32.
Values outputs_over(TestViews views, Model& model, const Values& inputs, const ComputePlan& plan);

}  // namespace glidepath
