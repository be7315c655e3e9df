// tests/loop/feed/mixing_test.cpp - mixed and erased batches: torchvision's, their distributions, ranks,
// runs.
#include "loop/feed/mixing.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include "glidepath/dataset.h"
#include "glidepath/error.h"
#include "glidepath/experiment.h"
#include "glidepath/loader.h"
#include "glidepath/measure.h"
#include "glidepath/safetensors.h"
#include "glidepath/task.h"
#include "glidepath/train.h"
#include "loop/digits_run.h"
#include "support/same_weights.h"
#include "support/stopped_run.h"
#include "support/temporary_folder.h"

namespace glidepath {
namespace {

using torch::Tensor;

class MixingGolden : public testing::Test {
 protected:
  void expect(const std::string& name, const Mix& mix, double tolerance) const {
    SCOPED_TRACE(name);
    const Tensor images = golden_.at("images"), labels = golden_.at("labels"), logits = golden_.at("logits");
    EXPECT_TRUE(
        torch::allclose(mixed(images, images.roll(1, 0), mix), golden_.at(name + ".images"), 0, tolerance));
    Batch batch(images, labels);
    batch.targets.push_back(labels.roll(1, 0));
    batch.targets.push_back(torch::full({labels.size(0)}, mix.share));
    const auto task = make_classification(0.1);
    EXPECT_NEAR(task->loss({logits}, batch).item<double>(), golden_.at(name + ".loss").item<double>(), 1e-6);
    EXPECT_EQ(task->correct({logits}, batch).item<std::int64_t>(),
              golden_.at(name + ".right").item<std::int64_t>());
  }
  const TensorMap golden_ = load_safetensors(GLIDEPATH_TEST_DATA "/nn/mixing.safetensors");
};

TEST_F(MixingGolden, BlendsAsTorchvision) {
  for (int i = 0; i < 2; ++i)
    expect(fmt::format("mixup{}", i), {golden_.at("shares")[i].item<double>()}, 1e-6);
}

TEST_F(MixingGolden, PastesAsTorchvision) {
  for (int i = 0; i < 2; ++i) {
    const Tensor corners = golden_.at("boxes")[i];
    const auto at = [&](int which) { return corners[which].item<std::int64_t>(); };
    Mix mix{1, true, {at(1), at(3), at(0), at(2)}};
    mix.share = 1 - static_cast<double>(mix.box.area()) / 80;
    expect(fmt::format("cutmix{}", i), mix, 0);
  }
}

// Mean, variance and a quartile of Beta(a, a), whose density is symmetric; a = 1 is uniform, and 1/2 the
// arcsine's.
TEST(BetaShare, HasTheDistribution) {
  constexpr int kDraws = 20'000;
  for (const double alpha : {0.01, 0.2, 0.5, 1.0, 4.0}) {
    KeyedRandom random{5, static_cast<std::uint64_t>(alpha * 100)};
    double sum = 0, squares = 0;
    int below = 0;
    for (int i = 0; i < kDraws; ++i) {
      const double share = beta_share(alpha, random);
      ASSERT_TRUE(share >= 0 && share <= 1) << share;
      sum += share;
      squares += share * share;
      below += share < 0.25 ? 1 : 0;
    }
    const double mean = sum / kDraws, variance = squares / kDraws - mean * mean;
    EXPECT_NEAR(mean, 0.5, 0.015) << alpha;
    EXPECT_NEAR(variance, 1 / (4 * (2 * alpha + 1)), 0.006) << alpha;
    const double quarter = alpha == 1 ? 0.25 : alpha == 0.5 ? 1.0 / 3 : static_cast<double>(below) / kDraws;
    EXPECT_NEAR(below, quarter * kDraws, 300);
  }
}

TEST(MixOf, HasHalfOfTheBatchesEachAndSharesByTheBoxes) {
  int boxes = 0;
  for (int step = 0; step < 2000; ++step) {
    const Mix mix = mix_of({0.2, 1.0, 0, 3}, step, 20, 30);
    if (!mix.is_box) continue;
    ++boxes;
    EXPECT_TRUE(mix.box.top >= 0 && mix.box.bottom <= 20 && mix.box.left >= 0 && mix.box.right <= 30);
    EXPECT_DOUBLE_EQ(mix.share, 1 - static_cast<double>(mix.box.area()) / 600);
  }
  EXPECT_NEAR(boxes, 1000, 90);
  EXPECT_FALSE(mix_of({0.2, 0, 0, 3}, 1, 20, 30).is_box);
  EXPECT_TRUE(mix_of({0, 1.0, 0, 3}, 1, 20, 30).is_box);
}

TEST(RandomErasing, HasTorchvisionsAreasAndAspects) {
  int erased = 0;
  double areas = 0;
  for (int place = 0; place < 4000; ++place) {
    const Box box = erased_box({0, 0, 0.25, 3}, 7, place, 64, 64);
    if (box.area() == 0) continue;
    ++erased;
    EXPECT_TRUE(box.top >= 0 && box.bottom <= 64 && box.left >= 0 && box.right <= 64);
    const double area = static_cast<double>(box.area()) / (64 * 64);
    const auto high = static_cast<double>(box.bottom - box.top),
               wide = static_cast<double>(box.right - box.left);
    EXPECT_TRUE(area > 0.015 && area < 0.35) << area;
    EXPECT_TRUE((high + 0.5) / (wide - 0.5) > 0.3 && (high - 0.5) / (wide + 0.5) < 3.3);
    areas += area;
  }
  EXPECT_NEAR(erased, 1000, 90);
  EXPECT_NEAR(areas / erased, 0.175, 0.01);  // of a uniform share
}

// What three ranks make of their parts is what one makes of the whole.
TEST(Mixing, RanksMakeWhatOneMakes) {
  const Dataset digits = load_dataset("digits", "");
  LoaderOptions options;
  options.batch_size = 130;  // 1437 = 11 * 130 + 7
  const MixingOptions mixing{0.4, 1.0, 0.5, 3};
  const Mixing change(mixing);
  std::vector<std::vector<Batch>> parts;
  constexpr int kSteps = 13;
  for (const auto& [rank, ranks] : {std::pair(0, 1), std::pair(0, 3), std::pair(1, 3), std::pair(2, 3)}) {
    options.rank = rank;
    options.ranks = ranks;
    options.with_previous = true;
    TrainLoader loader(digits, options);
    parts.emplace_back();
    for (int step = 0; step < kSteps; ++step)
      parts.back().push_back(change.changed(loader.next(), step, loader.images_of(step), rank, ranks));
  }
  for (int step = 0; step < kSteps; ++step) {
    const auto at = static_cast<std::size_t>(step);
    EXPECT_TRUE(torch::equal(parts[0][at].images(), torch::cat({parts[1][at].images(), parts[2][at].images(),
                                                                parts[3][at].images()})));
    for (std::size_t i = 0; i < 3; ++i) {
      EXPECT_TRUE(torch::equal(
          parts[0][at].targets[i],
          torch::cat({parts[1][at].targets[i], parts[2][at].targets[i], parts[3][at].targets[i]})));
    }
  }
}

TEST(Mixing, StoppedAndResumedHasTheSameBits) {
  const TemporaryFolder temporary("mixing");
  TrainConfig config = digits_run("30it");
  config.mixup = 0.2;
  config.cutmix = 1;
  config.random_erasing = 0.25;
  config.label_smoothing = 0.1;
  config.measure = "grad-norm-online";
  TrainOptions whole, stopped, plain;
  whole.out = temporary.path() / "whole";
  stopped.out = temporary.path() / "stopped";
  plain.out = temporary.path() / "plain";
  whole.measurer = stopped.measurer = instruments();
  train(config, whole);
  EXPECT_GE(train_with_stops(config, stopped, 12, 19).stops, 2);
  expect_same_weights(whole.out, stopped.out);
  config.measure = "";
  train(config, plain);
  expect_same_weights(whole.out, plain.out);
}

TEST(Mixing, LearnsDigits) {
  TrainConfig config = digits_run("100%");
  config.mixup = 0.2;
  config.random_erasing = 0.25;
  EXPECT_GT(train(config, {}).test_accuracy, 0.85);
}

TEST(Mixing, IsForLabelsAlone) {
  Experiment experiment;
  experiment.config = digits_run("1it");
  experiment.config.cutmix = 1;
  experiment.task = std::shared_ptr<Task>(make_classification());
  try {
    train(experiment, {});
    ADD_FAILURE() << "is trained";
  } catch (const InputError& error) {
    EXPECT_STREQ(error.what(),
                 "cutmix \"1\": for images and classes of a data set by name alone; set it to 0");
  }
}

}  // namespace
}  // namespace glidepath
