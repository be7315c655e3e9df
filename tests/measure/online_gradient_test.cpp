// tests/measure/online_gradient_test.cpp - the estimate on problems whose gradients are known in closed form.
#include "glidepath/online_gradient.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <random>

#include <ATen/Context.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include "glidepath/error.h"

namespace glidepath {
namespace {

/// Estimates of many windows, and what each should have been.
struct Windows {
  std::vector<double> estimates, errors, truths, noise;

  void add(const OnlineEstimate& estimate, double truth) {
    estimates.push_back(estimate.squared_norm);
    errors.push_back(estimate.squared_error);
    noise.push_back(estimate.noise_trace);
    truths.push_back(truth);
  }
  static double mean(const std::vector<double>& values) {
    return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
  }
  double bias() const { return mean(estimates) - mean(truths); }
  /// Of the mean over windows, from the errors that the estimates come with.
  double told_error() const {
    double squares = 0;
    for (const double error : errors) squares += error * error;
    return std::sqrt(squares) / static_cast<double>(errors.size());
  }
  /// The same from how the estimates scatter.
  double seen_error() const {
    double squares = 0;
    for (std::size_t i = 0; i < estimates.size(); ++i)
      squares += std::pow(estimates[i] - truths[i] - bias(), 2);
    const double n = static_cast<double>(estimates.size());
    return std::sqrt(squares / (n - 1) / n);
  }
};

class Vector {
 public:
  explicit Vector(std::size_t size) : tensor_(torch::zeros({static_cast<std::int64_t>(size)})) {}
  float& operator[](std::size_t i) { return tensor_.data_ptr<float>()[i]; }
  const Tensors& tensors() const { return list_; }

