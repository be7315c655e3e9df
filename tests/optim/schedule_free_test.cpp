// tests/optim/schedule_free_test.cpp - Schedule-Free against its authors' own.
#include "optim/schedule_free.h"

#include <algorithm>
#include <fstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <torch/types.h>

#include "glidepath/error.h"
#include "glidepath/optimizer.h"
#include "support/golden_updates.h"

namespace glidepath {
namespace {

using torch::Tensor;

double worst(const std::vector<Tensor>& ours, const nlohmann::json& theirs) {
  std::vector<Tensor> flat;
  for (const Tensor& each : ours) flat.push_back(each.detach().contiguous().flatten());
  const auto expected = torch::tensor(theirs.get<std::vector<float>>());
  return (torch::cat(flat) - expected).abs().max().item<double>();
}

// golden/optim/make_schedule_free.py
void expect_golden(const nlohmann::json& data, const nlohmann::json& expected, torch::MemoryFormat format) {
  const NamedTensors parameters = {
      {"matrix", even_weights({7, 4}).requires_grad_()},
      {"kernels", even_weights({4, 3, 2, 2}).contiguous(format).requires_grad_()},
      {"vector", even_weights({5}).requires_grad_()}};
  OptimizerOptions options;
  options.name = expected.at("optimizer");
  options.momentum = options.beta1 = expected.at("momentum");
  options.beta2 = 0.99;
  options.weight_decay = expected.at("weight_decay");
  const auto optimizer = make_optimizer(options, parameters);
  EXPECT_TRUE(optimizer->tested_weights().empty());
  std::size_t checked = 0;
  for (int step = 0; step < 20; ++step) {
    for (const auto& [name, w] : parameters) w.mutable_grad() = wavy_gradient(w, step);
    optimizer->step(0.05 * std::min(1.0, (step + 1) / 4.0));
    if (checked == 3 || data.at("after_updates").at(checked) != step + 1) continue;
    const TensorMap tested = optimizer->tested_weights();
    std::vector<Tensor> y, x;
    for (const auto& [name, w] : parameters) {
      y.push_back(w);
      x.push_back(tested.at(name));
    }
    EXPECT_LT(worst(y, expected.at("trained").at(checked)), 2e-6) << "update " << step + 1;
    EXPECT_LT(worst(x, expected.at("tested").at(checked)), 2e-6) << "update " << step + 1;
    ++checked;
  }
  EXPECT_EQ(checked, 3U);
}

TEST(ScheduleFree, EqualsItsAuthorsOverTwentyUpdates) {
  std::ifstream file(GLIDEPATH_TEST_DATA "/optim/schedule_free.json");
  const auto data = nlohmann::json::parse(file);
  EXPECT_EQ(data.at("cases").size(), 4U);
  for (const auto& expected : data.at("cases")) {
    SCOPED_TRACE(expected.at("optimizer").dump() + " momentum " + expected.at("momentum").dump());
    expect_golden(data, expected, torch::MemoryFormat::Contiguous);
    expect_golden(data, expected, torch::MemoryFormat::ChannelsLast);
  }
}

// With momentum near 1 and a constant rate the gradient is that at the mean of z, so x is the mean of z.
TEST(ScheduleFree, WhatIsTestedIsTheMeanOfZ) {
  const Tensor w = torch::zeros({1}).requires_grad_();
  OptimizerOptions options;
  options.name = "schedule-free-sgd";
  const auto optimizer = make_optimizer(options, {{"w", w}});
  double z = 0, sum = 0;
  for (int step = 1; step <= 50; ++step) {
    w.mutable_grad() = torch::full({1}, step % 3 - 0.7);
    optimizer->step(0.1);
    z -= 0.1 * (step % 3 - 0.7);
    sum += z;
    EXPECT_NEAR(optimizer->tested_weights().at("w").item<double>(), sum / step, 1e-5) << step;
  }
}

TEST(ScheduleFree, WantsMomentum) {
  OptimizerOptions options;
  options.name = "schedule-free-sgd";
  options.momentum = 0;
  try {
    make_optimizer(options, {{"w", torch::zeros({1}).requires_grad_()}});
    FAIL();
  } catch (const InputError& error) {
    EXPECT_STREQ(error.what(), "optimizer's momentum \"0\": must be above 0 for schedule-free-sgd");
  }
}

}  // namespace
}  // namespace glidepath
