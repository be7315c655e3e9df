// tests/optim/by_name_test.cpp - parameters with rates, weight decay and an optimizer of their own, against
// optimizers that have these parameters alone.
#include <ATen/Context.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include "glidepath/error.h"
#include "glidepath/optimizer.h"

namespace glidepath {
namespace {

using torch::Tensor;

NamedTensors three() {
  at::manual_seed(3);
  return {{"conv1.weight", torch::randn({4, 3, 3, 3}).requires_grad_()},
          {"fc.weight", torch::randn({5, 4}).requires_grad_()},
          {"fc.bias", torch::randn({5}).requires_grad_()}};
}

void set_gradients(NamedTensors& parameters, int step) {
  for (auto& [name, w] : parameters) {
    at::manual_seed(100 * step + static_cast<int>(w.numel()));
    w.mutable_grad() = torch::randn(w.sizes());
  }
}

/// The options of one parameter as those of all.
OptimizerOptions alone(OptimizerOptions options) {
  options.lr_scale = {};
  options.weight_decay_of = {};
  options.optimizer_of = {};
  return options;
}

TEST(ByName, ThoseThatLandEarlierHaveARateOfTheirOwn) {
  OptimizerOptions options;
  options.nesterov = false;
  options.momentum = 0;
  options.lr_scale = {{"fc.*", 4}};
  options.lr_until = {{"fc.bias", 0.25}, {"fc.weight", 1}};
  NamedTensors parameters = three(), plain = three();
  const auto optimizer = make_optimizer(options, parameters);
  set_gradients(parameters, 0);
  set_gradients(plain, 0);
  std::vector<double> asked;
  optimizer->step(0.1, [&](double share) {
    asked.push_back(share);
    return 0.02;
  });
  EXPECT_EQ(asked, (std::vector<double>{0.25}));
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const auto& [name, w] = plain[i];
    const double rate = name == "fc.bias" ? 4 * 0.02 : name == "fc.weight" ? 4 * 0.1 : 0.1;
    EXPECT_TRUE(torch::allclose(parameters[i].second, w - rate * w.grad(), 1e-6, 1e-7)) << name;
    EXPECT_NEAR(optimizer->rate_factors()[i].max().item<double>(), rate / 0.1, 1e-6) << name;
  }
  optimizer->step(0.1);  // nobody says what it would be
  EXPECT_EQ(optimizer->rate_factors()[2].max().item<double>(),
            optimizer->rate_factors()[1].max().item<double>());
}

TEST(ByName, EachParameterIsUpdatedAsByAnOptimizerOfItsOwn) {
  OptimizerOptions options;
  options.name = "muon";
  options.weight_decay = 1e-3;
  options.lr_scale = {{"fc.bias", 0.5}, {"fc.*", 10}};
  options.weight_decay_of = {{"*.bias", 0}, {"fc*", 0.01}};
  options.optimizer_of = {{"fc.w?ight", "adamw"}};
  NamedTensors together = three(), apart = three();
  const auto one = make_optimizer(options, together);
  std::vector<std::unique_ptr<Optimizer>> others;
  const std::vector<double> scales = {1, 10, 0.5}, decays = {1e-3, 0.01, 0};
  const std::vector<std::string> names = {"muon", "adamw", "sgd"};
  for (std::size_t i = 0; i < 3; ++i) {
    OptimizerOptions own = alone(options);
    own.name = names[i];
    own.weight_decay = decays[i];
    others.push_back(make_optimizer(own, {apart[i]}));
  }
  for (int step = 0; step < 5; ++step) {
    set_gradients(together, step);
    set_gradients(apart, step);
    one->step(0.01);
    for (std::size_t i = 0; i < 3; ++i) others[i]->step(0.01 * scales[i]);
    for (std::size_t i = 0; i < 3; ++i)
      EXPECT_TRUE(torch::equal(together[i].second, apart[i].second)) << together[i].first << " " << step;
  }
  EXPECT_EQ(one->rate_factors().size(), 3U);
  EXPECT_EQ(one->rate_factors()[2].min().item<double>(), 0.5);
}

TEST(ByName, StateGoesOnWithTheSameBits) {
  OptimizerOptions options;
  options.name = "adam";
  options.optimizer_of = {{"conv*", "muon"}, {"*.bias", "sgd"}};
  NamedTensors whole = three(), cut = three();
  const auto first = make_optimizer(options, whole);
  auto second = make_optimizer(options, cut);
  for (int step = 0; step < 6; ++step) {
    if (step == 3) {
      TensorMap saved;
      for (const auto& [name, tensor] : second->state()) saved[name] = tensor.clone();
      second = make_optimizer(options, cut);
      second->set_state(saved);
    }
    for (auto* parameters : {&whole, &cut}) set_gradients(*parameters, step);
    first->step(0.01);
    second->step(0.01);
  }
  for (std::size_t i = 0; i < 3; ++i) EXPECT_TRUE(torch::equal(whole[i].second, cut[i].second));
}

TEST(ByName, WhatFitsNothingOrCannotBeIsRefused) {
  const auto refusal = [](const OptimizerOptions& options) -> std::string {
    try {
      make_optimizer(options, three());
    } catch (const InputError& error) {
      return error.what();
    }
    return "";
  };
  OptimizerOptions options;
  options.lr_scale = {{"head.*", 10}};
  EXPECT_EQ(refusal(options).rfind("lr_scale \"head.*\": fits none of the model's 3 parameters", 0), 0U);
  options = {};
  options.lr_until = {{"fc.*", 0}};
  EXPECT_EQ(refusal(options), "lr_until \"fc.*=0\": must be a share of the budget in (0, 1]");
  options.lr_until = {};
  options.lr_scale = {{"fc.*", -1}};
  EXPECT_EQ(refusal(options), "lr_scale \"fc.*=-1\": must be at least 0");
  options = {};
  options.optimizer_of = {{"fc.*", "lion"}};
  EXPECT_EQ(refusal(options),
            "optimizer_of \"lion\": must be one of sgd, adagrad, rmsprop, adam, amsgrad, adamw, muon, "
            "schedule-free-sgd, schedule-free-adamw");
  options.optimizer_of = {{"fc.*", "muon"}};
  EXPECT_EQ(refusal(options),
            "optimizer_of \"muon\": fc.bias has one dimension, and muon is for matrices and filters");
}

}  // namespace
}  // namespace glidepath