 private:
  torch::Tensor tensor_;
  Tensors list_{tensor_};
};

double square(double value) { return value * value; }

// 23 examples in batches of 4 and one of 3, drawn without replacement anew in each epoch: so few that the
// correction by S^2 / N is larger than |G|^2.
TEST(OnlineGradient, IsUnbiasedAtFixedWeightsForDrawsWithoutReplacement) {
  constexpr std::size_t kExamples = 23, kSize = 6, kBatch = 4;
  std::mt19937 random(1);
  std::normal_distribution<double> normal;
  std::vector<std::array<double, kSize>> examples(kExamples);
  std::array<double, kSize> center{};
  for (auto& example : examples) {
    for (std::size_t i = 0; i < kSize; ++i) {
      example[i] = 0.2 + normal(random);
      center[i] += example[i] / kExamples;
    }
  }
  double squared_norm = 0, trace = 0;
  for (std::size_t i = 0; i < kSize; ++i) {
    squared_norm += square(center[i]);
    for (const auto& example : examples) trace += square(example[i] - center[i]) / (kExamples - 1);
  }
  ASSERT_GT(trace / kExamples, 0.3 * squared_norm);

  OnlineGradient online({kExamples, 6, 2, 128});
  Windows windows;
  std::vector<std::size_t> order(kExamples);
  std::iota(order.begin(), order.end(), 0);
  Vector gradient(kSize);
  std::int64_t step = 0;
  for (int window = 0; window < 60; ++window) {
    for (int epoch = 0; epoch < 400; ++epoch) {
      std::shuffle(order.begin(), order.end(), random);
      for (std::size_t first = 0; first < kExamples; first += kBatch) {
        const std::size_t count = std::min(kBatch, kExamples - first);
        for (std::size_t i = 0; i < kSize; ++i) {
          double sum = 0;
          for (std::size_t k = first; k < first + count; ++k) sum += examples[order[k]][i];
          gradient[i] = static_cast<float>(sum / static_cast<double>(count));
        }
        if (online.wants(step)) {
          online.observe(step, static_cast<std::int64_t>(count), 0, gradient.tensors(),
                         [&] { return gradient.tensors(); });
        }
        ++step;
      }
    }
    EXPECT_EQ(online.estimate().pairs, 1200);
    windows.add(online.estimate(), squared_norm);
    online.start_window();
  }
  EXPECT_LT(std::abs(windows.bias()), 4 * windows.told_error());
  EXPECT_LT(windows.told_error(), 0.02 * squared_norm);     // so that the line above says something
  EXPECT_GT(trace / kExamples, 10 * windows.told_error());  // what leaving the correction out would do
  EXPECT_NEAR(windows.seen_error() / windows.told_error(), 1, 0.35);
  EXPECT_NEAR(Windows::mean(windows.noise), trace, 0.01 * trace);
}

// SGD that has settled on the sum of lambda_i (w_i - x_i)^2 / 2 with noisy x. Without momentum the mean of
// the inner products is below zero there (Pflug 1990), and |G|^2 is not.
void expect_unbiased_while_weights_move(double momentum) {
  const std::vector<double> lambda = {5, 2, 1, 0.3};
  const double lr = 0.05, deviation = 0.5;
  std::mt19937 random(2);
  std::normal_distribution<double> normal(0, deviation);
  OnlineGradient online({1'000'000'000, 1'000'000, 2, 32});
  Windows windows;
  std::vector<double> w(4), velocity(4), next(4);
  Vector gradient(4), ahead(4);
  const auto draw = [&] {
    for (double& x : next) x = normal(random);
  };
  draw();
  std::int64_t step = 0;
  double plain = 0;
  std::size_t pairs = 0;
  const auto full = [&] {
    double sum = 0;
    for (std::size_t i = 0; i < 4; ++i) sum += square(lambda[i] * w[i]);
    return sum;
  };
  for (int window = 0; window < 60; ++window) {
    double truth = 0;
    for (int update = 0; update < 3000; ++update, ++step) {
      std::vector<double> before(4);
      for (std::size_t i = 0; i < 4; ++i) {
        before[i] = gradient[i];
        gradient[i] = static_cast<float>(lambda[i] * (w[i] - next[i]));
        if (step % 2 == 1) plain += before[i] * gradient[i];
      }
      if (step % 2 == 0) truth += full() / 1500, ++pairs;
      draw();
      online.observe(step, 10, lr, gradient.tensors(), [&] {
        for (std::size_t i = 0; i < 4; ++i) ahead[i] = static_cast<float>(lambda[i] * (w[i] - next[i]));
        return ahead.tensors();
      });
      for (std::size_t i = 0; i < 4; ++i) {
        velocity[i] = momentum * velocity[i] + gradient[i];
        w[i] -= lr * (gradient[i] + momentum * velocity[i]);
      }
    }
    if (window > 0) windows.add(online.estimate(), truth);  // the first one begins where nothing has settled
    online.start_window();
  }
  const double truth = Windows::mean(windows.truths);
  EXPECT_LT(std::abs(windows.bias()), 4 * windows.told_error());
  EXPECT_LT(windows.told_error(), 0.05 * truth);
  EXPECT_NEAR(windows.seen_error() / windows.told_error(), 1, 0.4);
  // What the pairs say without peeks.
  plain /= static_cast<double>(pairs);
  EXPECT_GT(std::abs(plain - truth), 10 * windows.told_error()) << plain << " for " << truth;
  if (momentum == 0) {
    EXPECT_LT(plain, 0);
  }
}

TEST(OnlineGradient, IsUnbiasedWhileWeightsMove) { expect_unbiased_while_weights_move(0); }
TEST(OnlineGradient, IsUnbiasedWhileWeightsMoveWithMomentum) { expect_unbiased_while_weights_move(0.9); }

TEST(OnlineGradient, PairsLieWithinAnEpoch) {
  OnlineGradient online({100, 5, 2, 128});
  Vector gradient(1);
  gradient[0] = 1;
  std::vector<std::int64_t> peeked;
  for (std::int64_t step = 0; step < 10; ++step) {
    const bool last = step % 5 == 4;
    EXPECT_EQ(online.wants(step), !last) << step;
    if (online.wants(step))
      online.observe(step, 20, 0.1, gradient.tensors(),
                     [&] { return peeked.push_back(step), gradient.tensors(); });
  }
  EXPECT_EQ(online.estimate().pairs, 4);
  EXPECT_EQ(peeked, std::vector<std::int64_t>{0});
  EXPECT_EQ(online.estimate().squared_norm, 1);  // no noise: all are alike
  EXPECT_EQ(online.estimate().noise_scale(), 0);
  EXPECT_FALSE(OnlineGradient({100, 1, 2, 128}).wants(0));
}

TEST(OnlineGradient, GoesOnFromItsStateToTheSameNumbers) {
  const auto gradient_of = [](std::int64_t step, std::int64_t salt) {
    at::manual_seed(static_cast<std::uint64_t>(100 * step + salt));
    return Tensors{torch::randn({3, 4}), torch::randn({5})};
  };
  const OnlineGradientOptions options{100, 10, 2, 4};
  OnlineGradient whole(options);
  const auto observe = [&](OnlineGradient& online, std::int64_t step) {
    if (online.wants(step))
      online.observe(step, 10, 0.1, gradient_of(step, 0), [&] { return gradient_of(step, 1); });
  };
  const Tensors parameters{torch::empty({3, 4}), torch::empty({5})};
  for (std::int64_t step = 0; step < 35; ++step) observe(whole, step);
  for (const std::int64_t stop : {0, 1, 4, 5, 17, 34}) {
    OnlineGradient first(options), second(options);
    for (std::int64_t step = 0; step < stop; ++step) observe(first, step);
    second.set_state(first.state(), parameters);
    for (std::int64_t step = stop; step < 35; ++step) observe(second, step);
    EXPECT_EQ(second.estimate().squared_norm, whole.estimate().squared_norm) << stop;
    EXPECT_EQ(second.estimate().squared_error, whole.estimate().squared_error) << stop;
    EXPECT_EQ(second.estimate().peeks, whole.estimate().peeks) << stop;
  }
  OnlineGradient other(options);
  TensorMap state = whole.state();
  EXPECT_THROW(other.set_state(state, {torch::empty({4, 4}), torch::empty({5})}), InputError);
  state.erase("pairs");
  EXPECT_THROW(other.set_state(state, parameters), InputError);
  other.set_state({}, parameters);
  EXPECT_EQ(other.estimate().pairs, 0);
}

TEST(OnlineGradient, ErrorIsUnknownWithTooFewPairsAndNoNormIsBelowZero) {
  OnlineEstimate estimate;
  estimate.squared_norm = -1;
  estimate.squared_error = 3;
  EXPECT_EQ(estimate.norm(), 0);
  EXPECT_EQ(estimate.low(), 0);
  EXPECT_EQ(estimate.high(), std::sqrt(3.0));
  EXPECT_NEAR(estimate.error(), std::sqrt(3.0) / 2, 1e-15);
  EXPECT_TRUE(std::isnan(estimate.noise_scale()));
  OnlineGradient online({100, 10, 2, 128});
  Vector gradient(2);
  for (std::int64_t step = 0; step < 2; ++step)
    online.observe(step, 10, 0.1, gradient.tensors(), [&] { return gradient.tensors(); });
  EXPECT_EQ(online.estimate().pairs, 1);
  EXPECT_TRUE(std::isnan(online.estimate().error()));
}

// Where the norm is 0 one window in six lies a standard error or more below it: not even there is it said to
// be 0 for certain.
TEST(OnlineGradient, NoIntervalIsFromZeroToZero) {
  OnlineEstimate estimate;
  estimate.squared_norm = -5;
  estimate.squared_error = 1;
  EXPECT_EQ(estimate.norm(), 0);
  EXPECT_EQ(estimate.low(), 0);
  EXPECT_EQ(estimate.high(), 1);
  estimate.squared_norm = 4;
  estimate.squared_error = 3;
  EXPECT_EQ(estimate.low(), 1);
  EXPECT_NEAR(estimate.high(), std::sqrt(7.0), 1e-15);  // closer above than below
}

TEST(OnlineGradient, MarksWindowsWhoseNoiseScaleIsNearTheDataSet) {
  OnlineEstimate estimate;
  estimate.squared_norm = 1;
  estimate.squared_error = 0.1;
  estimate.noise_trace = 99;
  EXPECT_FALSE(estimate.may_be_high(1000));
  estimate.noise_trace = 101;
  EXPECT_TRUE(estimate.may_be_high(1000));
  estimate.squared_norm = -1;  // its noise scale is not known: what is known is its error
  EXPECT_TRUE(estimate.may_be_high(1000));
}

// Peeks before the window fade, so that what they say of other weights is soon gone.
TEST(OnlineGradient, OlderPeeksCountLess) {
  OnlineGradient online({1'000'000, 1000, 2, 1});
  Vector gradient(1), peeked(1);
  gradient[0] = 1;
  std::int64_t step = 0;
  const auto pairs = [&](int count, float at_peek) {
    peeked[0] = at_peek;
    for (int i = 0; i < 2 * count; ++i, ++step)
      online.observe(step, 10, 1, gradient.tensors(), [&] { return peeked.tensors(); });
  };
  pairs(4, 3);  // the peeks' inner product is 3, the pairs' 1: corrected by 2
  EXPECT_NEAR(online.estimate().squared_norm, 3, 1e-4);
  online.start_window();
  pairs(1, 1);  // corrected by 0 now: one peek of the window, 4 before it with weights 2^(-1/2), 2^-1, ...
  const double older = std::exp2(-0.5) + std::exp2(-1) + std::exp2(-1.5) + std::exp2(-2);
  EXPECT_NEAR(online.estimate().squared_norm, 1 + 2 * older / (older + 1), 1e-4);
  // A checkpoint of 0.1.0 has no count of older peeks; all of its peeks are the window's.
  TensorMap state = online.state();
  state["pending"] = state["pending"].slice(0, 0, 7).clone();
  OnlineGradient old({1'000'000, 1000, 2, 1});
  old.set_state(state, {torch::empty({1})});
  EXPECT_NEAR(old.estimate().squared_norm, 1 + 2 * 4 / 5.0, 1e-4);
  state["pending"] = torch::cat({state["pending"], torch::tensor({9.0}, torch::kFloat64)});
  EXPECT_THROW(old.set_state(state, {torch::empty({1})}), InputError);
}

}  // namespace
}  // namespace glidepath
