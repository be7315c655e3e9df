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
