// tests/loop/image_folder_test.cpp - runs on folders of images: workers, stops, damaged files, sizes by
// progress.
#include "data/image_folder.h"

#include <chrono>
#include <cmath>
#include <csignal>
#include <fstream>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <torch/types.h>

#include "glidepath/error.h"
#include "glidepath/evaluate.h"
#include "glidepath/models.h"
#include "glidepath/safetensors.h"
#include "glidepath/train.h"
#include "support/run_results.h"
#include "support/temporary_folder.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

using nlohmann::json;

class ImageFolderRun : public testing::Test {
 protected:
  ImageFolderRun() : images_(16) {
    config_.data = images_.data();
    config_.model = "resnet8";
    config_.width = 0.25;
    config_.train_res = "32";
    config_.budget = "12it";
    config_.full = "10ep";
    config_.batch_size = 10;
    config_.base_lr = 0.02;
    config_.precision = "fp32";
    config_.threads = 1;
    config_.eval_every = "4it";
    config_.checkpoint_every = "1it";
  }

  TrainOptions options(const std::string& name) {
    TrainOptions options;
    options.out = folder_ / name;
    options.on_warning = [this](const std::string& text) { warnings_.push_back(text); };
    return options;
  }
  std::string bytes(const std::string& file) const { return text_of(folder_ / file); }
  json summary(const std::string& run) const { return summary_of(folder_ / run); }
  std::string wrong() const {
    try {
      train(config_);
    } catch (const InputError& error) {
      return error.what();
    }
    return "no error";
  }
  /// Runs to update `stop`, is stopped there, and goes on.
  void train_in_two(const std::string& name, std::int64_t stop) {
    TrainOptions stopped = options(name);
    std::int64_t steps = -1;  // asked before the first update, then after each and in evaluations
    stopped.on_status = [&](const TrainStatus& status) { steps = status.step; };
    double seconds = 0;
    stopped.clock = [&] { return seconds += 1; };  // so that every update is told of
    stopped.stop_signal = [&] { return steps >= stop ? SIGTERM : 0; };
    EXPECT_THROW(train(config_, stopped), Interrupted);
    TrainOptions resumed = options(name);
    resumed.resume = true;
    train(config_, resumed);
  }

  ImageFolder images_;
  const TemporaryFolder temporary_{"image-runs"};
  const fs::path& folder_ = temporary_.path();
  TrainConfig config_;
  std::vector<std::string> warnings_;
};

TEST_F(ImageFolderRun, IsTheSameWithAnyWorkersAndWhenResumed) {
  images_.damage("train/dog/104", 0);
  images_.damage("val/dog/100", 200);
  config_.train_res = "16@0,24@30%,32@60%";
  for (const std::int64_t workers : {1, 2, 4}) {
    config_.workers = workers;
    train(config_, options("w" + std::to_string(workers)));
  }
  const std::string weights = bytes("w1/model.safetensors");
  ASSERT_FALSE(weights.empty());
  EXPECT_TRUE(bytes("w2/model.safetensors") == weights);
  EXPECT_TRUE(bytes("w4/model.safetensors") == weights);
  train_in_two("stopped", 5);
  EXPECT_TRUE(bytes("stopped/model.safetensors") == weights);
  for (const char* run : {"w4", "stopped"}) {
    EXPECT_EQ(summary(run).at("corrupt_images"), summary("w1").at("corrupt_images"));
    EXPECT_EQ(summary(run).at("spent").at("flops"), summary("w1").at("spent").at("flops"));
    EXPECT_EQ(summary(run).at("test_accuracy"), summary("w1").at("test_accuracy"));
  }
  EXPECT_EQ(summary("w1").at("corrupt_images"), json({{"train", 1}, {"test", 1}}));
}

// 12 updates of which 4 are at 16, 4 at 24 and 4 at 32 pixels; an epoch is 10, 10, 10 and 2 images.
TEST_F(ImageFolderRun, CountsTheOperationsOfEverySize) {
  config_.train_res = "16@0,24@30%,32@60%";
  const TrainResult result = train(config_);
  double expected = 0;
  for (int step = 0; step < 12; ++step) {
    ModelOptions options;
    options.name = "resnet8";
    options.width = 0.25;
    options.classes = 2;
    options.image_size = step < 4 ? 16 : step < 8 ? 24 : 32;
    options.stem = "cifar";
    const auto model = make_model(options);
    expected += (step % 4 == 3 ? 2 : 10) * (model->cost()->both());
  }
  EXPECT_DOUBLE_EQ(result.flops, expected);
}

TEST_F(ImageFolderRun, TellsOfDamagedImagesAndStopsPastTheLimit) {
  const std::string bad = images_.damage("train/dog/104", 0);
  config_.budget = "8it";
  const TrainResult result = train(config_, options("a"));
  EXPECT_EQ(warnings_, std::vector<std::string>{bad + ": is empty; the image is skipped"});
  EXPECT_EQ(result.corrupt_train_images, 1);
  config_.max_corrupt = "0";
  EXPECT_THROW(train(config_), RunError);
}

