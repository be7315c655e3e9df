// tests/loop/user_pain_test.cpp - what users of other programs ran into, thread by thread: whole runs,
// stopped, resumed, made longer and shorter. Each test is named after its thread; those about schedules alone
// are in tests/core/user_pain_test.cpp.
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <torch/types.h>

#include "budget/deadline.h"
#include "glidepath/dry_run.h"
#include "glidepath/error.h"
#include "glidepath/safetensors.h"
#include "glidepath/train.h"
#include "loop/digits_run.h"
#include "support/run_results.h"
#include "support/same_weights.h"
#include "support/temporary_folder.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

class UserPain : public testing::Test {
 protected:
  void SetUp() override {
    config_ = digits_run("100it");
    config_.width = 0.25;
    config_.base_lr = 0.1;
  }

  fs::path out(const std::string& name) const { return folder_ / name; }
  /// Trains from the start, to the end or to an update after which it is stopped.
  void start(const std::string& name, std::optional<int> stop_after = {}) { go(name, stop_after, false); }
  void resume(const std::string& name, std::optional<int> stop_after = {}) { go(name, stop_after, true); }
  void resume_with(const std::string& name, const std::string& budget, Replan replan = Replan::kReAnneal,
                   std::optional<int> stop_after = {}) {
    config_.budget = budget;
    replan_ = replan;
    go(name, stop_after, true);
  }
  /// A run that has finished keeps its result: it goes on in another folder.
  void resume_elsewhere(const std::string& from, const std::string& to, const std::string& budget,
                        Replan replan = Replan::kReAnneal, std::optional<int> stop_after = {}) {
    config_.budget = budget;
    replan_ = replan;
    go(to, stop_after, true, from);
  }
  /// Learning rates by the number of the update, 1-based, from every line of the metrics.
  std::map<std::int64_t, double> rates(const std::string& name) const {
    std::map<std::int64_t, double> list;
    for (const auto& record : records_of(out(name), "train")) list[record.at("step")] = record.at("lr");
    return list;
  }
  nlohmann::json summary(const std::string& name) const { return summary_of(out(name)); }
  void expect_falling(const std::string& name) const {
    double last = 1;
    for (const auto& [step, rate] : rates(name)) {
      EXPECT_LE(rate, last) << "update " << step;
      last = rate;
    }
  }
  void expect_same_weights(const std::string& a, const std::string& b) const {
    glidepath::expect_same_weights(out(a), out(b));
  }
  static std::string message_of(const std::function<void()>& action) {
    try {
      action();
    } catch (const InputError& error) {
      return error.what();
    }
    return "no error";
  }

  const TemporaryFolder temporary_{"pain"};
  const fs::path& folder_ = temporary_.path();
  TrainConfig config_;
  Replan replan_ = Replan::kReAnneal;
  std::string told_;
  TrainResult result_;

 private:
  void go(const std::string& name, std::optional<int> stop_after, bool resumed,
          const std::string& from = {}) {
    TrainOptions options;
    options.out = out(name);
    if (!from.empty()) options.resume_from = out(from);
    options.resume = resumed;
    options.replan = replan_;
    options.on_budget_change = [&](const std::string& line) { told_ = line; };
    int updates = 0;
    // Asked before the first update and after each.
    if (stop_after) options.stop_signal = [&] { return updates++ == *stop_after ? SIGTERM : 0; };
    if (stop_after) {
      EXPECT_THROW(train(config_, options), Interrupted);
    } else {
      result_ = train(config_, options);
    }
  }
};

// Wanted: 10 epochs after 5, and the rate to go on falling. It jumped back up.
TEST_F(UserPain, transformers_4383_longer_budget_on_resume) {
  start("a", 50);
  resume_with("a", "200it");
  EXPECT_EQ(result_.updates, 200);
  EXPECT_EQ(told_, "budget 100it -> 200it at update 50: lr goes on from 0.05, linear to 0 over 150 updates");
  expect_falling("a");
  const auto by_update = rates("a");
  for (const auto& [step, rate] : by_update) {
    const auto index = static_cast<double>(step - 1);
    EXPECT_NEAR(rate, step <= 50 ? 0.1 * (1 - index / 100) : 0.05 * (200 - index) / 150, 1e-15) << step;
  }
  EXPECT_NEAR(result_.last_update_lr, 0.05 / 150, 1e-15);
  EXPECT_EQ(result_.final_lr, 0);
  // The run directory tells the truth, and its history.
  EXPECT_EQ(read_run_config(out("a")).budget, "200it");
  EXPECT_EQ(summary("a").at("budget"), "200it");
  EXPECT_EQ(summary("a").at("budgets_before").at(0), "100it until update 50, then re-anneal to 200it");
}

