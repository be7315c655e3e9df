// tests/optim/weight_average_test.cpp - averages of weights against what they are defined as.
#include "glidepath/weight_average.h"

#include <cmath>

#include <gtest/gtest.h>
#include <torch/types.h>

#include "glidepath/error.h"
#include "schedule/average_text.h"

namespace glidepath {
namespace {

using torch::Tensor;

/// Weights after update n of `updates`: a walk.
NamedTensors at(int n) {
  return {{"w", torch::full({2}, std::sin(0.3 * n) + 0.01 * n)},
          {"b", torch::full({}, static_cast<double>(n))}};
}

std::vector<double> averages(const std::string& text, int updates) {
  const auto average = make_weight_average(text);
  std::vector<double> found;
  for (int n = 1; n <= updates; ++n) {
    average->see(at(n), static_cast<double>(n) / updates);
    found.push_back(average->average().at("b").item<double>());
  }
  return found;
}

// Until as much of the budget has gone by as the horizon, the mean of all; then (1 - e^(-1 / hT)) of the new.
TEST(WeightAverage, ExponentialIsByItsHorizonInTheBudget) {
  const auto found = averages("ema(10%)", 1000);
  for (const int n : {1, 2, 50, 99})
    EXPECT_NEAR(found[static_cast<std::size_t>(n - 1)], (n + 1) / 2.0, 1e-3 * n);
  double wanted = 0;
  for (int n = 1; n <= 1000; ++n) wanted += (n - wanted) * std::max(1.0 / n, 1 - std::exp(-1 / 100.0));
  EXPECT_NEAR(found.back(), wanted, 0.05);
  EXPECT_NEAR(found.back(), 1000 - 99.5, 0.2);  // a horizon behind, but for what the beginning was given
  // Ten times as many updates, the same share: ten times the horizon.
  EXPECT_NEAR(averages("ema(10%)", 2000).back(), 2000 - 199.5, 0.4);
}

TEST(WeightAverage, LatestIsTheMeanOfStatesThatLieApart) {
  const auto found = averages("lawa(3,10%)", 100);
  EXPECT_DOUBLE_EQ(found[0], 1);                      // the first
  EXPECT_DOUBLE_EQ(found[9], 1);                      // not yet
  EXPECT_DOUBLE_EQ(found[10], 6);                     // 1 and 11
  EXPECT_DOUBLE_EQ(found[20], 11);                    // 1, 11 and 21
  EXPECT_DOUBLE_EQ(found[90], 81);                    // 71, 81 and 91
  EXPECT_FLOAT_EQ(found[99], (81 + 91 + 100) / 3.0);  // the last update is always one
}

TEST(WeightAverage, StateGoesOnWithTheSameBits) {
  for (const char* text : {"ema(20%)", "lawa(4,5%)"}) {
    const auto whole = make_weight_average(text);
    auto cut = make_weight_average(text);
    for (int n = 1; n <= 60; ++n) {
      if (n == 31) {
        TensorMap saved;
        for (const auto& [name, tensor] : cut->state()) saved[name] = tensor.clone();
        cut = make_weight_average(text);
        cut->set_state(saved, at(1));
      }
      whole->see(at(n), n / 60.0);
      cut->see(at(n), n / 60.0);
    }
    for (const auto& [name, tensor] : whole->average())
      EXPECT_TRUE(torch::equal(cut->average().at(name), tensor)) << text << " " << name;
  }
}

TEST(WeightAverage, AStateOfAnotherModelIsRefused) {
  const auto average = make_weight_average("ema(10%)");
  average->see(at(1), 0.1);
  TensorMap saved = average->state();
  saved["w"] = torch::ones({3});
  EXPECT_THROW(make_weight_average("ema(10%)")->set_state(saved, at(1)), InputError);
  saved = average->state();
  saved.erase("seen");
  EXPECT_THROW(make_weight_average("ema(10%)")->set_state(saved, at(1)), InputError);
  saved["seen"] = torch::tensor({-1.0, 0.5}, torch::kFloat64);
  EXPECT_THROW(make_weight_average("lawa(2,10%)")->set_state(saved, at(1)), InputError);
}

TEST(WeightAverage, SpellingsAreOne) {
  EXPECT_EQ(AverageText::parse("ema").canonical, AverageText::parse("ema(horizon=0.1)").canonical);
  EXPECT_EQ(AverageText::parse("lawa(5, 2%)").canonical, AverageText::parse("lawa").canonical);
  EXPECT_EQ(AverageText::parse("none").canonical, "none");
  EXPECT_EQ(make_weight_average("none"), nullptr);
  for (const char* wrong : {"mean", "ema(0)", "ema(150%)", "lawa(2.5)", "lawa(0)", "ema(10%,3)", ""})
    EXPECT_THROW(AverageText::parse(wrong), InputError) << wrong;
}

}  // namespace
}  // namespace glidepath
