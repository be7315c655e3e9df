// tests/optim/muon_test.cpp - Muon against PyTorch's, and what it promises of singular values.
#include "optim/muon.h"

#include <fstream>

#include <ATen/Context.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <torch/types.h>

#include "glidepath/optimizer.h"
#include "glidepath/safetensors.h"
#include "support/golden_updates.h"

namespace glidepath {
namespace {

using torch::Tensor;

/// golden/optim/make_muon.py; the filters are a convolution's here, in either memory format.
void expect_golden(const nlohmann::json& data, const nlohmann::json& expected, torch::MemoryFormat format) {
  NamedTensors parameters = {{"wide", even_weights({3, 8}).requires_grad_()},
                             {"tall", even_weights({7, 4}).requires_grad_()},
                             {"kernels", even_weights({4, 3, 2, 2}).contiguous(format).requires_grad_()}};
  OptimizerOptions options;
  options.name = "muon";
  options.muon_momentum = expected.at("momentum");
  options.nesterov = expected.at("nesterov");
  options.muon_steps = expected.at("steps");
  options.weight_decay = expected.at("weight_decay");
  const auto optimizer = make_optimizer(options, parameters);
  std::size_t checked = 0;
  for (int step = 0; step < 20; ++step) {
    for (auto& [name, w] : parameters) w.mutable_grad() = wavy_gradient(w, step);
    optimizer->step(0.05 * (1 - step / 20.0));
    if (checked == 3 || data.at("after_updates").at(checked) != step + 1) continue;
    std::vector<Tensor> flat;
    for (const auto& [name, w] : parameters) flat.push_back(w.detach().contiguous().flatten());
    const auto theirs = torch::tensor(expected.at("states").at(checked++).get<std::vector<float>>());
    EXPECT_LT((torch::cat(flat) - theirs).abs().max().item<double>(), 2e-5) << "update " << step + 1;
  }
  EXPECT_EQ(checked, 3U);
}

TEST(Muon, EqualsPyTorchOverTwentyUpdates) {
  std::ifstream file(GLIDEPATH_TEST_DATA "/optim/muon.json");
  const auto data = nlohmann::json::parse(file);
  for (const auto& expected : data.at("cases")) {
    SCOPED_TRACE(expected.at("momentum").dump() + " steps " + expected.at("steps").dump());
    expect_golden(data, expected, torch::MemoryFormat::Contiguous);
    expect_golden(data, expected, torch::MemoryFormat::ChannelsLast);
  }
  EXPECT_EQ(data.at("cases").size(), 4U);
}

// Singular vectors stay, and values go to about 1.
// Three updates by airbench94_muon.py's own Muon in float32 (tests/data/golden/nn/make_airbench.py).
TEST(Muon, NormalisedEqualsAirbenchs) {
  const TensorMap golden = load_safetensors(GLIDEPATH_TEST_DATA "/nn/airbench.safetensors");
  for (const auto format : {torch::MemoryFormat::Contiguous, torch::MemoryFormat::ChannelsLast}) {
    Tensor w = golden.at("muon.before").clone(format).requires_grad_();
    OptimizerOptions options;
    options.name = "muon";
    options.muon_momentum = 0.6;
    options.muon_steps = 3;
    options.muon_normalised = true;
    const auto optimizer = make_optimizer(options, {{"w", w}});
    for (int update = 0; update < 3; ++update) {
      w.mutable_grad() = golden.at("muon.gradient" + std::to_string(update));
      optimizer->step(0.24);
      const Tensor expected = golden.at("muon.after" + std::to_string(update));
      EXPECT_LT((w.detach() - expected).abs().max().item<double>(), 1e-5) << update;
    }
  }
}

TEST(Muon, NewtonAndSchulzMakeOrthogonal) {
  at::manual_seed(1);
  for (const auto& [rows, columns] : std::vector<std::pair<int, int>>{{8, 8}, {5, 40}, {60, 9}}) {
    const Tensor matrix = torch::randn({rows, columns});
    const Tensor found = newton_schulz(matrix, 5);
    const Tensor values = torch::linalg_svdvals(found);
    EXPECT_GT(values.min().item<double>(), 0.3);
    EXPECT_LT(values.max().item<double>(), 1.3);
    const auto svd = torch::linalg_svd(matrix, false);
    const Tensor inside = torch::mm(torch::mm(std::get<0>(svd).t(), found), std::get<2>(svd).t());
    const Tensor beside = inside - torch::diag(inside.diagonal());
    EXPECT_LT(beside.abs().max().item<double>(), 1e-3) << rows << " x " << columns;
  }
}

// airbench94_muon: the weights' norm is brought to sqrt(rows), then the update is taken as it is.
TEST(Muon, NormalisedWeightsStartEveryUpdateWithTheSameNorm) {
  Tensor w = even_weights({6, 2, 3, 3}).requires_grad_();
  OptimizerOptions options;
  options.name = "muon";
  options.muon_normalised = true;
  options.muon_momentum = 0.6;
  options.muon_steps = 3;
  const auto optimizer = make_optimizer(options, {{"w", w}});
  Tensor velocity = torch::zeros_like(w);
  for (int step = 0; step < 3; ++step) {
    const Tensor g = wavy_gradient(w, step);
    velocity = 0.6 * velocity + g;
    const Tensor direction = newton_schulz((g + 0.6 * velocity).reshape({6, -1}), 3).reshape(w.sizes());
    const Tensor wanted = w.detach() * std::sqrt(6.0) / w.detach().norm() - 0.24 * direction;
    w.mutable_grad() = g;
    optimizer->step(0.24);
    EXPECT_TRUE(torch::allclose(w.detach(), wanted, 1e-5, 1e-6)) << step;
  }
}

}  // namespace
}  // namespace glidepath
