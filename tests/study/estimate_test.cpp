// tests/study/estimate_test.cpp - how long runs will take.
#include "study/plan/estimate.h"

#include <gtest/gtest.h>

#include "study/support.h"

namespace glidepath {
namespace {

TrainConfig config_of(const std::string& budget, std::uint64_t seed = 0) {
  TrainConfig config;
  config.budget = budget;
  config.seed = seed;
  return config;
}

TEST(ImagesToTrain, CountsWhatTheBudgetBuys) {
  EXPECT_EQ(images_to_train(config_of("500it")), 500 * 128);
  EXPECT_EQ(images_to_train(config_of("1ep")), 391 * 128);
  EXPECT_EQ(images_to_train(config_of("1%")), 782 * 128);  // of 200 epochs
  TrainConfig small = config_of("1ep");
  small.train_limit = 1000;
  small.batch_size = 100;
  EXPECT_EQ(images_to_train(small), 1000);
  EXPECT_GT(images_to_train(config_of("2h")), images_to_train(config_of("1h")));
  EXPECT_GT(images_to_train(config_of("2e15flop")), images_to_train(config_of("1e15flop")));
}

class ImagesOfAFolder : public FolderTest {
 protected:
  /// Two classes; files that no decoder would take, as nothing but their number is of interest.
  void make_images(const char* split, int per_class) const {
    for (const char* label : {"cat", "dog"}) {
      for (int i = 0; i < per_class; ++i)
        write(std::string("photos/") + split + "/" + label + "/" + std::to_string(i) + ".jpg", "");
    }
  }
  TrainConfig config() const {
    TrainConfig config = config_of("3ep");
    config.data = "imagefolder:photos";
    config.data_dir = folder_.string();
    config.batch_size = 4;
    return config;
  }
};

TEST_F(ImagesOfAFolder, AreCounted) {
  make_images("train", 5);
  make_images("val", 1);
  EXPECT_EQ(images_to_train(config()), 3 * 12);
  TrainConfig absolute = config();
  absolute.data = "imagefolder:" + (folder_ / "photos").string();
  absolute.data_dir.clear();
  EXPECT_EQ(images_to_train(absolute), 3 * 12);
  TrainConfig limited = config();
  limited.train_limit = 8;
  EXPECT_EQ(images_to_train(limited), 3 * 8);
  limited.train_limit = 1000;
  EXPECT_EQ(images_to_train(limited), 3 * 12);
}

TEST_F(ImagesOfAFolder, AreCountedOnceHoweverManyRunsThereAre) {
  make_images("train", 5);
  make_images("val", 1);
  EXPECT_EQ(images_to_train(config()), 3 * 12);
  std::filesystem::remove_all(folder_ / "photos");
  EXPECT_EQ(images_to_train(config()), 3 * 12);
}

TEST_F(ImagesOfAFolder, AreGuessedWhereTheyAreNotToBeFound) {
  EXPECT_EQ(images_to_train(config()), 3 * 50'000);
  make_images("train", 5);  // no val/
  TrainConfig half = config();
  half.data = "imagefolder:" + (folder_ / "photos").string();
  EXPECT_EQ(images_to_train(half), 3 * 50'000);
}

class OwnExamples : public FolderTest {
 protected:
  double of_an_epoch(const std::string& data) const {
    TrainConfig config = config_of("1ep");
    config.data = data;
    config.data_dir = folder_.string();
    config.batch_size = 1;
    config.context = 10;
    return images_to_train(config);
  }
};

TEST_F(OwnExamples, AreCountedFromHeadersSizesAndNames) {
  const std::string header = R"({"train.inputs":{"dtype":"F32","shape":[7,2],"data_offsets":[0,56]}})";
  write("set.safetensors", std::string(1, static_cast<char>(header.size())) + std::string(7, '\0') + header);
  EXPECT_EQ(of_an_epoch("tensors:set.safetensors"), 7);
  write("npy/train_inputs.npy", std::string("\x93NUMPY\x01\0\x46\0", 10) +
                                    "{'descr': '<f4', 'fortran_order': False, 'shape': (9, 3), }\n");
  EXPECT_EQ(of_an_epoch("tensors:npy"), 9);
  write("text.txt", std::string(1000, 'a'));
  EXPECT_EQ(of_an_epoch("tokens:text.txt"), 89);  // 900 tokens, of which 899 have a next one
  write("bins/train.bin", std::string(402, 'a'));
  EXPECT_EQ(of_an_epoch("tokens:bins"), 20);
  for (const char* name : {"a.png", "b.jpg", "notes.txt"}) write(std::string("seg/train/images/") + name, "");
  EXPECT_EQ(of_an_epoch("segmentation:seg"), 2);
}

TEST_F(OwnExamples, AreGuessedWhereTheyAreNotToBeFound) {
  EXPECT_EQ(of_an_epoch("tensors:none.safetensors"), 50'000);
  write("short.safetensors", "abc");
  EXPECT_EQ(of_an_epoch("tensors:short.safetensors"), 50'000);
  write("odd.safetensors", std::string(8, '\xff') + "{}");
  EXPECT_EQ(of_an_epoch("tensors:odd.safetensors"), 50'000);
  EXPECT_EQ(of_an_epoch("segmentation:none"), 50'000);
}

TEST(TimeEstimate, FindsStartAndRateOfRunsOnALine) {
  TimeEstimate estimate;
  EXPECT_TRUE(estimate.empty());
  EXPECT_EQ(estimate.seconds(config_of("1ep")), 0);
  for (const char* budget : {"10it", "20it", "50it"}) {  // 3 s to start, then 1000 images/s
    const double updates = images_to_train(config_of(budget)) / 1000;
    estimate.add(config_of(budget), 3 + updates, 3 + updates);
  }
  EXPECT_FALSE(estimate.empty());
  EXPECT_NEAR(estimate.seconds(config_of("1000it", 7)), 3 + 128, 1e-6);
}

TEST(TimeEstimate, OfOneBudgetTakesTheRateOfItsUpdates) {
  TimeEstimate estimate;
  estimate.add(config_of("10it"), 2, 0.5);
  EXPECT_DOUBLE_EQ(estimate.seconds(config_of("10it")), 2);
  EXPECT_DOUBLE_EQ(estimate.seconds(config_of("100it")), 1.5 + 5);
}

TEST(TimeEstimate, OfAnotherNetworkIsItsOwn) {
  TimeEstimate estimate;
  TrainConfig slow = config_of("10it");
  slow.width = 4;
  estimate.add(config_of("10it"), 1, 1);
  estimate.add(slow, 100, 100);
  EXPECT_DOUBLE_EQ(estimate.seconds(config_of("20it")), 2);
  slow.budget = "20it";
  EXPECT_DOUBLE_EQ(estimate.seconds(slow), 200);
  TrainConfig unseen = config_of("10it");
  unseen.width = 2;
  EXPECT_DOUBLE_EQ(estimate.seconds(unseen), 50.5);  // the mean of all
}

}  // namespace
}  // namespace glidepath
