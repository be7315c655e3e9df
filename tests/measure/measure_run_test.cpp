// tests/measure/measure_run_test.cpp - measuring afterwards gives what was measured on the way.
#include <torch/types.h>

#include "glidepath/error.h"
#include "measure/run_support.h"

namespace glidepath {
namespace {

namespace fs = std::filesystem;

TEST_F(MeasuredRunTest, AfterwardsGivesTheNumbersOfTheRun) {
  TrainConfig config = digits(
      "convnet", "40it", "grad-norm(bn=running,decay=yes)@every=10it,weight-norm(layers=yes)@every=10it");
  config.checkpoint_every = "10it";
  config.keep_checkpoints = 9;
  config.label_smoothing = 0.1;
  config.train_limit = 1000;
  config.saved_statistics = "running";  // those that the run measured itself with
  train(config, options("a"));
  MeasureOptions what;
  what.what = "grad-norm(decay=yes,bn=running),weight-norm(layers=yes)";
  const auto found = measure_run(folder_ / "a/checkpoint", what);
  const auto lines = records("a", true);
  ASSERT_EQ(lines.size(), 5U);
  ASSERT_EQ(found.size(), 4U);  // there is no checkpoint of the start
  for (std::size_t i = 0; i < found.size(); ++i) {
    const auto& line = lines[i + 1];
    EXPECT_EQ(found[i].step, line.at("step"));
    EXPECT_EQ(found[i].grad_norm, line.at("grad_norm"));
    EXPECT_EQ(found[i].train_loss, line.at("train_loss_full"));
    EXPECT_EQ(found[i].weight_norm, line.at("weight_norm"));
    EXPECT_EQ(found[i].weight_norms.size(), line.at("weight_norms").size());
    for (const auto& [name, norm] : found[i].weight_norms) EXPECT_EQ(norm, line.at("weight_norms").at(name));
  }
  const auto one = measure_run(found[1].file, what);
  ASSERT_EQ(one.size(), 1U);
  EXPECT_EQ(one[0].grad_norm, found[1].grad_norm);
  for (const fs::path& path : {folder_ / "a", folder_ / "a/", folder_ / "a/model.safetensors"}) {
    const auto last = measure_run(path, what);
    ASSERT_EQ(last.size(), 1U) << path;
    EXPECT_EQ(last[0].file.filename(), "model.safetensors");
    EXPECT_EQ(last[0].grad_norm, found[3].grad_norm);
    EXPECT_EQ(last[0].statistics, "running");
    EXPECT_EQ(last[0].step, -1);
  }
  fs::remove(folder_ / "a/model.safetensors");  // a run under way
  const auto newest = measure_run(folder_ / "a", what);
  ASSERT_EQ(newest.size(), 1U);
  EXPECT_EQ(newest[0].step, 40);
  what.what = "weight-norm";
  const auto less = measure_run(folder_ / "a", what);
  EXPECT_EQ(less[0].grad_norm, -1);
  EXPECT_TRUE(less[0].weight_norms.empty());
}

TEST_F(MeasuredRunTest, SaysWithWhichStatisticsOfBatchNormItMeasured) {
  TrainConfig config = digits("convnet", "20it", "");
  config.bn_estimate = "300";
  config.train_limit = 1000;
  train(config, options("a"));
  MeasureOptions what;
  what.what = "grad-norm";
  EXPECT_EQ(measure_run(folder_ / "a", what)[0].statistics, "batch");
  what.what = "grad-norm(bn=running)";
  EXPECT_EQ(measure_run(folder_ / "a", what)[0].statistics, "fresh, 300 images");
  EXPECT_EQ(measure_run(folder_ / "a/checkpoint", what)[0].statistics, "running");
}

}  // namespace
}  // namespace glidepath
