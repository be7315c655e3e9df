// tests/train/held_out_test.cpp - training images that are kept apart.
#include "train/held_out.h"

#include <algorithm>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include "glidepath/error.h"
#include "glidepath/train.h"
#include "support/run_results.h"
#include "support/temporary_folder.h"
#include "train/digits_run.h"
#include "train/held_out_text.h"

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

}  // namespace
}  // namespace glidepath
