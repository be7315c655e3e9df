// tests/cuda/device_step_test.cpp - passes, scaler, optimizer and graphs on a GPU against the same on the
// CPU.
#include <algorithm>
#include <cmath>

#include <ATen/Context.h>
#include <ATen/core/grad_mode.h>
#include <torch/nn/functional/loss.h>

#include "compute/cuda_graph.h"
#include "compute/device.h"
#include "compute/step_graphs.h"
#include "glidepath/models.h"
#include "gpu.h"
#include "optim/loss_scaler.h"
#include "optim/sgd.h"
#include "support/models.h"
#include "support/sgd.h"

namespace glidepath {
namespace {

std::shared_ptr<Model> small_resnet(const torch::Device& device) {
  at::manual_seed(1);
  ModelOptions options;
  options.name = "resnet8";
  options.classes = 10;
  options.in_channels = 3;
  options.image_size = 32;
  auto model = make_model(options);
  model->to(device);
  model->train();
  return model;
}

Batch made_batch(std::int64_t images, const torch::Device& device, std::uint64_t seed = 2) {
  at::manual_seed(seed);
  const auto pictures = torch::randn({images, 3, 32, 32});
  const auto labels = torch::randint(0, 10, {images}, torch::kInt64);
  return {pictures.to(device), labels.to(device)};
}

/// Largest difference of two lists, of the largest value of each pair.
double distance(const std::vector<torch::Tensor>& a, const std::vector<torch::Tensor>& b) {
  double worst = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const auto x = a[i].detach().cpu().to(torch::kFloat64), y = b[i].detach().cpu().to(torch::kFloat64);
    const double size = std::max(y.abs().max().item<double>(), 1e-6);
    worst = std::max(worst, (x - y).abs().max().item<double>() / size);
  }
  return worst;
}

std::vector<torch::Tensor> gradients_of(Model& model) {
  std::vector<torch::Tensor> gradients;
  for (const auto& parameter : model.parameters()) gradients.push_back(parameter.grad().clone());
  return gradients;
}

class DeviceStep : public GpuTest {
 protected:
  void SetUp() override {
    GpuTest::SetUp();
    if (!IsSkipped()) set_gpu_kernels(/*deterministic=*/true, /*tf32=*/false);
  }
};

Passed passes(Model& model, const Batch& batch, const ComputePlan& plan, LossScaler* scaler = nullptr) {
  for (auto& parameter : model.parameters()) parameter.mutable_grad().reset();
  torch::Tensor loss, logits;
  {
    const AutocastGuard autocast(plan);
    logits = outputs_for(model, batch.images()).to(torch::kFloat32);
    loss = torch::nn::functional::cross_entropy(logits, batch.labels());
  }
  (scaler != nullptr ? scaler->scaled(loss) : loss).backward();
  const at::NoGradGuard no_grad;
  return {loss.detach(), logits.detach().argmax(1).eq(batch.labels()).sum()};
}

TEST_F(DeviceStep, ForwardAndBackwardEqualTheCpus) {
  const auto here = small_resnet(torch::kCPU), there = small_resnet(gpu());
  ComputePlan plan;
  const Passed expected = passes(*here, made_batch(32, torch::kCPU), plan);
  plan.device = gpu();
  const Passed found = passes(*there, made_batch(32, gpu()), plan);
  EXPECT_NEAR(found.loss.item<double>(), expected.loss.item<double>(), 1e-4);
  EXPECT_LT(distance(gradients_of(*there), gradients_of(*here)), 2e-3);
}

TEST_F(DeviceStep, GpusChooseTheSameBitsTwice) {
  ComputePlan plan;
  plan.device = gpu();
  const auto one = small_resnet(gpu()), other = small_resnet(gpu());
  for (int step = 0; step < 3; ++step) {
    passes(*one, made_batch(64, gpu()), plan);
    passes(*other, made_batch(64, gpu()), plan);
    EXPECT_EQ(distance(gradients_of(*one), gradients_of(*other)), 0);
  }
}

TEST_F(DeviceStep, Fp16WithAScalerStaysNearFloat32) {
  const auto exact = small_resnet(gpu()), half = small_resnet(gpu());
  ComputePlan plan;
  plan.device = gpu();
  passes(*exact, made_batch(64, gpu()), plan);
  plan.fp16 = true;
  LossScaler scaler(gpu(), {1024, 2, 0.5, 2000});
  passes(*half, made_batch(64, gpu()), plan, &scaler);
  std::vector<torch::Tensor> gradients;
  for (const auto& parameter : half->parameters()) gradients.push_back(parameter.grad());
  EXPECT_TRUE(scaler.unscale(gradients));
  EXPECT_LT(distance(gradients, gradients_of(*exact)), 0.1);
}

// The kernels of CUDA against the plain code that the CPU's tests compare with GradScaler.
TEST_F(DeviceStep, TheScalerDoesWhatItDoesOnTheCpu) {
  const LossScalerOptions options{4096, 1.5, 0.25, 2};
  LossScaler here(torch::kCPU, options), there(gpu(), options);
  for (int step = 0; step < 12; ++step) {
    SCOPED_TRACE(step);
    at::manual_seed(static_cast<std::uint64_t>(step));
    const auto a = torch::randn({5, 3}), b = torch::randn({7});
    if (step % 4 == 3) b[step % 7] = step % 8 == 3 ? INFINITY : NAN;
    const auto a_there = a.to(gpu()), b_there = b.to(gpu());
    EXPECT_EQ(there.unscale({a_there, b_there}), here.unscale({a.clone(), b.clone()}));
    EXPECT_TRUE(torch::equal(there.state(), here.state()));
  }
  EXPECT_EQ(there.skipped(), 3);
}

TEST_F(DeviceStep, SgdEqualsTheCpus) {
  at::manual_seed(4);
  const auto initial = torch::randn({9, 4});
  auto here = initial.clone().requires_grad_(), there = initial.to(gpu()).requires_grad_();
  const auto on_cpu = sgd_over({{"w", here}}), on_gpu = sgd_over({{"w", there}});
  for (int step = 0; step < 5; ++step) {
    const auto gradient = torch::randn({9, 4});
    here.mutable_grad() = gradient.clone();
    there.mutable_grad() = gradient.to(gpu());
    on_cpu->step(0.1);
    on_gpu->step(0.1);
    EXPECT_TRUE(torch::allclose(there.detach().cpu(), here.detach(), 1e-5, 1e-6)) << "update " << step;
  }
}

// Batches of two sizes in turn, so that gradients of one graph have to give way to those of the other.
TEST_F(DeviceStep, GraphsEqualEagerUpdates) {
  if (!CudaGraph::is_built()) GTEST_SKIP() << "this build has no CUDA graphs";
  for (const bool fp16 : {false, true}) {
    SCOPED_TRACE(fp16 ? "fp16" : "fp32");
    ComputePlan plan;
    plan.device = gpu();
    plan.fp16 = fp16;
    const auto eager = small_resnet(gpu()), graphed = small_resnet(gpu());
    const auto eager_sgd = sgd_over(named_parameters(*eager)),
               graphed_sgd = sgd_over(named_parameters(*graphed));
    LossScaler eager_scaler(gpu()), graphed_scaler(gpu());
    std::vector<std::string> warnings;
    StepGraphs graphs(gpu(), graphed->parameters(),
                      [&](const std::string& text) { warnings.push_back(text); });
    for (int step = 0; step < 14; ++step) {
      SCOPED_TRACE(step);
      const Batch batch = made_batch(step % 2 == 0 ? 32 : 20, gpu(), static_cast<std::uint64_t>(step));
      const Passed expected = passes(*eager, batch, plan, fp16 ? &eager_scaler : nullptr);
      const Passed found = graphs.run(batch, [&](const Batch& given) {
        return passes(*graphed, given, plan, fp16 ? &graphed_scaler : nullptr);
      });
      EXPECT_EQ(found.loss.item<float>(), expected.loss.item<float>());
      EXPECT_EQ(found.correct.item<std::int64_t>(), expected.correct.item<std::int64_t>());
      const bool finite = !fp16 || eager_scaler.unscale(eager_sgd->gradients());
      const bool graphed_finite = !fp16 || graphed_scaler.unscale(graphed_sgd->gradients());
      EXPECT_EQ(graphed_finite, finite);
      ASSERT_EQ(distance(gradients_of(*graphed), gradients_of(*eager)), 0);
      if (!finite) continue;
      eager_sgd->step(0.05);
      graphed_sgd->step(0.05);
    }
    EXPECT_TRUE(warnings.empty()) << warnings.front();
    EXPECT_EQ(graphs.recorded(), 2);
    for (const auto& [name, buffer] : eager->named_buffers())
      EXPECT_TRUE(torch::equal(buffer, tensor_named(graphed->named_buffers(), name))) << name;
  }
}

TEST_F(DeviceStep, WhatCannotBeRecordedIsComputedAsUsual) {
  if (!CudaGraph::is_built()) GTEST_SKIP() << "this build has no CUDA graphs";
  const auto model = small_resnet(gpu());
  ComputePlan plan;
  plan.device = gpu();
  std::vector<std::string> warnings;
  StepGraphs graphs(gpu(), model->parameters(), [&](const std::string& text) { warnings.push_back(text); });
  for (int step = 0; step < 6; ++step) {
    const Passed loss = graphs.run(made_batch(16, gpu()), [&](const Batch& batch) {
      Passed computed = passes(*model, batch, plan);
      computed.loss.item<float>();  // waits for the device, which no graph can
      return computed;
    });
    EXPECT_TRUE(torch::isfinite(loss.loss).item<bool>());
  }
  EXPECT_EQ(warnings.size(), 1U);
  EXPECT_EQ(graphs.recorded(), 0);
}

}  // namespace
}  // namespace glidepath