TEST_F(UserPain, transformers_4383_shorter_budget_on_resume) {
  start("a", 50);
  resume_with("a", "60it");
  EXPECT_EQ(result_.updates, 60);
  expect_falling("a");
  EXPECT_NEAR(result_.last_update_lr, 0.05 / 10, 1e-15);
  config_.budget = "60it";
  start("b", 50);
  EXPECT_THAT(message_of([&] { resume_with("b", "40it"); }),
              testing::HasSubstr("the run has made 50 already; give more than 50it"));
}

// The warm-up of the first budget need not fit into what it was made shorter to, nor in later sessions.
TEST_F(UserPain, transformers_4383_a_shorter_budget_than_the_first_ones_warmup) {
  config_.schedule = "linear(warmup=80it)";
  start("a", 40);
  resume_with("a", "60it", Replan::kReAnneal, 10);
  resume("a");
  EXPECT_EQ(result_.updates, 60);
  const auto by_update = rates("a");
  // 40 of 100 updates are made; each of the 20 that are left is worth three of the first budget.
  for (const auto& [step, rate] : by_update) {
    const auto index = static_cast<double>(step - 1);
    const double at = index < 40 ? index : 40 + 3 * (index - 40);  // on the way from 0 to 100
    EXPECT_NEAR(rate, 0.1 * (at < 80 ? 0.1 + 0.9 * at / 80 : (100 - at) / 20), 1e-12) << step;
  }
  EXPECT_EQ(result_.final_lr, 0);
}

// Wanted: a resumed run to have the rates it would have had; "you cannot change a single training argument".
TEST_F(UserPain, transformers_23099_34053_resuming_changes_no_rate) {
  start("whole");
  start("a", 5);
  resume("a", 40);
  resume("a");
  EXPECT_EQ(rates("a"), rates("whole"));
  expect_same_weights("a", "whole");
}

// A changed budget is kept by later sessions, and changed again.
TEST_F(UserPain, transformers_23099_a_second_resume_goes_on_with_the_new_budget) {
  start("whole", 50);
  resume_with("whole", "200it");
  config_.budget = "100it";
  start("a", 50);
  resume_with("a", "200it", Replan::kReAnneal, 70);
  config_ = read_run_config(out("a"));
  resume("a");
  EXPECT_EQ(result_.updates, 200);
  EXPECT_NEAR(rates("a").rbegin()->second, rates("whole").rbegin()->second, 1e-15);
  expect_same_weights("a", "whole");
}

// Wanted: the time limit and the schedule to know of each other, and no silent default length.
TEST_F(UserPain, lightning_8210_max_time_known_to_schedule) {
  config_.budget = "20s";
  TrainOptions options;
  options.out = out("a");
  double seconds = 0;  // every look at the clock costs 2 ms
  options.clock = [&] { return seconds += 0.002; };
  const TrainResult result = train(config_, options);
  EXPECT_LE(result.seconds, 20.0);
  EXPECT_GT(result.seconds, 18.0);
  EXPECT_GT(result.epochs, 10);  // past the "full" budget: nothing but the clock ends it
  EXPECT_LT(result.last_update_lr / config_.base_lr, 0.02);
  expect_falling("a");
}

// Wanted: a cosine that lands when max_time is over, without a timing job first.
TEST_F(UserPain, autocast_388_a_cosine_by_the_clock_with_its_warmup) {
  config_.budget = "15s";
  config_.schedule = "cosine(warmup=10%)";
  TrainOptions options;
  options.out = out("a");
  double seconds = 0, rate = 0.002;
  options.clock = [&] {
    if (seconds > 5) rate = 0.006;  // throughput drifts
    return seconds += rate;
  };
  options.seconds_before = 2;  // loading must not eat the warm-up
  const TrainResult result = train(config_, options);
  EXPECT_LE(result.seconds, 15.5);
  EXPECT_LT(result.last_update_lr / config_.base_lr, 0.02);
  const auto by_update = rates("a");
  EXPECT_LT(by_update.begin()->second, 0.25 * config_.base_lr);
}

