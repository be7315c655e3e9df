// tests/setup/held_out_test.cpp - training images that are kept apart.
#include "setup/held_out.h"

#include <algorithm>
#include <csignal>
#include <fstream>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include "config/held_out_text.h"
#include "glidepath/error.h"
#include "glidepath/evaluate.h"
#include "glidepath/train.h"
#include "loop/digits_run.h"
#include "support/run_results.h"
#include "support/temporary_folder.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

/// Image i has the value i; of 30 images 15 are of class 0, 10 of 1 and 5 of 2.
Dataset small() {
  Dataset dataset;
  dataset.name = "small";
  dataset.classes = 3;
  dataset.train.images = torch::arange(30, torch::kUInt8).view({30, 1, 1, 1});
  std::vector<std::int64_t> labels;
  for (std::int64_t i = 0; i < 30; ++i) labels.push_back(i % 6 < 3 ? 0 : i % 6 < 5 ? 1 : 2);
  dataset.train.labels = torch::tensor(labels, torch::kInt64);
  return dataset;
}

std::vector<std::int64_t> places(const Split& split) {
  std::vector<std::int64_t> list;
  for (std::int64_t i = 0; i < split.size(); ++i) list.push_back(split.images[i].item<std::int64_t>());
  return list;
}

TEST(HeldOut, TakesTheSameShareOfEveryClassAndKeepsTheOrder) {
  Dataset dataset = small();
  hold_out(dataset, "20%");
  EXPECT_EQ(images_per_class(dataset.val, 3), (std::vector<std::int64_t>{3, 2, 1}));
  EXPECT_EQ(images_per_class(dataset.train, 3), (std::vector<std::int64_t>{12, 8, 4}));
  std::vector<std::int64_t> kept = places(dataset.train), held = places(dataset.val);
  EXPECT_TRUE(std::is_sorted(kept.begin(), kept.end()));
  EXPECT_TRUE(std::is_sorted(held.begin(), held.end()));
  std::set<std::int64_t> all(kept.begin(), kept.end());
  all.insert(held.begin(), held.end());
  EXPECT_EQ(all.size(), 30U);
  for (std::int64_t i = 0; i < dataset.val.size(); ++i) {
    const std::int64_t place = held[static_cast<std::size_t>(i)];
    EXPECT_EQ(dataset.val.labels[i].item<std::int64_t>(), place % 6 < 3 ? 0 : place % 6 < 5 ? 1 : 2);
  }
  Dataset again = small();
  hold_out(again, "6");
  EXPECT_EQ(places(again.val), held);  // and no seed has a part in it
}

TEST(HeldOut, GivesWhatIsLeftToTheLargestRemainders) {
  Dataset dataset = small();
  hold_out(dataset, "7");  // 3.5, 2.33, 1.17
  EXPECT_EQ(images_per_class(dataset.val, 3), (std::vector<std::int64_t>{4, 2, 1}));
  EXPECT_FALSE([] {
    Dataset none = small();
    hold_out(none, "none");
    return none.has_val();
  }());
}

TEST(KeepFraction, LeavesTheSameShareOfEveryClassNested) {
  const auto part = [](double fraction, std::uint64_t seed) {
    Dataset dataset = small();
    keep_fraction(dataset, fraction, seed);
    return dataset;
  };
  const Dataset fifth = part(0.2, 1), half = part(0.4, 1);
  EXPECT_EQ(images_per_class(fifth.train, 3), (std::vector<std::int64_t>{3, 2, 1}));
  EXPECT_EQ(images_per_class(half.train, 3), (std::vector<std::int64_t>{6, 4, 2}));
  const std::vector<std::int64_t> few = places(fifth.train), more = places(half.train);
  EXPECT_TRUE(std::is_sorted(more.begin(), more.end()));
  EXPECT_TRUE(std::includes(more.begin(), more.end(), few.begin(), few.end()));
  for (std::int64_t i = 0; i < fifth.train.size(); ++i) {
    const std::int64_t place = few[static_cast<std::size_t>(i)];
    EXPECT_EQ(fifth.train.labels[i].item<std::int64_t>(), place % 6 < 3 ? 0 : place % 6 < 5 ? 1 : 2);
  }
  EXPECT_EQ(places(part(0.2, 1).train), few);
  EXPECT_NE(places(part(0.4, 2).train), more);  // a part of its own for each seed
  EXPECT_EQ(part(1, 1).train.size(), 30);
  EXPECT_THROW(part(0.05, 1), InputError);
  EXPECT_FALSE(fifth.has_val());
}

