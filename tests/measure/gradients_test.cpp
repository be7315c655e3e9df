// tests/measure/gradients_test.cpp - full gradients of modules that are not ours, against torch::autograd.
#include "glidepath/gradients.h"

#include <cmath>
#include <stdexcept>

#include <ATen/Context.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/container/sequential.h>
#include <torch/nn/modules/embedding.h>
#include <torch/nn/modules/linear.h>
#include <torch/types.h>

#include "glidepath/error.h"
#include "glidepath/online_gradient.h"
#include "measure/gradient_kernels.h"

namespace glidepath {
namespace {

struct Data {
  torch::Tensor x, y;
  std::int64_t size() const { return x.size(0); }
  Data part(std::int64_t first, std::int64_t count) const {
    return {x.narrow(0, first, count), y.narrow(0, first, count)};
  }
};

Data regression(std::int64_t count, torch::ScalarType type = torch::kFloat32) {
  at::manual_seed(5);
  return {torch::randn({count, 6}, type), torch::randn({count, 2}, type)};
}

torch::Tensor loss_of(torch::nn::Sequential& model, const Data& data) {
  return torch::mse_loss(model->forward(data.x), data.y);
}

/// Batches of these sizes, one after the other.
std::function<std::optional<BatchLoss>()> batches(torch::nn::Sequential model, Data data,
                                                  std::vector<std::int64_t> sizes) {
  return [=, first = std::int64_t{0}, at = std::size_t{0}]() mutable -> std::optional<BatchLoss> {
    if (at == sizes.size()) return std::nullopt;
    const Data part = data.part(first, sizes[at]);
    first += sizes[at++];
    return BatchLoss{loss_of(model, part), part.size()};
  };
}

double norm_of(const Tensors& gradients) {
  double sum = 0;
  for (const torch::Tensor& gradient : gradients)
    sum += gradient.to(torch::kFloat64).pow(2).sum().item<double>();
  return std::sqrt(sum);
}

torch::nn::Sequential small(torch::ScalarType type = torch::kFloat32) {
  at::manual_seed(6);
  torch::nn::Sequential model(torch::nn::Linear(6, 5), torch::nn::Linear(5, 2));
  model->to(type);
  return model;
}

TEST(Gradients, OfUnequalBatchesAreThatOfAllExamplesAtOnce) {
  for (const auto type : {torch::kFloat32, torch::kFloat64}) {
    SCOPED_TRACE(type == torch::kFloat64 ? "double" : "float");
    auto model = small(type);
    const Data data = regression(50, type);
    const auto wanted = torch::autograd::grad({loss_of(model, data)}, model->parameters());
    const FullGradient found = full_gradient(*model, batches(model, data, {20, 7, 1, 22}));
    const double close = type == torch::kFloat64 ? 1e-13 : 1e-6;
    EXPECT_NEAR(found.norm / norm_of(wanted), 1, close);
    EXPECT_NEAR(found.mean_loss / loss_of(model, data).item<double>(), 1, close);
    EXPECT_EQ(found.examples, 50);
    ASSERT_EQ(found.norms.size(), 4U);
    const std::vector<std::string> names = {"0.weight", "0.bias", "1.weight", "1.bias"};
    for (std::size_t i = 0; i < 4; ++i) {
      EXPECT_EQ(found.norms[i].first, names[i]);
      EXPECT_NEAR(found.norms[i].second / norm_of({wanted[i]}), 1, 10 * close) << names[i];
      EXPECT_LT((found.gradients[i] - wanted[i].reshape(-1)).abs().max().item<double>(), close);
    }
  }
}

TEST(Gradients, ANumberOfExamplesThatIsKnownOrNotMakesNoDifference) {
  auto model = small(torch::kFloat64);
  const Data data = regression(50, torch::kFloat64);
  const double wanted = full_gradient(*model, batches(model, data, {20, 30})).norm;
  for (const std::int64_t expected : {50, 60}) {  // 10 could not be had
    GradientSum sum(named_parameters(*model), expected);
    sum.add(loss_of(model, data.part(0, 20)), 20);
    sum.add(loss_of(model, data.part(20, 30)), 30);
    EXPECT_NEAR(sum.finish().norm / wanted, 1, 1e-13);
  }
}

TEST(Gradients, WeightDecayIsThatOfTheLossWithItsTerm) {
  auto model = small(torch::kFloat64);
  const Data data = regression(30, torch::kFloat64);
  for (const bool all : {true, false}) {
    torch::Tensor loss = loss_of(model, data);
    for (const torch::Tensor& w : model->parameters())
      if (all || w.dim() > 1) loss = loss + 0.05 / 2 * w.pow(2).sum();
    const double wanted = norm_of(torch::autograd::grad({loss}, model->parameters()));
    EXPECT_NEAR(full_gradient(*model, batches(model, data, {30}), 0.05, all).norm, wanted, 1e-12);
  }
}

TEST(Gradients, LeaveWeightsGradientsAndBuffersAsTheyWere) {
  at::manual_seed(6);
  torch::nn::Sequential model(torch::nn::Linear(6, 5), torch::nn::BatchNorm1d(5), torch::nn::Linear(5, 2));
  const Data data = regression(40);
  loss_of(model, data).backward();
  std::vector<torch::Tensor> before;
  const auto all = [&] {
    Tensors list = model->buffers();
    for (const torch::Tensor& w : model->parameters()) list.insert(list.end(), {w.detach(), w.grad()});
    return list;
  };
  for (const torch::Tensor& tensor : all()) before.push_back(tensor.clone());
  const auto same = [&] {
    for (std::size_t i = 0; i < before.size(); ++i) EXPECT_TRUE(torch::equal(all()[i], before[i])) << i;
  };
  full_gradient(*model, batches(model, data, {20, 20}));
  same();
  const auto throwing = [&]() -> std::optional<BatchLoss> {
    loss_of(model, data);
    throw std::runtime_error("no more");
  };
  EXPECT_THROW(full_gradient(*model, throwing), std::runtime_error);
  same();
}

TEST(Gradients, OfFrozenUnusedAndSparseParameters) {
  at::manual_seed(6);
  torch::nn::Embedding words(torch::nn::EmbeddingOptions(9, 4).sparse(true));
  torch::nn::Linear used(4, 1), unused(4, 1);
  torch::nn::Sequential together(words, used, unused);
  used->bias.set_requires_grad(false);
  const auto loss = [&] { return used->forward(words->forward(torch::tensor({1, 1, 7}))).pow(2).mean(); };
  loss().backward();
  double sum = 0;
  for (const torch::Tensor& w : {words->weight, used->weight}) {
    const torch::Tensor dense = w.grad().is_sparse() ? w.grad().to_dense() : w.grad();
    sum += dense.pow(2).sum().item<double>();
  }
  GradientSum gradient(named_parameters(*together));
  gradient.add(loss(), 3);
  const FullGradient found = gradient.finish();
  EXPECT_NEAR(found.norm, std::sqrt(sum), 1e-6 * std::sqrt(sum));
  std::vector<std::string> names;
  for (const auto& named : found.norms) names.push_back(named.first);
  EXPECT_THAT(names, testing::ElementsAre("0.weight", "1.weight", "2.weight", "2.bias"));
  EXPECT_EQ(found.norms[2].second, 0);
  for (const torch::Tensor& each : gradients_of({words->weight, unused->weight}))
    EXPECT_FALSE(each.is_sparse());
}

TEST(Gradients, InnerProductsTakeEveryTypeOfWeight) {
  at::manual_seed(7);
  const auto a = torch::randn({4000}), b = torch::randn({4000});
  const double wanted = inner_product({a}, {b});
  EXPECT_NEAR(inner_product({a.to(torch::kFloat64)}, {b.to(torch::kFloat64)}), wanted, 1e-9);
  const auto x = a.to(torch::kBFloat16), y = b.to(torch::kBFloat16);
  EXPECT_NEAR(inner_product({x}, {y}), inner_product({x.to(torch::kFloat32)}, {y.to(torch::kFloat32)}), 1e-3);
}

template <typename Call>
std::string refusal(Call call) {
  try {
    call();
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

TEST(Gradients, WhatCannotBeMeasuredIsRefused) {
  auto model = small();
  const Data data = regression(10);
  EXPECT_EQ(refusal([&] { full_gradient(*model, batches(model, data, {})); }),
            "full gradient: there is no batch");
  EXPECT_EQ(refusal([] { GradientSum({}); }), "full gradient: there is no parameter that is trained");
  const char* dense =
      "full gradient: the parameter \"w\" must be a dense floating-point tensor that requires a gradient";
  const auto gaps = torch::ones({4, 4}).narrow(1, 0, 2).detach().requires_grad_();
  for (const torch::Tensor& wrong :
       {torch::Tensor(), torch::ones({2}), torch::ones({2}, torch::kInt64), gaps})
    EXPECT_EQ(refusal([&] { GradientSum({{"w", wrong}}); }), dense);
  GradientSum sum(named_parameters(*model));
  EXPECT_EQ(refusal([&] { sum.add(loss_of(model, data), 0); }), "full gradient: a batch of 0 examples");
  const auto scalar = "gradient: the loss must be one number that depends on the parameters";
  EXPECT_EQ(refusal([&] { sum.add(torch::Tensor(), 10); }), scalar);
  EXPECT_EQ(refusal([&] { sum.add(torch::ones({}), 10); }), scalar);
  EXPECT_EQ(refusal([&] { sum.add(model->forward(data.x), 10); }), scalar);
  EXPECT_EQ(refusal([] {
              OnlineGradient({0, 5, 2, 256});
            }),
            "online gradient: training_images 0: must be 1 or more");
  EXPECT_EQ(refusal([] {
              OnlineGradient({10, 0, 2, 256});
            }),
            "online gradient: steps_per_epoch 0: must be 1 or more");
  EXPECT_EQ(refusal([] { OnlineGradient({10, 5, 1, 256}); }), "online gradient: stride 1: must be 2 or more");
  EXPECT_EQ(refusal([] { OnlineGradient({10, 5, 2, 0}); }), "online gradient: peek 0: must be 1 or more");
}

}  // namespace
}  // namespace glidepath
