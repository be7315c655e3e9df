// tests/optim/effective_rate_test.cpp - effective learning rates against formulas worked out value by value.
#include "glidepath/effective_rate.h"

#include <algorithm>
#include <cmath>
#include <map>

#include <ATen/Context.h>
#include <gtest/gtest.h>
#include <torch/types.h>

namespace glidepath {
namespace {

OptimizerOptions options_for(const std::string& name) {
  OptimizerOptions options;
  options.name = name;
  options.weight_decay = 0;
  return options;
}

/// The rate of one element whose gradients were these, from the formulas of the optimizers' papers in double.
double rate_of(const std::string& name, const std::vector<double>& gradients, double lr) {
  double sum = 0, rms = 0, v = 0, most = 0, power1 = 1, power2 = 1;
  for (const double g : gradients) {
    sum += g * g;
    rms = 0.99 * rms + 0.01 * g * g;
    v = 0.999 * v + 0.001 * g * g;
    most = std::max(most, v);
    power1 *= 0.9;
    power2 *= 0.999;
  }
  if (name == "sgd") return lr;
  if (name == "adagrad") return lr / (std::sqrt(sum) + 1e-10);
  if (name == "rmsprop") return lr / (std::sqrt(rms) + 1e-8);
  const double u = name == "amsgrad" ? most : v;
  return lr / (1 - power1) / (std::sqrt(u / (1 - power2)) + 1e-8);
}

/// By sorting; linear between neighbours.
double quantile_of(std::vector<double> values, double share) {
  std::sort(values.begin(), values.end());
  const double place = share * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::size_t>(std::floor(place));
  const std::size_t above = std::min(below + 1, values.size() - 1);
  return values[below] + (place - std::floor(place)) * (values[above] - values[below]);
}

void expect_close(double ours, double expected) { EXPECT_NEAR(ours, expected, 1e-5 * std::abs(expected)); }

TEST(EffectiveRate, EqualsItsFormulaElementByElement) {
  for (const char* name : {"sgd", "adagrad", "rmsprop", "adam", "amsgrad", "adamw"}) {
    for (const std::int64_t count : {1, 2, 5, 20, 101, 1000}) {
      SCOPED_TRACE(testing::Message() << name << " " << count);
      at::manual_seed(static_cast<std::uint64_t>(count));
      const std::int64_t seldom_count = (count + 1) / 2;
      auto w = torch::randn({count}).requires_grad_();
      auto seldom = torch::randn({seldom_count}).requires_grad_();  // updated half as often
      auto never = torch::randn({7}).requires_grad_();
      const bool adapts = std::string(name) != "sgd";
      const auto optimizer = make_optimizer(
          options_for(name), adapts ? NamedTensors{{"w", w}, {"seldom", seldom}, {"never", never}}
                                    : NamedTensors{{"w", w}, {"seldom", seldom}});
      std::vector<std::vector<double>> gradients(static_cast<std::size_t>(count + seldom_count));
      for (int step = 0; step < 12; ++step) {
        const double size = step < 4 ? 10 : 0.01;  // falling, so that AMSGrad's maximum is not the last
        w.mutable_grad() = size * torch::randn({count});
        if (step % 2 == 1) seldom.mutable_grad() = size * torch::randn({seldom_count});
        for (std::int64_t i = 0; i < count; ++i)
          gradients[static_cast<std::size_t>(i)].push_back(w.grad()[i].item<double>());
        for (std::int64_t i = 0; i < seldom_count && step % 2 == 1; ++i)
          gradients[static_cast<std::size_t>(count + i)].push_back(seldom.grad()[i].item<double>());
        optimizer->step(0.01);
        optimizer->drop_gradients();
      }
      std::vector<double> rates;
      for (const auto& each : gradients) rates.push_back(rate_of(name, each, 0.003));
      const EffectiveRate rate = effective_rate(*optimizer, 0.003);
      expect_close(rate.q05, quantile_of(rates, 0.05));
      expect_close(rate.q25, quantile_of(rates, 0.25));
      expect_close(rate.median, quantile_of(rates, 0.5));
      expect_close(rate.q75, quantile_of(rates, 0.75));
      expect_close(rate.q95, quantile_of(rates, 0.95));
      double sum = 0;
      for (const double each : rates) sum += each;
      expect_close(rate.mean, sum / static_cast<double>(rates.size()));
    }
  }
}

// What the update is divided by, seen from outside: a step of the optimizer moves a weight by the rate times
// the gradient (Adam: its moving average, which the first update makes (1 - beta1) * g).
TEST(EffectiveRate, IsWhatTheUpdateMultipliesTheGradientBy) {
  for (const auto& [name, share] : std::map<std::string, double>{
           {"adagrad", 1}, {"rmsprop", 1}, {"adam", 0.1}, {"amsgrad", 0.1}, {"adamw", 0.1}}) {
    SCOPED_TRACE(name);
    auto w = torch::zeros({1}).requires_grad_();
    const auto optimizer = make_optimizer(options_for(name), {{"w", w}});
    w.mutable_grad() = torch::full({1}, 0.25);
    optimizer->step(0.01);
    const EffectiveRate rate = effective_rate(*optimizer, 0.01);
    expect_close(-w.item<double>(), rate.median * share * 0.25);
    EXPECT_EQ(rate.q05, rate.q95);
    expect_close(rate.mean, rate.median);
  }
}

TEST(EffectiveRate, IsNoNumberBeforeTheFirstUpdateOrFromABrokenState) {
  auto w = torch::zeros({4}).requires_grad_();
  const auto optimizer = make_optimizer(options_for("adam"), {{"w", w}});
  EXPECT_TRUE(std::isnan(effective_rate(*optimizer, 0.1).median));
  w.mutable_grad() = torch::tensor({1.0F, 2.0F, std::nanf(""), 3.0F});
  optimizer->step(0.1);
  EXPECT_TRUE(std::isnan(effective_rate(*optimizer, 0.1).median));
  EXPECT_TRUE(std::isnan(effective_rate(*optimizer, 0.1).mean));
  const auto sgd = make_optimizer(options_for("sgd"), {{"w", w}});
  EXPECT_EQ(effective_rate(*sgd, 0.1).median, 0.1);
}

// A dead unit's gradient is 0 for ever: its rate is lr / eps, and quantiles bear it.
TEST(EffectiveRate, DeadUnitsHaveTheRateThatEpsAllows) {
  auto w = torch::zeros({4}).requires_grad_();
  const auto optimizer = make_optimizer(options_for("rmsprop"), {{"w", w}});
  w.mutable_grad() = torch::tensor({1.0F, 1.0F, 1.0F, 0.0F});
  optimizer->step(0.1);
  EXPECT_NEAR(effective_rate(*optimizer, 0.1).median, 1, 1e-5);
  EXPECT_NEAR(effective_rate(*optimizer, 0.1).mean, 0.1 / 1e-8 / 4, 10);
  EXPECT_EQ(effective_rate(*optimizer, 0).q95, 0);
}

}  // namespace
}  // namespace glidepath