// Wanted: a longer max_duration than the checkpoint's to count.
TEST_F(UserPain, composer_56_441_the_checkpoint_does_not_overrule_a_longer_run) {
  config_.budget = "30it";
  start("a");
  const auto result = fs::last_write_time(out("a") / "model.safetensors");
  EXPECT_THAT(
      message_of([&] { resume_with("a", "60it"); }),
      testing::AllOf(testing::HasSubstr("this run has finished, and its result stays as it is"),
                     testing::HasSubstr("glidepath train --resume " + out("a").string() +
                                        " --budget 60it --replan rewind --out " + out("a-more").string())));
  EXPECT_THAT(message_of([&] { resume_elsewhere("a", "b", "60it"); }),
              testing::HasSubstr("the run has landed (lr 0 after update 30 of 30it)"));
  EXPECT_FALSE(fs::exists(out("b")));
  // The present rate is zero: a longer run begins where it parts.
  resume_elsewhere("a", "b", "60it", Replan::kRewind);
  EXPECT_EQ(result_.updates, 60);
  config_.budget = "60it";
  start("whole");
  expect_same_weights("b", "whole");
  EXPECT_EQ(summary("a").at("updates"), 30);
  EXPECT_EQ(fs::last_write_time(out("a") / "model.safetensors"), result);
  EXPECT_EQ(read_run_config(out("b")).budget, "60it");
}

// Where its checkpoints were deleted it would be trained anew, over what it has left.
TEST_F(UserPain, a_run_whose_checkpoints_are_gone_is_not_trained_anew) {
  config_.budget = "30it";
  start("done");
  start("stopped", 20);
  for (const std::string name : {"done", "stopped"}) {
    fs::remove_all(out(name) / "checkpoint");
    const auto metrics = fs::file_size(out(name) / "metrics.jsonl");
    config_.budget = "60it";
    const std::string told = name == "done"
                                 ? message_of([&] { resume_elsewhere(name, "b", "60it", Replan::kRewind); })
                                 : message_of([&] { resume(name); });
    EXPECT_THAT(told,
                testing::HasSubstr("its checkpoints are gone from " + (out(name) / "checkpoint").string()));
    EXPECT_EQ(fs::file_size(out(name) / "metrics.jsonl"), metrics);
    EXPECT_THAT(message_of([&] { start(name); }), testing::HasSubstr("holds a run already"));
  }
  EXPECT_FALSE(fs::exists(out("b")));
}

// A run that is stopped may be gone on with in another folder, and then in its own as well.
TEST_F(UserPain, a_run_that_goes_on_elsewhere_stays_as_it_is) {
  start("whole");
  start("a", 40);
  resume_elsewhere("a", "b", "100it");
  EXPECT_FALSE(fs::exists(out("a") / "summary.json"));
  resume("a");
  for (const char* name : {"a", "b"}) {
    SCOPED_TRACE(name);
    expect_same_weights(name, "whole");
    EXPECT_EQ(rates(name), rates("whole"));
  }
  EXPECT_THAT(message_of([&] { resume_elsewhere("a", "b", "200it", Replan::kRewind); }),
              testing::HasSubstr("holds a run already"));
}

// Wanted: Composer refuses a wall-clock schedule; here a counted run may go on by the clock.
TEST_F(UserPain, composer_56_441_a_counted_run_goes_on_by_the_clock) {
  start("a", 50);
  TrainOptions options;
  options.out = out("a");
  options.resume = true;
  double seconds = 0;
  options.clock = [&] { return seconds += 0.002; };
  config_.budget = "20s";
  const TrainResult result = train(config_, options);
  EXPECT_GT(result.updates, 100);
  EXPECT_LE(result.seconds, 20.0);
  expect_falling("a");
  EXPECT_LT(result.last_update_lr / config_.base_lr, 0.02);
}

// max_steps ended the run early and the schedule, sized for all epochs, never decayed.
TEST_F(UserPain, vllm_speculators_1104_a_run_cut_to_max_steps_decays) {
  config_.budget = "40it";  // of 10 epochs
  start("a");
  EXPECT_EQ(result_.updates, 40);
  EXPECT_NEAR(result_.last_update_lr, 0.1 / 40, 1e-15);
}

