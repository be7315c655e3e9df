// tests/optim/shares_test.cpp - weight decay and momentum that change on the way, against PyTorch's.
#include <cmath>
#include <fstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <torch/types.h>

#include "glidepath/optimizer.h"
#include "support/golden_updates.h"

namespace glidepath {
namespace {

/// golden/optim/make_scheduled.py; in float32 by one pass, in float64 by torch's operators.
void expect_scheduled(const nlohmann::json& data, const nlohmann::json& expected, torch::ScalarType dtype) {
  torch::Tensor w = even_weights({4, 6}).to(dtype).requires_grad_();
  OptimizerOptions options;
  options.name = expected.at("optimizer");
  options.weight_decay = 0.1;
  const auto optimizer = make_optimizer(options, {{"w", w}});
  std::size_t checked = 0;
  for (int step = 0; step < 20; ++step) {
    const double progress = step / 20.0;
    w.mutable_grad() = wavy_gradient(w, step).to(dtype);
    optimizer->set_shares((1 + std::cos(M_PI * progress)) / 2, 0.5 + 0.5 * progress);
    optimizer->step(0.05);
    if (checked == 3 || data.at("after_updates").at(checked) != step + 1) continue;
    const auto theirs = torch::tensor(expected.at("states").at(checked++).get<std::vector<float>>());
    EXPECT_LT((w.detach().flatten() - theirs).abs().max().item<double>(), 5e-6) << "update " << step + 1;
  }
  EXPECT_EQ(checked, 3U);
}

TEST(OptimizerShares, ScheduledWeightDecayAndMomentumEqualPyTorch) {
  std::ifstream file(GLIDEPATH_TEST_DATA "/optim/scheduled.json");
  const auto data = nlohmann::json::parse(file);
  for (const auto& expected : data.at("cases")) {
    SCOPED_TRACE(expected.at("optimizer").dump());
    expect_scheduled(data, expected, torch::kFloat32);
    expect_scheduled(data, expected, torch::kFloat64);
  }
  EXPECT_EQ(data.at("cases").size(), 2U);
}

TEST(OptimizerShares, OfMuonIsItsMomentumToo) {
  const auto weights_after = [](double momentum, double share) {
    torch::Tensor w = even_weights({5, 7}).requires_grad_();
    OptimizerOptions options;
    options.name = "muon";
    options.muon_momentum = momentum;
    const auto optimizer = make_optimizer(options, {{"w", w}});
    for (int step = 0; step < 3; ++step) {
      w.mutable_grad() = wavy_gradient(w, step);
      optimizer->set_shares(1, share);
      optimizer->step(0.02);
    }
    return w.detach().clone();
  };
  EXPECT_TRUE(torch::equal(weights_after(0.9, 0.5), weights_after(0.45, 1)));
  EXPECT_FALSE(torch::equal(weights_after(0.9, 0.5), weights_after(0.9, 1)));
}

}  // namespace
}  // namespace glidepath
