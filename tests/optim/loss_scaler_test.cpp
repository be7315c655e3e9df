// tests/optim/loss_scaler_test.cpp - against PyTorch's GradScaler, step by step.
#include "optim/loss_scaler.h"

#include <cmath>
#include <fstream>
#include <limits>

#include <ATen/Context.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <torch/types.h>
#include <torch/version.h>

#include "glidepath/error.h"

namespace glidepath {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

LossScalerOptions options_of(const nlohmann::json& settings) {
  return {settings.at("init_scale"), settings.at("growth_factor"), settings.at("backoff_factor"),
          settings.at("growth_interval")};
}

void expect_values(const torch::Tensor& tensor, const nlohmann::json& texts) {
  const torch::Tensor flat = tensor.detach().flatten();
  ASSERT_EQ(flat.numel(), static_cast<std::int64_t>(texts.size()));
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const float expected = std::strtof(texts[i].get<std::string>().c_str(), nullptr);
    const auto value = flat[static_cast<std::int64_t>(i)].item<float>();
    EXPECT_TRUE(value == expected || (std::isnan(value) && std::isnan(expected)))
        << value << " and " << expected;
  }
}

// tests/data/golden/optim/make_loss_scaler.py
TEST(LossScaler, DoesWhatGradScalerDoes) {
  std::ifstream file(GLIDEPATH_TEST_DATA "/optim/loss_scaler.json");
  const auto golden = nlohmann::json::parse(file);
  std::int64_t checked = 0;
  for (const auto& [name, run] : golden.items()) {
    LossScaler scaler(torch::kCPU, options_of(run.at("settings")));
    auto vector = torch::tensor({1.0F, -2.0F}).requires_grad_();
    auto matrix = torch::tensor({0.5F}).reshape({1, 1}).requires_grad_();
    std::int64_t index = 0, skipped = 0;
    for (const auto& step : run.at("steps")) {
      SCOPED_TRACE(name + " " + std::to_string(index));
      const float factor = std::strtof(step.at("factor").get<std::string>().c_str(), nullptr);
      vector.mutable_grad().reset();
      matrix.mutable_grad().reset();
      const auto loss = vector[index++ % 2] * factor + vector.sum() + matrix.sum() * 0.5;
      scaler.scaled(loss).backward();
      const bool finite = scaler.unscale({vector.grad(), matrix.grad()});
      expect_values(vector.grad(), step.at("gradients")[0]);
      expect_values(matrix.grad(), step.at("gradients")[1]);
      EXPECT_EQ(finite, !step.at("skipped").get<bool>());
      EXPECT_EQ(scaler.scale(), step.at("scale").get<double>());
      EXPECT_EQ(scaler.state()[1].item<double>(), step.at("tracker").get<double>());
      skipped += finite ? 0 : 1;
      EXPECT_EQ(scaler.skipped(), skipped);
      const at::NoGradGuard no_grad;
      if (finite) {
        vector.sub_(vector.grad(), 0.125);
        matrix.sub_(matrix.grad(), 0.125);
      }
      ++checked;
    }
    EXPECT_GT(skipped, 0);
  }
  EXPECT_EQ(checked, 3 * 14);
}

// The operators that a GPU uses, where this LibTorch has them on the CPU.
TEST(LossScaler, EqualsTorchsOperators) {
#if TORCH_VERSION_MAJOR < 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR < 3)
  GTEST_SKIP() << "LibTorch before 2.3 has _amp_update_scale_ on CUDA alone";
#else
  at::manual_seed(1);
  LossScaler scaler(torch::kCPU, {3000, 1.5, 0.7, 2});
  auto scale = torch::full({}, 3000.0F), found = torch::zeros({});
  auto tracker = torch::zeros({}, torch::kInt32);
  for (int step = 0; step < 20; ++step) {
    SCOPED_TRACE(step);
    std::vector<torch::Tensor> ours{torch::randn({7, 3}) * 1e4, torch::randn({5})}, theirs;
    if (step % 6 == 5) ours[step % 4 == 1][2] = step % 12 == 5 ? NAN : INFINITY;
    for (const torch::Tensor& gradient : ours) theirs.push_back(gradient.clone());
    found.zero_();
    at::_amp_foreach_non_finite_check_and_unscale_(
        theirs, found, scale.to(torch::kFloat64).reciprocal().to(torch::kFloat32));
    at::_amp_update_scale_(scale, tracker, found, 1.5, 0.7, 2);
    EXPECT_EQ(scaler.unscale(ours), found.item<float>() == 0);
    EXPECT_EQ(scaler.scale(), scale.item<double>());
    for (std::size_t i = 0; i < ours.size(); ++i)
      EXPECT_TRUE(torch::allclose(ours[i], theirs[i], 0, 0, /*equal_nan=*/true));
  }
  EXPECT_EQ(scaler.skipped(), 3);
#endif
}

TEST(LossScaler, GoesOnFromItsState) {
  LossScaler first(torch::kCPU, {1024, 2, 0.5, 3}), second(torch::kCPU, {1024, 2, 0.5, 3});
  const auto give = [](LossScaler& scaler, double value) {
    return scaler.unscale({torch::full({2}, value, torch::kFloat32)});
  };
  for (const double value : {1.0, kInfinity, 1.0, 1.0}) give(first, value);
  second.set_state(first.state());
  EXPECT_EQ(second.skipped(), 1);
  for (const double value : {1.0, 1.0, kInfinity, 1.0}) {
    EXPECT_EQ(give(first, value), give(second, value));
    EXPECT_TRUE(torch::equal(first.state(), second.state()));
  }
  second.set_state({});  // a run that begins
  EXPECT_TRUE(torch::equal(second.state(), torch::tensor({1024.0, 0.0, 0.0}, torch::kFloat64)));
  EXPECT_THROW(second.set_state(torch::zeros({2}, torch::kFloat64)), InputError);
  EXPECT_THROW(second.set_state(torch::zeros({3})), InputError);
}

TEST(LossScaler, IsExhaustedWhenNoScaleHelps) {
  LossScaler scaler(torch::kCPU);
  int skipped = 0;
  while (!scaler.is_exhausted()) {
    EXPECT_FALSE(scaler.unscale({torch::full({2}, NAN)}));
    ASSERT_LT(++skipped, 100);
  }
  EXPECT_EQ(skipped, 41);  // from 2^16 to below 2^-24
}

}  // namespace
}  // namespace glidepath
