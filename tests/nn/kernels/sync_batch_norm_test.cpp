// tests/nn/kernels/sync_batch_norm_test.cpp - batch norm over the parts of several threads, against torch's
// over the whole.
#include "nn/kernels/sync_batch_norm.h"

#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include <ATen/Context.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>
#include <torch/nn/modules/batchnorm.h>

#include "nn/kernels/batch_norm_relu.h"

namespace glidepath {
namespace {

/// Adds up what every thread brings, in their order.
class Meeting {
 public:
  explicit Meeting(int threads) : brought_(static_cast<std::size_t>(threads)) {}
  SumOverRanks of(std::size_t thread) {
    return [this, thread](torch::Tensor tensor) {
      std::unique_lock<std::mutex> lock(mutex_);
      brought_[thread] = tensor.clone();
      const int round = round_;
      if (++come_ == static_cast<int>(brought_.size())) {
        sum_ = torch::stack(brought_).sum(0);
        come_ = 0;
        ++round_;
        all_.notify_all();
      } else {
        all_.wait(lock, [&] { return round_ != round; });
      }
      tensor.copy_(sum_);
    };
  }

 private:
  std::vector<torch::Tensor> brought_;
  std::mutex mutex_;
  std::condition_variable all_;
  torch::Tensor sum_;
  int come_ = 0, round_ = 0;
};

struct Pass {
  torch::Tensor y, dx, dweight, dbias, running_mean, running_var;
};

torch::nn::BatchNorm2d made_norm() {
  torch::nn::BatchNorm2d norm(3);
  at::NoGradGuard no_grad;
  norm->weight.copy_(torch::tensor({0.5F, 1.F, 2.F}));
  norm->bias.copy_(torch::tensor({0.1F, -0.2F, 0.3F}));
  return norm;
}

Pass pass(const torch::Tensor& part, const torch::Tensor& dy) {
  auto norm = made_norm();
  const torch::Tensor x = part.clone().requires_grad_();
  const torch::Tensor y = batch_norm_relu(norm, x, {}, false);
  (y * dy).sum().backward();
  return {y.detach(),        x.grad(),           norm->weight.grad(),
          norm->bias.grad(), norm->running_mean, norm->running_var};
}

void expect_close(const torch::Tensor& a, const torch::Tensor& b) {
  const torch::Tensor other = b.to(torch::kFloat32);
  EXPECT_TRUE(torch::allclose(a, other, 1e-5, 3e-5)) << (a - other).abs().max();
}

TEST(SyncBatchNorm, EqualsTorchsOverTheWholeBatchForPartsOfEverySize) {
  for (const auto format : {torch::MemoryFormat::Contiguous, torch::MemoryFormat::ChannelsLast}) {
    for (const std::vector<std::int64_t>& sizes :
         std::vector<std::vector<std::int64_t>>{{4, 4}, {5, 2, 1}, {3, 0}}) {
      at::manual_seed(3);
      std::int64_t images = 0;
      for (const std::int64_t size : sizes) images += size;
      // Means far from zero beside the deviations.
      const auto x = (torch::randn({images, 3, 5, 4}) + torch::tensor({0.F, 100.F, -7.F}).view({1, 3, 1, 1}))
                         .contiguous(format);
      const auto dy = torch::randn_like(x);
      auto norm = made_norm();
      norm->to(torch::kFloat64);
      const auto whole = x.to(torch::kFloat64).requires_grad_();
      const auto y = norm(whole);
      (y * dy).sum().backward();
      Meeting meeting(static_cast<int>(sizes.size()));
      std::vector<Pass> passes(sizes.size());
      std::vector<std::thread> threads;
      std::int64_t first = 0;
      for (std::size_t i = 0; i < sizes.size(); ++i) {
        const bool counts = sizes[i] > 0;
        const auto part = counts ? x.narrow(0, first, sizes[i]) : torch::full({1, 3, 5, 4}, 55.F);
        const auto part_dy = counts ? dy.narrow(0, first, sizes[i]) : torch::zeros({1, 3, 5, 4});
        threads.emplace_back([&, i, part, part_dy, counts] {
          const SyncBatchNormGuard guard(meeting.of(i), counts);
          passes[i] = pass(part, part_dy);
        });
        first += sizes[i];
      }
      for (std::thread& thread : threads) thread.join();
      first = 0;
      torch::Tensor dweight = torch::zeros({3}, torch::kFloat64), dbias = torch::zeros_like(dweight);
      for (std::size_t i = 0; i < sizes.size(); ++i) {
        expect_close(passes[i].running_mean, norm->running_mean);
        expect_close(passes[i].running_var, norm->running_var);
        dweight += passes[i].dweight;
        dbias += passes[i].dbias;
        if (sizes[i] == 0) {
          EXPECT_TRUE(torch::equal(passes[i].dx, torch::zeros_like(passes[i].dx)));
          continue;
        }
        expect_close(passes[i].y, y.detach().narrow(0, first, sizes[i]));
        expect_close(passes[i].dx, whole.grad().narrow(0, first, sizes[i]));
        first += sizes[i];
      }
      EXPECT_TRUE(torch::allclose(dweight, norm->weight.grad(), 1e-4, 1e-3))
          << dweight << norm->weight.grad();
      EXPECT_TRUE(torch::allclose(dbias, norm->bias.grad(), 1e-4, 1e-4));
    }
  }
}

// A last batch of one image, which one rank has and the others stand in for.
TEST(SyncBatchNorm, OfOneValueInAllIsTheBiasAndLeavesTheRunningStatistics) {
  Meeting meeting(2);
  std::vector<Pass> passes(2);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < 2; ++i) {
    threads.emplace_back([&, i] {
      const SyncBatchNormGuard guard(meeting.of(i), i == 0);
      passes[i] = pass(torch::full({1, 3, 1, 1}, 5.F), torch::full({1, 3, 1, 1}, i == 0 ? 2.F : 0.F));
    });
  }
  for (std::thread& thread : threads) thread.join();
  const auto norm = made_norm();
  EXPECT_TRUE(torch::equal(passes[0].y.flatten(), norm->bias));
  EXPECT_TRUE(torch::equal(passes[0].dx, torch::zeros({1, 3, 1, 1})));
  EXPECT_TRUE(torch::equal(passes[0].dbias, torch::full({3}, 2.F)));
  for (const Pass& each : passes) {
    EXPECT_TRUE(torch::equal(each.running_mean, norm->running_mean));
    EXPECT_TRUE(torch::equal(each.running_var, norm->running_var));
  }
}

}  // namespace
}  // namespace glidepath
