// tests/watch/snapshot_test.cpp - what is read of a study that others write, against what they wrote.
#include "watch/snapshot.h"

#include <cmath>
#include <ctime>
#include <fstream>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "study/store/store.h"
#include "study/support.h"

namespace glidepath {
namespace {

class SnapshotTest : public FolderTest {
 protected:
  SnapshotTest() {
    plan_.name = "watched";
    plan_.axes = {"schedule", "budget"};
    plan_.values = {{"schedule", {"const", "linear"}}, {"budget", {"10%", "100%"}}};
    for (const char* budget : {"10%", "100%"}) {
      for (const char* schedule : {"const", "linear"}) {
        TrainConfig config;
        config.data = "digits";
        config.schedule = schedule;
        config.budget = budget;
        plan_.runs.push_back(config);
        ids_.push_back(run_id(config));
      }
    }
    store_.save_plan(plan_, ids_);
  }
  void claim() {
    ASSERT_TRUE(store_.claim(self_, ids_, [](const std::vector<std::string>&) { return std::size_t{0}; }));
  }
  void finish(std::size_t index, RunStatus status) {
    RunRecord run;
    run.id = ids_[index];
    run.status = status;
    run.error = status == RunStatus::kDone ? "" : "out of <memory>";
    run.test_accuracy = 0.75;
    run.seconds = 8;
    ASSERT_TRUE(store_.finish(self_, run, {}));
  }
  StudyPlan plan_;
  std::vector<std::string> ids_;
  const std::int64_t now_ = std::time(nullptr);
  StudyStore store_{folder_ / "out"};
  const Owner self_ = this_process();
};

TEST_F(SnapshotTest, CountsAndRunningRunsWithTheirCurves) {
  claim();
  finish(0, RunStatus::kDone);
  claim();
  finish(1, RunStatus::kFailed);
  claim();
  write("out/runs/" + ids_[2] + "/metrics.jsonl",
        "{\"kind\":\"train\",\"step\":1,\"progress\":0.1,\"lr\":0.1,\"loss\":2.5,\"accuracy\":0.125}\n"
        "{\"kind\":\"train\",\"step\":2,\"progress\":0.25,\"lr\":0.1,\"loss\":2,\"accuracy\":0.5}\n"
        "{\"kind\":\"train\",\"step\":3,\"prog");
  const WatchSnapshot snapshot = take_snapshot(folder_ / "out", now_ + 2);
  EXPECT_EQ(snapshot.count(RunStatus::kDone), 1U);
  EXPECT_EQ(snapshot.count(RunStatus::kFailed), 1U);
  EXPECT_EQ(snapshot.count(RunStatus::kPending), 1U);
  EXPECT_FALSE(snapshot.is_over());
  ASSERT_EQ(snapshot.running.size(), 1U);
  EXPECT_EQ(snapshot.running[0].run.id, ids_[2]);
  EXPECT_EQ(snapshot.running[0].progress, 0.25);
  EXPECT_FALSE(snapshot.running[0].is_abandoned);
  EXPECT_NEAR(snapshot.running[0].seconds, 2, 2);
  ASSERT_EQ(snapshot.running[0].curves.size(), 1U);
  EXPECT_EQ(snapshot.running[0].curves[0].values[2], (std::vector<double>{2.5, 2}));
  // 10 % took 8 s and the unit of work is the update, so 100 % takes 80 s: 0.75 of one, and a whole one after
  // it.
  EXPECT_NEAR(snapshot.seconds_left, 80 * 1.75, 1e-6);
}

TEST_F(SnapshotTest, AbandonedRunsAreToldAndPromiseNoEnd) {
  claim();
  finish(0, RunStatus::kDone);
  claim();
  const WatchSnapshot snapshot = take_snapshot(folder_ / "out", now_ + StudyStore::kLeaseSeconds + 5);
  ASSERT_EQ(snapshot.running.size(), 1U);
  EXPECT_TRUE(snapshot.running[0].is_abandoned);
  EXPECT_TRUE(std::isnan(snapshot.seconds_left));
  EXPECT_TRUE(snapshot.progress().jobs.empty());
}

TEST_F(SnapshotTest, OverWhenNothingIsLeft) {
  for (std::size_t i = 0; i < ids_.size(); ++i) {
    claim();
    finish(i, i == 3 ? RunStatus::kDiverged : RunStatus::kDone);
  }
  const WatchSnapshot snapshot = take_snapshot(folder_ / "out", now_);
  EXPECT_TRUE(snapshot.is_over());
  EXPECT_EQ(snapshot.ended.size(), 4U);
}

TEST_F(SnapshotTest, JsonIsOneLineThatHoldsIt) {
  claim();
  finish(0, RunStatus::kFailed);
  claim();
  const WatchSnapshot snapshot = take_snapshot(folder_ / "out", now_);
  const std::string text = snapshot_json(snapshot, true);
  EXPECT_EQ(text.find('\n'), std::string::npos) << "an event ends at a line's end";
  const auto json = nlohmann::json::parse(text);
  EXPECT_EQ(json["total"], 4);
  EXPECT_EQ(json["failures"][0]["error"], "out of <memory>");
  EXPECT_EQ(json["failures"][0]["label"], "const 10%");
  EXPECT_EQ(json["jobs"][0]["id"], ids_[1]);
  EXPECT_TRUE(json["seconds_left"].is_null());
  EXPECT_EQ(json["tables"][0]["rows"], nlohmann::json({"const", "linear"}));
  EXPECT_TRUE(json["tables"][0]["means"][0][0].is_null());
  EXPECT_EQ(json["score"], "test accuracy");
  EXPECT_EQ(json["tables"][0]["is_share"], true);
  EXPECT_TRUE(json["failures"][0]["score"].is_null());
  EXPECT_FALSE(nlohmann::json::parse(snapshot_json(snapshot, false))["jobs"][0].contains("curves"));
}

TEST(Snapshot, FolderWithoutAStudyIsRefused) { EXPECT_THROW(take_snapshot("/nowhere", 0), InputError); }

}  // namespace
}  // namespace glidepath