TEST_F(ImageFolderRun, SaysWhichImagesItUsesAndWhatItPassesBy) {
  fs::rename(images_.path() / "val", images_.path() / "valid");
  fs::copy(images_.path() / "valid", images_.path() / "test", fs::copy_options::recursive);
  std::ofstream(images_.path() / "train/cat/1.gif") << "GIF89a";
  config_.budget = "1it";
  std::vector<std::string> notes;
  TrainOptions told = options("a");
  told.on_note = [&](const std::string& text) { notes.push_back(text); };
  train(config_, told);
  EXPECT_THAT(notes, testing::ElementsAre("data: 32 training images of 2 classes; tested on the 16 of valid",
                                          "data: tested on " + (images_.path() / "valid").string() +
                                              "; not looked at: test (--test-on test)",
                                          "data: 1 file passed by: 1 .gif"));
  EXPECT_EQ(summary("a").at("tested_on"), "valid");
  EXPECT_EQ(json::parse(bytes("a/classes.json")), json({"cat", "dog"}));
  config_.test_on = "test";
  train(config_, options("b"));
  EXPECT_EQ(summary("b").at("tested_on"), "test");
}

// Another data set under the same name would go on to a result that is of neither.
TEST_F(ImageFolderRun, IsNotGoneOnWithOnOtherData) {
  const auto begin = [&](const std::string& name) {
    TrainOptions stopped = options(name);
    int asked = 0;
    stopped.stop_signal = [&] { return ++asked > 3 ? SIGTERM : 0; };
    EXPECT_THROW(train(config_, stopped), Interrupted);
  };
  const auto resumed = [&](const std::string& name) -> std::string {
    TrainOptions again = options(name);
    again.resume = true;
    try {
      train(config_, again);
    } catch (const InputError& error) {
      const std::string message = error.what(), before = "its data are not those that it was begun with: ",
                        after = "; start a new run for that";
      EXPECT_THAT(message, testing::EndsWith(after));
      const std::size_t at = message.find(before);
      return at == message.npos
                 ? message
                 : message.substr(at + before.size(), message.size() - at - before.size() - after.size());
    }
    return "no error";
  };
  const fs::path& root = images_.path();
  begin("a");
  fs::copy(root / "train/cat/100.jpg", root / "train/cat/999.jpg");
  EXPECT_EQ(resumed("a"), "33 training images, not 32");
  fs::remove(root / "train/cat/999.jpg");

  // The classes change places: names and counts stay.
  for (const char* split : {"train", "val"}) {
    fs::rename(root / split / "cat", root / split / "x");
    fs::rename(root / split / "dog", root / split / "cat");
    fs::rename(root / split / "x", root / split / "dog");
  }
  EXPECT_EQ(resumed("a"), "as many images, of other names, sizes or labels");
  for (const char* split : {"train", "val"}) {
    fs::rename(root / split / "dog", root / split / "x");
    fs::rename(root / split / "cat", root / split / "dog");
    fs::rename(root / split / "x", root / split / "cow");
  }
  EXPECT_EQ(resumed("a"), "class 0 is \"cow\", not \"cat\"");
  for (const char* split : {"train", "val"}) fs::rename(root / split / "cow", root / split / "cat");
  fs::copy(root / "val", root / "validation", fs::copy_options::recursive);
  fs::rename(root / "val", root / "x");
  EXPECT_EQ(resumed("a"), "tested on \"validation\", not \"val\"");
  fs::rename(root / "x", root / "val");

  // The checkpoint has it too, where config.toml came from elsewhere.
  std::string text = bytes("a/config.toml");
  const std::size_t begins = text.find("\n# The data that it trains on"),
                    ends = text.find("\n# What made this run");
  ASSERT_NE(begins, text.npos);
  text.erase(begins, ends - begins);
  std::ofstream(folder_ / "a/config.toml") << text;
  fs::copy(root / "val/cat/100.jpg", root / "val/cat/999.jpg");
  EXPECT_EQ(resumed("a"), "17 test images, not 16");
  fs::remove(root / "val/cat/999.jpg");
  EXPECT_EQ(resumed("a"), "no error");
}