// Wanted: the job's limit not to come before the last checkpoint.
TEST_F(UserPain, anemoi_core_114_done_before_the_deadline) {
  const double begun = parse_deadline("2026-12-01T06:00Z");
  config_.deadline = deadline_text(slurm_deadline(begun + 30, begun));
  TrainOptions options;
  options.out = out("a");
  double seconds = 0;
  options.clock = [&] { return seconds += 0.002; };
  options.wall_clock = [&] { return begun + seconds; };
  const TrainResult result = train(config_, options);
  EXPECT_LE(result.seconds, 20);  // 10 s before Slurm ends the job
  EXPECT_GT(result.seconds, 17);
  EXPECT_TRUE(fs::exists(out("a") / "model.safetensors"));
  EXPECT_LT(result.last_update_lr / config_.base_lr, 0.02);
  EXPECT_EQ(summary("a").at("budget"), "until 2026-12-01T06:00:20Z");
  options.out = out("b");
  seconds += 30;
  EXPECT_THAT(message_of([&] { train(config_, options); }), testing::HasSubstr("has passed"));
}

// Nothing of the steady part is lost when a wsd run is made longer: it goes back to the decay's beginning,
// and is then the run that had the longer budget from the start, bit by bit.
TEST_F(UserPain, lightning_20552_another_decay_length_rewinds_to_the_decay) {
  config_.schedule = "wsd(decay=20%)";
  start("first");
  resume_elsewhere("first", "a", "150it", Replan::kRewind);
  EXPECT_EQ(
      told_,
      "budget 100it -> 150it: both have the same rates for 81 updates; back from update 100 to 81, then "
      "wsd to 0 over 69 updates");
  config_.budget = "150it";
  start("whole");
  expect_same_weights("a", "whole");
  EXPECT_EQ(rates("a").rbegin()->second, rates("whole").rbegin()->second);
}

// Neither its result nor its last checkpoint, both of a later update, are gone on from.
TEST_F(UserPain, lightning_20552_a_rewound_run_that_is_stopped_forgets_the_budget_before) {
  config_.schedule = "wsd(decay=20%)";
  start("first");
  resume_elsewhere("first", "a", "150it", Replan::kRewind, 90 - 81);
  EXPECT_FALSE(fs::exists(out("a") / "summary.json"));
  config_ = read_run_config(out("a"));
  EXPECT_EQ(config_.budget, "150it");
  resume("a");
  EXPECT_EQ(result_.updates, 150);
  start("whole");
  expect_same_weights("a", "whole");
}

TEST_F(UserPain, lightning_20552_before_the_decay_nothing_is_lost) {
  config_.schedule = "wsd(decay=20%)";
  start("a", 60);
  resume_with("a", "150it", Replan::kRewind);
  EXPECT_THAT(told_, testing::HasSubstr("nothing is lost at update 60"));
  config_.budget = "150it";
  start("whole");
  expect_same_weights("a", "whole");
}

TEST_F(UserPain, xtuner_211_rewinding_by_a_clock_is_said_to_mean_nothing) {
  start("a", 50);
  EXPECT_THAT(message_of([&] { resume_with("a", "1h", Replan::kRewind); }),
              testing::HasSubstr("--replan rewind: 100it and 1h cannot be compared"));
  EXPECT_EQ(read_run_config(out("a")).budget, "100it");
}

// Wanted: to know beforehand. Cutting the length cuts the schedule with it, and a dry run says so.
TEST_F(UserPain, ml_agents_1568_a_dry_run_tells_the_rates_beforehand) {
  config_.budget = "500it";
  const DryRun dry = dry_run(config_);
  EXPECT_EQ(dry.updates, 500);
  EXPECT_EQ(dry.learning_rates, (std::vector<double>{0.1, 0.1 * 0.75, 0.05, 0.1 * 0.25, 0}));
  EXPECT_GT(dry.update_seconds, 0);
  EXPECT_GE(dry.seconds, 500 * dry.update_seconds);
  EXPECT_GT(dry.flops, 0);
  EXPECT_GT(dry.peak_memory_mib, 0);
  config_.budget = "3it";
  EXPECT_EQ(dry_run(config_).measured_updates, 3);
  EXPECT_TRUE(fs::is_empty(folder_));
}

TEST_F(UserPain, GrowSP_11_a_longer_loop_than_declared_is_a_changed_budget) {
  start("a", 99);
  resume_with("a", "140it");
  EXPECT_EQ(result_.updates, 140);
  expect_falling("a");
}

}  // namespace
}  // namespace glidepath
