// tests/optim/sgd_test.cpp - our SGD against PyTorch's, update by update.
#include "optim/sgd.h"

#include <fstream>

#include <ATen/Context.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <torch/types.h>

#include "support/sgd.h"

namespace glidepath {
namespace {

torch::Tensor gradient_at(const torch::Tensor& weights, int step) {
  const auto index = torch::arange(weights.numel(), torch::kFloat64).reshape(weights.sizes());
  return 0.3 * weights.detach() + torch::sin(0.7 * step + 0.1 * index).to(torch::kFloat32);
}

nlohmann::json golden() {
  std::ifstream file(GLIDEPATH_TEST_DATA "/optim/sgd.json");
  return nlohmann::json::parse(file);
}

TEST(Sgd, EqualsPyTorchOverAHundredUpdates) {
  const auto data = golden();
  for (const auto& expected : data.at("cases")) {
    SCOPED_TRACE(expected.at("momentum").dump() + " nesterov " + expected.at("nesterov").dump());
    auto matrix = torch::linspace(-1, 1, 12).reshape({3, 4}).clone().requires_grad_();
    auto vector = torch::linspace(0.5, -0.5, 5).requires_grad_();
    const auto sgd = sgd_over({{"matrix", matrix}, {"vector", vector}},
                              {expected.at("momentum"), expected.at("nesterov"), expected.at("weight_decay"),
                               expected.at("decay_norm_bias")});
    std::size_t checked = 0;
    for (int step = 0; step < 100; ++step) {
      for (auto* w : {&matrix, &vector}) w->mutable_grad() = gradient_at(*w, step);
      sgd->step(0.1 * (1 - step / 100.0));
      if (checked < 4 && data.at("after_updates").at(checked) == step + 1) {
        const auto ours = torch::cat({matrix.detach().flatten(), vector.detach()});
        const std::vector<float> theirs = expected.at("states").at(checked);
        for (int i = 0; i < 17; ++i) {
          EXPECT_NEAR(ours[i].item<float>(), theirs[static_cast<std::size_t>(i)], 1e-6) << "element " << i;
        }
        ++checked;
      }
    }
    EXPECT_EQ(checked, 4U);
  }
}

// What a GPU does for all parameters at a time.
TEST(Sgd, UpdatesOfListsAreThoseOfEachParameter) {
  for (const bool nesterov : {true, false}) {
    for (const double weight_decay : {5e-4, 0.0}) {
      at::manual_seed(2);
      const SgdOptions options{0.9, nesterov};
      NamedTensors parameters;
      SgdTensors together;
      for (const std::int64_t size : {1, 7, 64}) {
        const auto initial = torch::randn({size, 3});
        parameters.emplace_back(std::to_string(size), initial.clone().requires_grad_());
        together.weights.push_back(initial.clone());
        together.momenta.push_back(torch::zeros_like(initial));
      }
      const auto sgd = sgd_over(parameters, {0.9, nesterov, weight_decay, true});
      for (int step = 0; step < 5; ++step) {
        together.gradients.clear();
        for (auto& [name, parameter] : parameters) {
          const auto gradient = torch::randn_like(parameter).detach();
          parameter.mutable_grad() = gradient.clone();
          together.gradients.push_back(gradient);
        }
        const double lr = 0.1 / (1 + step);
        sgd->step(lr);
        sgd_update_together(together, options, weight_decay, lr);
        for (std::size_t i = 0; i < parameters.size(); ++i) {
          EXPECT_TRUE(torch::allclose(together.weights[i], parameters[i].second.detach(), 1e-6, 1e-7))
              << "nesterov " << nesterov << " decay " << weight_decay << " update " << step;
        }
      }
    }
  }
}

TEST(Sgd, GradientInAnotherMemoryFormatGivesTheSameUpdate) {
  at::manual_seed(1);
  const auto initial = torch::randn({8, 4, 3, 3});
  const auto gradient = torch::randn({8, 4, 3, 3});
  auto plain = initial.clone().requires_grad_();
  auto last = initial.contiguous(torch::MemoryFormat::ChannelsLast).requires_grad_();
  const auto plain_sgd = sgd_over({{"w", plain}}), last_sgd = sgd_over({{"w", last}});
  for (int step = 0; step < 3; ++step) {
    plain.mutable_grad() = gradient.clone();
    last.mutable_grad() = gradient.clone();  // contiguous, while the weight is channels_last
    plain_sgd->step(0.1);
    last_sgd->step(0.1);
  }
  EXPECT_TRUE(torch::equal(plain.detach(), last.detach()));
  EXPECT_FALSE(torch::equal(plain.detach(), initial));
}

TEST(Sgd, DoublePrecisionTakesTheOperatorsPathAndAgrees) {
  at::manual_seed(2);
  const auto initial = torch::randn({64});
  auto single = initial.clone().requires_grad_();
  auto twice = initial.to(torch::kFloat64).requires_grad_();
  const auto a = sgd_over({{"w", single}}), b = sgd_over({{"w", twice}});
  for (int step = 0; step < 20; ++step) {
    single.mutable_grad() = gradient_at(single, step);
    twice.mutable_grad() = gradient_at(twice.detach().to(torch::kFloat32), step).to(torch::kFloat64);
    a->step(0.05);
    b->step(0.05);
  }
  EXPECT_TRUE(torch::allclose(single.detach().to(torch::kFloat64), twice.detach(), 1e-5, 1e-6));
}

TEST(Sgd, ParameterWithoutGradientStays) {
  auto weight = torch::ones({3}).requires_grad_();
  const auto sgd = sgd_over({{"w", weight}});
  sgd->step(0.1);
  EXPECT_TRUE(torch::equal(weight.detach(), torch::ones({3})));
}

TEST(Sgd, DropGradientsLeavesNone) {
  auto weight = torch::ones({3}).requires_grad_();
  const auto sgd = sgd_over({{"w", weight}});
  weight.sum().backward();
  ASSERT_TRUE(weight.grad().defined());
  sgd->drop_gradients();
  EXPECT_FALSE(weight.grad().defined());
}

}  // namespace
}  // namespace glidepath
