// tests/study/pilot_test.cpp - the cheapest runs for a plan, and what is read from them.
#include "study/plan/pilot.h"

#include <cmath>
#include <map>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "glidepath/budget.h"
#include "glidepath/schedule.h"
#include "study/store/store.h"
#include "study/store/stored_plan.h"
#include "study/support.h"

namespace glidepath {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TrainConfig run_with(const std::map<std::string, std::string>& values) {
  TrainConfig config;
  for (const auto& [key, value] : values) set_config_value(config, key, value);
  return config;
}

TEST(Pilot, OneRunAnnealsWheneverWhatIsSpentHasDoubled) {
  const Pilot pilot =
      plan_pilot(run_with({{"budget", "40ep"}, {"seed", "7"}}), {"25%", 2, 5, false}, "budget");
  EXPECT_THAT(pilot.budgets, ElementsAre(1.5625, 3.125, 6.25, 12.5, 25));
  ASSERT_EQ(pilot.plan.runs.size(), 2U);
  const TrainConfig& run = pilot.plan.runs.front();
  EXPECT_EQ(run.budget, "25%");
  EXPECT_EQ(run.full, "40ep");
  EXPECT_EQ(run.eval_every, "6.25%");
  EXPECT_EQ(run.seed, 7);
  EXPECT_EQ(pilot.plan.runs.back().seed, 8);
  EXPECT_THAT(pilot.plan.axes, ElementsAre("seed"));
  const Schedule schedule = parse_schedule(run.schedule);
  double begin = 0;
  for (const double end : {1 / 16.0, 1 / 8.0, 1 / 4.0, 1 / 2.0, 1.0}) {
    for (const double share : {0.0, 0.25, 0.5, 0.875})
      EXPECT_NEAR(schedule(begin + share * (end - begin)), 1 - share, 1e-12) << end << " " << share;
    begin = end;
  }
  EXPECT_EQ(schedule(1), 0);
  const Pilot cosine = plan_pilot(run_with({{"schedule", "cosine"}}), {"10%", 1, 3, false}, "");
  EXPECT_NEAR(parse_schedule(cosine.plan.runs[0].schedule)(0.25 + 0.25 / 4),
              (1 + std::cos(std::acos(-1.0) / 4)) / 2, 1e-12);
  EXPECT_EQ(cosine.plan.runs[0].eval_every, "25%");
}

TEST(Pilot, WhatIsSpentIsAShareOfTheRunsOwnBudget) {
  EXPECT_EQ(plan_pilot(run_with({{"budget", "50%"}, {"full", "90ep"}}), {}, "").base.full, "45ep");
  EXPECT_EQ(plan_pilot(run_with({{"budget", "2h"}}), {"15m", 1, 4, false}, "").plan.runs[0].budget, "12.5%");
  EXPECT_EQ(plan_pilot(run_with({{"budget", "1000it"}}), {"250it", 1, 4, false}, "").plan.runs[0].budget,
            "25%");
  const Pilot separate = plan_pilot(run_with({{"schedule", "rex"}, {"val", "10%"}}), {"31%", 2, 5, true}, "");
  EXPECT_THAT(separate.budgets, ElementsAre(1, 2, 4, 8, 16));  // 31 in sum
  EXPECT_EQ(separate.plan.runs.size(), 10U);
  EXPECT_THAT(separate.plan.axes, ElementsAre("budget", "seed"));
  EXPECT_EQ(separate.plan.runs[1].budget, "2%");
  EXPECT_EQ(separate.plan.runs[1].schedule, "rex");
}

TEST(Pilot, WhatCannotBeIsRefused) {
  const auto refusal = [](const std::map<std::string, std::string>& values, const PilotOptions& options) {
    return message_of<InputError>([&] { plan_pilot(run_with(values), options, ""); });
  };
  EXPECT_THAT(
      refusal({{"budget", "2h"}}, {"10ep", 1, 5, false}),
      HasSubstr("--spend \"10ep\": must be a share of the run's budget, as 25%, or in its unit, as 30m"));
  EXPECT_THAT(refusal({{"budget", "10ep"}}, {"10ep", 1, 5, false}),
              HasSubstr("--spend \"10ep\": must be less than the run's budget, 10ep"));
  EXPECT_THAT(refusal({}, {"much", 1, 5, false}), HasSubstr("--spend \"much\""));
  EXPECT_THAT(refusal({{"schedule", "rex"}}, {}),
              HasSubstr("schedule \"rex\": annealed cycles are of linear or cosine; give --separate"));
  EXPECT_THAT(refusal({{"val", "10%"}}, {}), HasSubstr("give --separate"));
}

using PilotFolder = FolderTest;

TEST_F(PilotFolder, ItsPointsAreWhatCyclesEndedAt) {
  const Pilot pilot =
      plan_pilot(run_with({{"data", "digits"}, {"budget", "40ep"}, {"seed", "1"}}), {"25%", 2, 4, false}, "");
  const auto dir = folder_ / "out";
  check_pilot_folder(dir, pilot.options);
  {
    StudyStore store(pilot_runs(dir, pilot.options));
    std::vector<std::string> ids;
    for (const TrainConfig& run : pilot.plan.runs) ids.push_back(run_id(run));
    store.save_plan(pilot.plan, ids);
    RunRecord run;
    run.id = ids[1];
    run.config = pilot.plan.runs[1];
    run.status = RunStatus::kDone;
    run.test_accuracy = 0.9;
    run.updates = 800;
    run.epochs = 10;
    run.seconds = 40;
    std::vector<CurvePoint> curve;
    for (int i = 1; i <= 8; ++i) curve.push_back({"eval", 100 * i, i / 8.0, 0, 1.0 / i, 0.1 * i});
    store.put(run, "", "", curve, {});
  }
  EXPECT_EQ(collect_cycles(dir, pilot), 4U);
  EXPECT_EQ(collect_cycles(dir, pilot), 4U);
  const StudyResults results = read_results(dir);
  EXPECT_THAT(results.axes, ElementsAre("budget", "seed"));
  std::vector<std::string> told;
  for (const RunRecord& run : results.runs) {
    if (run.status != RunStatus::kDone) continue;
    EXPECT_EQ(run.config.seed, 2);
    EXPECT_EQ(run.config.schedule, "linear");
    told.push_back(fmt::format("{} {:.1f} {} {} {}", run.config.budget, run.test_accuracy, run.updates,
                               run.epochs, run.seconds));
  }
  EXPECT_THAT(told, ElementsAre("3.125% 0.1 100 1.25 5", "6.25% 0.2 200 2.5 10", "12.5% 0.4 400 5 20",
                                "25% 0.8 800 10 40"));
  check_pilot_folder(dir, pilot.options);
  PilotOptions separate = pilot.options;
  separate.is_separate = true;
  EXPECT_THAT(message_of<InputError>([&] { check_pilot_folder(dir, separate); }),
              HasSubstr("holds another study"));
  EXPECT_THAT(message_of<InputError>([&] { stored_plan(dir); }), HasSubstr("was made of results"));
}

}  // namespace
}  // namespace glidepath
