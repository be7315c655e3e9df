// tests/schedule/peers_test.cpp - our factors against the schedulers of other programs, at every step.
#include <cmath>
#include <map>
#include <vector>

#include <gtest/gtest.h>

#include "core/golden_csv.h"
#include "glidepath/budget.h"
#include "glidepath/plateau.h"
#include "glidepath/schedule.h"

namespace glidepath {
namespace {

struct PeerValue {
  std::string peer, schedule;
  std::int64_t updates, step;
  double lr;
};

std::vector<PeerValue> peer_values() {
  std::vector<PeerValue> values;
  for (const auto& f : read_csv(GLIDEPATH_TEST_DATA "/core/peers.csv")) {
    values.push_back({f[0], f[1], std::stoll(f[2]), std::stoll(f[4]) + std::stoll(f[3]), std::stod(f[5])});
  }
  return values;
}

TEST(Peers, OurFactorsEqualTheirsAtEveryStep) {
  std::map<std::string, int> compared;
  for (const PeerValue& value : peer_values()) {
    ScheduleContext context;
    context.updates = static_cast<double>(value.updates);
    context.steps_per_epoch = 1;
    context.full_updates = context.updates;
    const double ours = parse_schedule(value.schedule, context)(progress_at(value.step, value.updates));
    // optax and timm's torch tensors are float32.
    const double tolerance = value.peer == "optax" ? 2e-7 : 1e-12;
    ASSERT_NEAR(ours, value.lr, tolerance) << value.peer << " " << value.schedule << " at " << value.step;
    ++compared[value.peer];
  }
  EXPECT_EQ(compared.size(), 4U);
  for (const auto& [peer, count] : compared) EXPECT_GE(count, 400) << peer;
}

// The off-the-shelf schedule of 100 updates cut at 37 is the peer's scheduler stopped there.
TEST(Peers, CutIsTheirSchedulerStoppedEarly) {
  constexpr std::int64_t kCut = 37;
  int compared = 0;
  for (const PeerValue& value : peer_values()) {
    if (value.updates != 100 || value.step >= kCut) continue;
    ScheduleContext context;
    context.updates = kCut;
    context.steps_per_epoch = 1;
    context.full_updates = 100;
    const Schedule cut = parse_schedule("cut(" + value.schedule + ")", context);
    ASSERT_NEAR(cut(progress_at(value.step, kCut)), value.lr, value.peer == "optax" ? 2e-7 : 1e-12)
        << value.peer << " " << value.schedule << " at " << value.step;
    ++compared;
  }
  EXPECT_GE(compared, 800);
}

// PyTorch's ReduceLROnPlateau with a patience of 5 epochs of 40.
TEST(Peers, PlateauLowersTheRateWhenTheirsDoes) {
  std::vector<double> losses, rates;
  for (const auto& f : read_csv(GLIDEPATH_TEST_DATA "/core/mistakes.csv")) {
    if (f[0] == "plateau_loss") losses.push_back(std::stod(f[2]));
    if (f[0] == "plateau_lr") rates.push_back(std::stod(f[2]));
  }
  ASSERT_EQ(losses.size(), 40U);
  ASSERT_EQ(rates.size(), 40U);
  const Schedule schedule = parse_schedule("plateau(patience=12.5%)");
  Plateau plateau(*schedule.plateau());
  for (std::size_t i = 0; i < losses.size(); ++i) {
    plateau.observe(static_cast<double>(i) / 40, losses[i]);
    ASSERT_DOUBLE_EQ(plateau.factor(), rates[i]) << "after epoch " << i;
  }
}

// A hundredth is no binary fraction: differences of progress are off by rounding errors, and patience must
// not be.
TEST(Plateau, PatienceEndsAtItsUpdateWhateverTheLength) {
  for (int updates = 20; updates <= 400; ++updates) {
    for (int best = 0; best < updates / 2; best += 3) {
      const int patience = updates / 4;
      Plateau plateau({0.5, static_cast<double>(patience) / updates, 0});
      plateau.observe(static_cast<double>(best) / updates, 1);
      plateau.observe(static_cast<double>(best + patience) / updates, 1);
      ASSERT_EQ(plateau.factor(), 1) << updates << " " << best;
      plateau.observe(static_cast<double>(best + patience + 1) / updates, 1);
      ASSERT_EQ(plateau.factor(), 0.5) << updates << " " << best;
    }
  }
}

TEST(Plateau, LowersTheRateAfterItsPatienceAndKeepsItOtherwise) {
  Plateau plateau({0.1, 0.1, 0});
  for (int i = 0; i <= 10; ++i) plateau.observe(i / 100.0, 10 - i);  // falling: no plateau
  EXPECT_EQ(plateau.factor(), 1);
  for (int i = 11; i <= 20; ++i) plateau.observe(i / 100.0, 5);
  EXPECT_EQ(plateau.factor(), 1);  // exactly its patience
  plateau.observe(0.21, std::nan(""));
  EXPECT_DOUBLE_EQ(plateau.factor(), 0.1);
  plateau.observe(0.22, 5);
  EXPECT_DOUBLE_EQ(plateau.factor(), 0.1);
}

}  // namespace
}  // namespace glidepath
