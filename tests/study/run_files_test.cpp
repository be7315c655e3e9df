// tests/study/run_files_test.cpp - what is read back from a run's folder, torn and odd files included.
#include "study/store/run_files.h"

#include <cmath>

#include "study/plan/check_plan.h"
#include "study/support.h"

namespace glidepath {
namespace {

using RunFiles = FolderTest;

TEST_F(RunFiles, SummaryGivesNumbersAndStatus) {
  write("summary.json",
        R"({"status":"done","test_accuracy":0.91,"test_loss":0.3,"train_loss":0.2,"train_accuracy":0.95,
    "updates":782,"epochs":2,"budget":"1%","seconds":12.5,"images_per_second":900,"peak_memory_mib":321.5})");
  RunRecord run;
  ASSERT_TRUE(read_summary(folder_, run));
  EXPECT_EQ(run.status, RunStatus::kDone);
  EXPECT_EQ(run.test_accuracy, 0.91);
  EXPECT_EQ(run.test_loss, 0.3);
  EXPECT_EQ(run.train_loss, 0.2);
  EXPECT_EQ(run.train_accuracy, 0.95);
  EXPECT_EQ(run.updates, 782);
  EXPECT_EQ(run.epochs, 2);
  EXPECT_EQ(run.seconds, 12.5);
  EXPECT_EQ(run.images_per_second, 900);
  EXPECT_EQ(run.peak_memory_mib, 321.5);
}

TEST_F(RunFiles, SummaryThatIsTornOrOfAnotherKindIsNone) {
  RunRecord run;
  EXPECT_FALSE(read_summary(folder_, run));
  for (const char* text : {"", "{\"status\":\"done\",", "[1]", "{\"status\":3}", "{}"}) {
    SCOPED_TRACE(text);
    write("summary.json", text);
    EXPECT_FALSE(read_summary(folder_, run));
  }
}

TEST_F(RunFiles, DivergenceIsAStatusAndAMissingAccuracyAFailure) {
  RunRecord run;
  write("summary.json", R"({"status":"diverged","test_accuracy":0.1})");
  ASSERT_TRUE(read_summary(folder_, run));
  EXPECT_EQ(run.status, RunStatus::kDiverged);
  EXPECT_EQ(run.error, "diverged");
  write("summary.json", R"({"status":"done","test_accuracy":null})");
  ASSERT_TRUE(read_summary(folder_, run));
  EXPECT_EQ(run.status, RunStatus::kFailed);
  EXPECT_EQ(run.error, "summary.json has neither a test_accuracy nor a loss");
}

TEST_F(RunFiles, AFinishedRunWithALossAloneIsDone) {
  const struct {
    const char* summary;
    double loss;
  } cases[] = {{R"({"status":"done","test_loss":0.5,"train_loss":0.25})", 0.5},
               {R"({"status":"done","test_accuracy":null,"train_loss":0.25})", 0.25}};
  for (const auto& each : cases) {
    RunRecord run;
    write("summary.json", each.summary);
    ASSERT_TRUE(read_summary(folder_, run));
    EXPECT_EQ(run.status, RunStatus::kDone) << each.summary;
    EXPECT_EQ(run.error, "");
    EXPECT_EQ(shown_loss(run), each.loss);
    EXPECT_NO_THROW(check_result(run, "here"));
  }
  RunRecord run;  // an accuracy that is none is no reason to look at the loss
  write("summary.json", R"({"status":"done","test_accuracy":75,"test_loss":0.5})");
  ASSERT_TRUE(read_summary(folder_, run));
  EXPECT_EQ(run.status, RunStatus::kFailed);
  EXPECT_TRUE(std::isnan(shown_loss(run)));
}

TEST_F(RunFiles, MetricsLeaveOutTornLinesAndReadNullAsNaN) {
  write("metrics.jsonl",
        "{\"kind\":\"train\",\"step\":10,\"progress\":0.25,\"lr\":0.075,\"loss\":null,\"accuracy\":0.5}\n"
        "not json\n"
        "{\"kind\":\"eval\",\"step\":20,\"progress\":0.5,\"loss\":1.5,\"accuracy\":0.625}\n"
        "{\"kind\":\"train\",\"step\":30,\"progr");
  const auto curve = read_metrics(folder_);
  ASSERT_EQ(curve.size(), 2u);
  EXPECT_EQ(curve[0].step, 10);
  EXPECT_EQ(curve[0].lr, 0.075);
  EXPECT_TRUE(std::isnan(curve[0].loss));
  EXPECT_EQ(curve[1].kind, "eval");
  EXPECT_TRUE(std::isnan(curve[1].lr));
  EXPECT_EQ(curve[1].loss, 1.5);
  EXPECT_EQ(latest_progress(folder_), 0.5);
  EXPECT_EQ(latest_progress(folder_ / "none"), 0);
}

TEST_F(RunFiles, MeasuresAndRewindsAreNoPointsOfTheCurve) {
  write(
      "metrics.jsonl",
      R"({"kind":"measure","step":0,"epoch":0,"progress":0,"lr":0.1,"grad_norm":2.5,"seconds":1.5})"
      "\n"
      R"({"kind":"train","step":10,"progress":0.25,"lr":0.075,"loss":2,"accuracy":0.5})"
      "\n"
      R"({"kind":"rewind","step":10,"progress":0.75,"base_lr":0.05})"
      "\n"
      R"({"kind":"measure","step":40,"epoch":2,"progress":1,"lr":0,"grad_norm":null,"weight_norm":3,"layers":[1]})"
      "\n");
  ASSERT_EQ(read_metrics(folder_).size(), 1u);
  EXPECT_EQ(latest_progress(folder_), 0.25);
  const auto measures = read_measure_lines(folder_);
  ASSERT_EQ(measures.size(), 3u);
  EXPECT_EQ(measures[0].name, "grad_norm");
  EXPECT_EQ(measures[0].value, 2.5);
  EXPECT_EQ(measures[0].lr, 0.1);
  EXPECT_EQ(measures[1].name, "seconds");
  EXPECT_EQ(measures[2].name, "weight_norm");
  EXPECT_EQ(measures[2].step, 40);
  EXPECT_EQ(measures[2].progress, 1);
}

TEST_F(RunFiles, CountsThatNoRunHasReadAsZero) {
  for (const char* count : {"-1", "1e300", "9223372036854775808", "2.5", "\"3\"", "null"}) {
    SCOPED_TRACE(count);
    write("metrics.jsonl", std::string(R"({"kind":"train","step":)") + count + "}\n");
    ASSERT_EQ(read_metrics(folder_).size(), 1u);
    EXPECT_EQ(read_metrics(folder_)[0].step, 0);
    write("summary.json", std::string(R"({"status":"done","test_accuracy":0.5,"updates":)") + count + "}");
    RunRecord run;
    ASSERT_TRUE(read_summary(folder_, run));
    EXPECT_EQ(run.updates, 0);
  }
}

TEST_F(RunFiles, LatestProgressIsFoundAtTheEndOfALongFile) {
  std::string text;
  for (int i = 0; i <= 1000; ++i)
    text += "{\"kind\":\"train\",\"progress\":" + std::to_string(i / 1000.0) + "}\n";
  write("metrics.jsonl", text);
  EXPECT_EQ(latest_progress(folder_), 1);
}

TEST_F(RunFiles, LastMessageIsTheLastLineWithSomethingInIt) {
  EXPECT_EQ(last_message(folder_ / "none"), "");
  EXPECT_EQ(last_message(write("a", "first\nglidepath train: no space left\n \n\n")), "no space left");
  EXPECT_EQ(last_message(write("b", "std::bad_alloc")), "std::bad_alloc");
}

TEST_F(RunFiles, FolderHoldsARunByItsIdentity) {
  TrainConfig config;
  config.seed = 5;
  EXPECT_FALSE(holds_run(folder_, run_id(config)));
  write("config.toml", to_toml(config));
  EXPECT_TRUE(holds_run(folder_, run_id(config)));
  EXPECT_FALSE(holds_run(folder_, run_id(TrainConfig())));
  write("config.toml", "seed = ");
  EXPECT_FALSE(holds_run(folder_, run_id(config)));
}

}  // namespace
}  // namespace glidepath