// A disk that is away takes everything with it, and may come back.
TEST_F(ImageFolderRun, WaitsForAFolderThatIsAwayAndSavesWhereItStays) {
  train(config_, options("whole"));
  const fs::path elsewhere = folder_ / "elsewhere";
  const auto away_after = [&](TrainOptions options, std::int64_t step, double seconds) {
    std::thread back;
    double clock = 0;
    options.clock = [&clock] { return clock += 1; };  // so that every update is told of
    options.on_status = [&, step, seconds](const TrainStatus& status) {
      if (status.step != step || back.joinable()) return;
      fs::rename(images_.path() / "train", elsewhere);
      back = std::thread([&, seconds] {
        std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
        fs::rename(elsewhere, images_.path() / "train");
      });
    };
    std::string message = "no error";
    try {
      train(config_, options);
    } catch (const RunError& error) {
      message = error.what();
    }
    back.join();
    return message;
  };
  EXPECT_EQ(away_after(options("a"), 3, 0.5), "no error");
  EXPECT_TRUE(bytes("a/model.safetensors") == bytes("whole/model.safetensors"));
  EXPECT_EQ(summary("a").at("corrupt_images"), json({{"train", 0}, {"test", 0}}));
  ASSERT_EQ(warnings_.size(), 2U);
  EXPECT_THAT(warnings_[0],
              testing::HasSubstr("No such file or directory; waiting for the data, for up to 60 s"));
  EXPECT_EQ(warnings_[1], "the data can be read again");

  config_.data_wait = 1;
  EXPECT_THAT(away_after(options("b"), 5, 2),
              testing::MatchesRegex(
                  ".*: cannot be read: No such file or directory, for 1 s; stopped at update [0-9]+; "
                  "go on with: glidepath train --resume .*/b"));
  TrainOptions again = options("b");
  again.resume = true;
  train(config_, again);
  EXPECT_TRUE(bytes("b/model.safetensors") == bytes("whole/model.safetensors"));
}

TEST_F(ImageFolderRun, SplitsAFolderOfClassesTheSameForEverySeed) {
  config_.data = "imagefolder:" + (images_.path() / "train").string();
  fs::rename(images_.path() / "val", folder_ / "x");
  config_.split = "75/25";
  config_.budget = "2it";
  train(config_, options("a"));
  EXPECT_THAT(bytes("a/config.toml"), testing::HasSubstr("split = \"75/25\"\n"));
  EXPECT_THAT(bytes("a/config.toml"),
              testing::HasSubstr("train_images = 24\ntest_images = 8\ntested_on = \"val\"\n"));
  config_.seed = 1;
  train(config_, options("b"));
  const auto images_of = [&](const std::string& run) {
    const std::string text = bytes(run + "/config.toml");
    return text.substr(text.find("\nimages = "), 90);
  };
  EXPECT_EQ(images_of("b"), images_of("a"));
  config_.split = "75/25@1";
  train(config_, options("c"));
  EXPECT_NE(images_of("c"), images_of("a"));
  config_.split = "";
  EXPECT_THAT(wrong(), testing::HasSubstr("is one of the splits in " + images_.path().string()));
}

TEST_F(ImageFolderRun, IsTestedAtTheSizeAskedFor) {
  config_.eval_res = "40";
  train(config_, options("a"));
  EXPECT_EQ(summary("a").at("eval_res"), 40);
  const EvaluationResult found = evaluate_weights(config_, folder_ / "a/model.safetensors");
  EXPECT_EQ(found.accuracy, summary("a").at("test_accuracy"));
  EXPECT_EQ(found.loss, summary("a").at("test_loss"));
  EXPECT_EQ(found.images, 16);
}

TEST_F(ImageFolderRun, ByTheClockSizesFollowItsProgress) {
  config_.train_res = "16@0,32@50%";
  config_.budget = "200s";
  config_.eval_every = "end";
  TrainOptions timed = options("a");
  double seconds = 0;
  timed.clock = [&] { return seconds += 0.5; };
  const TrainResult result = train(config_, timed);
  EXPECT_GT(result.updates, 10);
  ModelOptions small;
  small.name = "resnet8";
  small.width = 0.25;
  small.classes = 2;
  small.image_size = 16;
  small.stem = "cifar";
  const auto model = make_model(small);
  // More than all of it at the small size, less than all at the large one, which costs four times as much.
  const double one = (model->cost()->both()) * result.epochs * 32;
  EXPECT_GT(result.flops, 1.5 * one);
  EXPECT_LT(result.flops, 3.5 * one);
}

// Sorted by class, the first images of a folder would all be of one.
TEST_F(ImageFolderRun, LimitsAreSpreadOverTheClasses) {
  config_.train_limit = 10;
  config_.test_limit = 4;
  const TrainResult result = train(config_, options("a"));
  EXPECT_EQ(result.steps_per_epoch, 1);
  EXPECT_EQ(evaluate_weights(config_, folder_ / "a/model.safetensors").images, 4);
}

TEST_F(ImageFolderRun, RefusesWhatDoesNotGoTogether) {
  config_.train_res = "32..64";
  config_.budget = "1e9flop";
  EXPECT_EQ(wrong(),
            "train_res \"32..64\": with a budget in flop, updates must all cost the same; give one size, or "
            "a budget "
            "in updates, epochs or time");
  config_.budget = "10%";
  config_.full = "1e9flop";
  EXPECT_THAT(wrong(), testing::HasSubstr("with a budget in flop"));
  config_.full = "10ep";
  config_.model = "mlp";
  EXPECT_EQ(wrong(), "train_res \"32..64\": model mlp takes images of one size; give one");
  config_.train_res = "32";
  config_.eval_res = "40";
  EXPECT_EQ(wrong(), "eval_res \"40\": model mlp takes images of one size, that of train_res");
  config_.data = "digits";
  config_.eval_res = "auto";
  EXPECT_EQ(wrong(), "train_res \"32\": for image folders alone; the images of digits are 8x8");
}

}  // namespace
}  // namespace glidepath
