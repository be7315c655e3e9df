// tests/config/budget_scale_test.cpp - base_lr and weight_decay scaled with the budget, against closed forms.
#include "config/budget_scale.h"

#include <cmath>
#include <map>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "glidepath/error.h"

namespace glidepath {
namespace {

using testing::HasSubstr;

constexpr std::int64_t kSteps = 391;

TrainConfig run_of(const std::string& budget, const std::string& lr, const std::string& decay = "off") {
  TrainConfig config;
  config.base_lr = 0.1;
  config.weight_decay = 5e-4;
  set_config_value(config, "budget", budget);
  set_config_value(config, "base_lr_scale", lr);
  set_config_value(config, "weight_decay_scale", decay);
  return config;
}

std::string refusal_of(const TrainConfig& config) {
  try {
    check_config(config);
  } catch (const InputError& error) {
    return error.what();
  }
  return "taken";
}

TEST(BudgetScale, IsOffAtFirst) {
  const TrainConfig config = run_of("5%", "off");
  EXPECT_FALSE(scales_by_budget(config));
  EXPECT_EQ(at_its_budget(config, kSteps), config);
  EXPECT_EQ(told_budget_scales(config, kSteps), "");
}

TEST(BudgetScale, IsThePowerOfTheShare) {
  for (const auto& [budget, share] : std::map<std::string, double>{
           {"10%", 0.1}, {"20ep", 0.1}, {"400ep", 2}, {"100%", 1}, {"782it", 782.0 / (200 * kSteps)}}) {
    SCOPED_TRACE(budget);
    EXPECT_DOUBLE_EQ(share_of_full_budget(run_of(budget, "off"), kSteps), share);
    const TrainConfig scaled = at_its_budget(run_of(budget, "budget^-0.32"), kSteps);
    EXPECT_DOUBLE_EQ(scaled.base_lr, 0.1 * std::pow(share, -0.32));
    EXPECT_EQ(scaled.weight_decay, 5e-4);
    EXPECT_DOUBLE_EQ(at_its_budget(run_of(budget, "off", "budget^0.5"), kSteps).weight_decay,
                     5e-4 * std::sqrt(share));
  }
}

TEST(BudgetScale, OtherUnitsAreTheirsToo) {
  TrainConfig config = run_of("3m", "budget^-1");
  config.full = "1h";
  EXPECT_DOUBLE_EQ(at_its_budget(config, kSteps).base_lr, 0.1 * 20);
  config.budget = "10ep";
  config.full = "39100it";  // 100 epochs
  EXPECT_DOUBLE_EQ(at_its_budget(config, kSteps).base_lr, 0.1 * 10);
  config.budget = "1e14flop";
  config.full = "4e14flop";
  EXPECT_DOUBLE_EQ(at_its_budget(config, kSteps).base_lr, 0.1 * 4);
}

// tau = 1 / (lr * wd) in updates, as a share of the run.
TEST(BudgetScale, ATimescaleStaysTheSameShareOfTheRun) {
  for (const char* lr : {"off", "budget^-0.32", "budget^0.5"}) {
    for (const char* budget : {"1%", "10%", "50%", "100%", "300%"}) {
      SCOPED_TRACE(std::string(lr) + " " + budget);
      const TrainConfig config = run_of(budget, lr, "timescale"), scaled = at_its_budget(config, kSteps);
      const double updates = share_of_full_budget(config, kSteps) * 200 * kSteps;
      EXPECT_NEAR(scaled.base_lr * scaled.weight_decay * updates, 0.1 * 5e-4 * 200 * kSteps, 1e-12);
    }
  }
}

TEST(BudgetScale, HoldsForDecaysByName) {
  TrainConfig config = run_of("25%", "off", "timescale");
  set_config_value(config, "weight_decay_of", "fc.*=0.001,bn*=0");
  const TrainConfig scaled = at_its_budget(config, kSteps);
  EXPECT_DOUBLE_EQ(scaled.weight_decay, 4 * 5e-4);
  EXPECT_EQ(scaled.weight_decay_of, "fc.*=0.004,bn*=0");
}

TEST(BudgetScale, IsTold) {
  EXPECT_EQ(told_budget_scales(run_of("10%", "budget^-0.32", "timescale"), kSteps),
            "at 10 % of the full budget base_lr is 0.1 * 2.089 = 0.2089 (budget^-0.32), weight_decay is "
            "0.0005 * 4.786 = 0.002393 (timescale)");
}

TEST(BudgetScale, HasOneSpellingOfAValue) {
  EXPECT_EQ(run_of("10%", "budget^-0.320").base_lr_scale, "budget^-0.32");
  EXPECT_EQ(run_of("10%", "budget^0").base_lr_scale, "off");
}

TEST(BudgetScale, OtherTextsAreRefused) {
  for (const char* text : {"", "on", "budget", "budget^", "budget^x", "budget^3", "time^-1", "timescale"}) {
    EXPECT_THROW(run_of("10%", text), InputError) << text;
  }
  EXPECT_THROW(run_of("10%", "off", "ema"), InputError);
}

TEST(BudgetScale, BudgetsThatCannotBeComparedAreRefused) {
  EXPECT_EQ(
      refusal_of(run_of("10m", "budget^-0.32")),
      "base_lr_scale \"budget^-0.32\": which share of the full budget 200ep the budget 10m is cannot be "
      "told; give both in one unit, or the budget in percent");
  TrainConfig config = run_of("10%", "off", "timescale");
  config.deadline = "2026-12-01T05:00:00Z";
  EXPECT_EQ(refusal_of(config),
            "weight_decay_scale \"timescale\": how much a deadline leaves is not known beforehand; give a "
            "--budget");
  EXPECT_EQ(refusal_of(run_of("782it", "budget^-0.32")), "taken");
}

}  // namespace
}  // namespace glidepath
