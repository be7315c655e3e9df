// tests/task/classify_test.cpp - cross entropy against its definition, term by term.
#include <cmath>
#include <cstdint>
#include <vector>

#include <gtest/gtest.h>
#include <torch/types.h>

#include "glidepath/task.h"

namespace glidepath {
namespace {

constexpr std::int64_t kExamples = 3, kClasses = 4;
const std::vector<float> kLogits = {2, -1, 0.5, 0, -3, 4, 1, 1, 0, 0, 0, 0.25};
const std::vector<std::int64_t> kLabels = {0, 2, 3};

/// The sum over the examples of -sum over classes of q log p, where q is the label, smoothed.
double by_definition(double smoothing) {
  double sum = 0;
  for (std::int64_t i = 0; i < kExamples; ++i) {
    const float* logits = kLogits.data() + i * kClasses;
    double normaliser = 0;
    for (std::int64_t j = 0; j < kClasses; ++j) normaliser += std::exp(static_cast<double>(logits[j]));
    for (std::int64_t j = 0; j < kClasses; ++j) {
      const double wanted =
          smoothing / kClasses + (j == kLabels[static_cast<std::size_t>(i)] ? 1 - smoothing : 0);
      sum -= wanted * (logits[j] - std::log(normaliser));
    }
  }
  return sum;
}

TEST(Classification, IsCrossEntropyAndTheLargestLogit) {
  const torch::Tensor logits = torch::tensor(kLogits).view({kExamples, kClasses}).requires_grad_(true);
  const Batch batch(torch::Tensor(), torch::tensor(kLabels));
  for (const double smoothing : {0.0, 0.1}) {
    const auto task = make_classification(smoothing);
    EXPECT_NEAR(task->loss({logits}, batch).item<double>(), by_definition(smoothing) / kExamples, 1e-6);
    EXPECT_NEAR(task->loss_sum({logits}, batch).item<double>(), by_definition(0),
                1e-6);  // smoothing is training's
    EXPECT_EQ(task->correct({logits}, batch).item<std::int64_t>(), 2);
  }
  make_classification()->loss({logits}, batch).backward();
  // softmax minus label, in the mean.
  EXPECT_NEAR(logits.grad()[2][3].item<double>(), (std::exp(0.25) / (3 + std::exp(0.25)) - 1) / kExamples,
              1e-6);
}

}  // namespace
}  // namespace glidepath
