// tests/evaluation/test_views_test.cpp - test-time augmentation against airbench's.
#include "evaluation/test_views.h"

#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include "glidepath/error.h"
#include "glidepath/models.h"
#include "glidepath/safetensors.h"

namespace glidepath {
namespace {

// Logits of its infer() with tta_level 1 and 2 (tests/data/golden/nn/make_airbench.py).
TEST(TestViews, EqualTheReferences) {
  const TensorMap golden = load_safetensors(GLIDEPATH_TEST_DATA "/nn/airbench.safetensors");
  ModelOptions options;
  options.name = "airbench";
  options.width = 0.125;
  const auto model = make_model(options);
  TensorMap weights;
  for (const auto& [name, tensor] : golden) {
    if (name.rfind("before.", 0) == 0) weights[name.substr(7)] = tensor;
  }
  load_state_dict(*model, weights);
  model->train(false);
  const at::NoGradGuard no_grad;
  for (const auto format : {torch::MemoryFormat::Contiguous, torch::MemoryFormat::ChannelsLast}) {
    const torch::Tensor images = golden.at("images").contiguous(format);
    for (const auto& [views, expected] :
         {std::pair(TestViews::kOne, "eval_logits"), std::pair(TestViews::kFlip, "logits_flip"),
          std::pair(TestViews::kFlipShift, "logits_flip_shift")}) {
      const torch::Tensor found = outputs_over(views, *model, {images}, ComputePlan{}).front();
      EXPECT_LT((found - golden.at(expected)).abs().max().item<double>(), 1e-5) << expected;
    }
  }
}

TEST(TestViews, AreOfImagesAlone) {
  ModelOptions options;
  options.name = "mlp";
  options.in_channels = 1;
  options.image_size = 1;
  const auto model = make_model(options);
  EXPECT_THROW(outputs_over(TestViews::kFlip, *model, {torch::rand({2, 1})}, ComputePlan{}), InputError);
  EXPECT_THROW(outputs_over(TestViews::kFlipShift, *model, {torch::rand({2, 1, 1, 1})}, ComputePlan{}),
               InputError);
}

}  // namespace
}  // namespace glidepath