TEST(HeldOut, RefusesTooFewAndTooMany) {
  const auto message = [](const std::string& amount) {
    Dataset dataset = small();
    try {
      hold_out(dataset, amount);
    } catch (const InputError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_EQ(message("2"), "val \"2\": 2 of the 30 training images of small are fewer than its 3 classes");
  EXPECT_EQ(message("30"),
            "val \"30\": 30 of the 30 training images of small leave none of a class to train on");
  EXPECT_EQ(message("99.99%"),
            "val \"99.99%\": 30 of the 30 training images of small leave none of a class to train on");
  for (const char* text : {"", "0", "-1", "1.5", "0%", "100%", "5000x", "all"})
    EXPECT_THROW(canonical_held_out(text), InputError) << text;
  EXPECT_EQ(canonical_held_out("5e3"), "5000");
  EXPECT_EQ(canonical_held_out("10.0%"), "10%");
}

// The test images are looked at once, at the end: on the way and by whoever chooses the others are.
TEST(HeldOut, ARunIsWatchedOnThemAndTestedOnce) {
  const TemporaryFolder temporary("held-out");
  TrainConfig config = digits_run("40it");
  config.eval_every = "10it";
  config.val = "10%";
  TrainOptions options;
  options.out = temporary.path() / "a";
  const TrainResult result = train(config, options);
  EXPECT_EQ(result.val_images, 144);
  const auto summary = summary_of(options.out);
  EXPECT_EQ(summary.at("val_images"), 144);
  const auto evaluations = records_of(options.out, "eval");
  ASSERT_EQ(evaluations.size(), 4U);
  EXPECT_EQ(evaluations.back().at("accuracy"), summary.at("val_accuracy_running"));
  EXPECT_EQ(summary.at("val_accuracy"), summary.at("val_accuracy_running"));  // an mlp has no batch norm
  EXPECT_NE(summary.at("test_loss"), summary.at("val_loss"));
  EXPECT_EQ(summary.at("steps_per_epoch"), (1438 - 144 + 63) / 64);
}

// At a rate that is far too high accuracy goes up and down; the last epoch is seldom the best.
class BestWeights : public testing::Test {
 protected:
  static TrainConfig config() {
    TrainConfig config = digits_run("60it");
    config.model = "resnet8";
    config.width = 0.25;
    config.base_lr = 0.8;
    config.schedule = "const";
    config.eval_every = "5it";
    config.val = "200";
    config.bn_estimate = "256";
    return config;
  }
  double tested(const std::string& run, const char* file) {
    return evaluate_weights(config(), folder_ / run / file).accuracy;
  }

  const TemporaryFolder temporary_{"best"};
  const std::filesystem::path& folder_ = temporary_.path();
};

TEST_F(BestWeights, AreKeptBesideTheLast) {
  TrainOptions options;
  TrainConfig run = config();
  TrainResult result;
  do {  // whose best is the last is another on every CPU
    ASSERT_LT(++run.seed, 20);
    options.out = folder_ / std::to_string(run.seed);
    result = train(run, options);
  } while (!result.best || result.best->update == 60);
  const std::string name = std::to_string(run.seed);
  const auto evaluations = records_of(options.out, "eval");
  ASSERT_EQ(evaluations.size(), 12U);
  const auto best =
      std::max_element(evaluations.begin(), evaluations.end(), [](const auto& a, const auto& b) {
        return a.at("accuracy").template get<double>() <
               b.at("accuracy").template get<double>();  // the first of equals
      });
  ASSERT_TRUE(result.best);
  EXPECT_EQ(result.best->update, best->at("step"));
  EXPECT_EQ(result.best->val_accuracy_running, best->at("accuracy"));
  EXPECT_EQ(tested(name, "best.safetensors"), result.best->test_accuracy);
  EXPECT_EQ(tested(name, "model.safetensors"), result.test_accuracy);
  EXPECT_NE(result.best->test_accuracy, result.test_accuracy);
  // As a run that ends there, but for its last evaluation's place.
  TrainConfig shorter = run;
  shorter.budget = std::to_string(result.best->update) + "it";
  options.out = folder_ / "shorter";
  const TrainResult there = train(shorter, options);
  EXPECT_EQ(there.best->update, there.updates);
  EXPECT_EQ(there.test_accuracy_running, result.best->test_accuracy_running);
  EXPECT_FALSE(std::filesystem::exists(options.out / "best.safetensors"));
}

TEST_F(BestWeights, AreTheSameAfterStopsAnywhere) {
  TrainOptions options;
  options.out = folder_ / "whole";
  train(config(), options);
  options.out = folder_ / "stopped";
  int looks = 0, until = 20, stops = 0;
  options.stop_signal = [&] { return ++looks >= until ? SIGTERM : 0; };
  while (true) {
    try {
      train(config(), options);
      break;
    } catch (const Interrupted&) {
      ASSERT_LT(++stops, 100);
      options.resume = true;
      looks = 0;
      until = 9 + 4 * (stops % 6);
    }
  }
  EXPECT_GT(stops, 3);
  for (const char* file : {"model.safetensors", "best.safetensors"})
    EXPECT_TRUE(text_of(folder_ / "whole" / file) == text_of(folder_ / "stopped" / file)) << file;
  for (const char* name :
       {"best_update", "best_val_accuracy", "best_test_accuracy", "best_test_accuracy_running", "test_loss"})
    EXPECT_EQ(summary_of(folder_ / "whole").at(name), summary_of(folder_ / "stopped").at(name)) << name;
}

// What was best for the first budget is the best no more: no file of it stays.
TEST_F(BestWeights, OfAShorterBudgetGoWithIt) {
  TrainOptions options;
  options.out = folder_ / "a";
  std::filesystem::create_directories(folder_);
  TrainConfig run = config();
  run.eval_every = "60it";
  train(run, options);
  std::ofstream(folder_ / "a/best.safetensors") << "old";
  std::filesystem::remove(folder_ / "a/summary.json");
  options.resume = true;
  train(run, options);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "a/best.safetensors"));
}

}  // namespace
}  // namespace glidepath
