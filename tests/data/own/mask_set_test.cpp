// tests/data/own/mask_set_test.cpp - images with masks: labels as they are stored, joint crops, and what is
// refused.
#include <fstream>
#include <set>
#include <sstream>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include "data/formats/label_png.h"
#include "data/own/labelled_picture.h"
#include "data/own/own_support.h"
#include "data/own/tensor_files.h"
#include "support/temporary_folder.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

using testing::HasSubstr;
using torch::Tensor;

fs::path mask_file(const std::string& name) { return fs::path(GLIDEPATH_TEST_DATA) / "own/masks" / name; }

std::string bytes_of(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

std::vector<unsigned char> labels_in(const std::string& bytes, ImageSize& size) {
  std::vector<unsigned char> labels;
  size = decode_label_png(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), labels);
  return labels;
}

// tests/data/golden/own/make_masks.py: by Pillow.
TEST(LabelPng, GivesIndicesAndNeverColours) {
  const std::map<std::string, int> masks{{"palette8", 200},   {"palette4", 16}, {"palette2", 4},
                                         {"palette1", 2},     {"grey8", 256},   {"grey1", 2},
                                         {"transparent", 200}};
  for (const auto& [name, classes] : masks) {
    ImageSize size;
    const auto labels = labels_in(bytes_of(mask_file(name + ".png")), size);
    ASSERT_EQ(size.width, 13) << name;
    ASSERT_EQ(size.height, 9) << name;
    for (int y = 0; y < 9; ++y) {
      for (int x = 0; x < 13; ++x)
        ASSERT_EQ(labels[static_cast<std::size_t>(13 * y + x)], (3 * x + 5 * y) % classes) << name;
    }
  }
}

TEST(LabelPng, OthersAndDamagedOnesAreRefused) {
  const auto refusal = [](const std::string& bytes) -> std::string {
    ImageSize size;
    try {
      labels_in(bytes, size);
    } catch (const CorruptImage& problem) {
      return problem.what();
    }
    return "";
  };
  for (const char* name : {"colour.png", "alpha.png"})
    EXPECT_THAT(refusal(bytes_of(mask_file(name))), HasSubstr("is a PNG in colours or with transparency"))
        << name;
  EXPECT_EQ(refusal(bytes_of(mask_file("deep.png"))), "is a PNG of 16 bits a pixel; a mask has 8 at most");
  EXPECT_EQ(refusal("GIF89a, or something"), "is no PNG; masks are");
  EXPECT_EQ(refusal(""), "is no PNG; masks are");
  const std::string whole = bytes_of(mask_file("palette8.png"));
  for (const std::size_t length : {std::size_t{9}, std::size_t{40}, whole.size() / 2, whole.size() - 13})
    EXPECT_NE(refusal(whole.substr(0, length)), "") << length;
}

TEST(LabelledPicture, IsCutScaledAndMirroredAsByPillow) {
  const LabelledPicture picture = read_labelled(mask_file("picture.png"), mask_file("picture-mask.png"));
  const Tensor expected = read_npy(mask_file("crops.npy"));
  const auto* at = expected.data_ptr<std::uint8_t>();
  std::ifstream file(mask_file("crops.csv"));
  std::string line;
  std::getline(file, line);
  int rows = 0;
  for (; std::getline(file, line); ++rows) {
    SCOPED_TRACE(line);
    std::replace(line.begin(), line.end(), ',', ' ');
    std::istringstream words(line);
    JointCrop crop;
    ImageSize size;
    words >> crop.scaled.width >> crop.scaled.height >> crop.left >> crop.top >> crop.mirrored >>
        size.width >> size.height;
    const LabelledPicture found = cropped(picture, crop, size, 255);
    int wrong = 0;
    for (std::size_t i = 0; i < found.labels.size(); ++i, at += 4) {
      for (std::size_t channel = 0; channel < 3; ++channel)
        wrong += found.pixels[i * kPixelBytes + channel] != at[channel] ? 1 : 0;
      wrong += found.labels[i] != at[3] ? 1 : 0;
    }
    EXPECT_EQ(wrong, 0);
  }
  EXPECT_EQ(rows, 8);
}

class MaskSet : public testing::Test {
 protected:
  MaskSet() : temporary_("masks"), folder_(temporary_.path()) {
    for (const char* split : {"train", "val"}) {
      for (const char* kind : {"images", "masks"}) fs::create_directories(folder_ / split / kind);
      add(split, "a");
      add(split, "b");
    }
  }
  /// The picture of 37 x 23 pixels and its mask of 7 labels.
  void add(const std::string& split, const std::string& name) {
    fs::copy_file(mask_file("picture.png"), folder_ / split / "images" / (name + ".png"));
    fs::copy_file(mask_file("picture-mask.png"), folder_ / split / "masks" / (name + ".png"));
  }
  /// A picture of 13 x 9 pixels whose mask is its own index.
  void add_small(const std::string& split, const std::string& name) {
    for (const char* kind : {"images", "masks"})
      fs::copy_file(mask_file("palette2.png"), folder_ / split / kind / (name + ".png"));
  }
  std::string name() const { return "segmentation:" + folder_.string(); }

  TemporaryFolder temporary_;
  fs::path folder_;
};

TEST_F(MaskSet, TestsSeeWholeImagesNormalisedByImageNets) {
  const Dataset set = load_dataset(name());
  EXPECT_EQ(set.task, "segment");
  EXPECT_EQ(set.classes, 7);
  EXPECT_EQ(set.ignored_label, 255);
  EXPECT_EQ(set.tested_on, "val");
  EXPECT_EQ(set.train.size(), 2);
  EXPECT_THAT(set.notes,
              testing::ElementsAre("2 images with masks to train on, in crops of 37 x 23, and 2 to test on; "
                                   "7 classes, label 255 left out"));
  const Batch batch = examples_of(set.test, {1, 0});
  ASSERT_EQ(batch.inputs[0].sizes(), (std::vector<std::int64_t>{2, 3, 23, 37}));
  const Tensor expected = read_npy(mask_file("crops.npy")).narrow(0, 0, 23 * 37 * 4).view({23, 37, 4});
  EXPECT_TRUE(torch::equal(batch.targets[0][1], expected.select(2, 3).to(torch::kInt64)));
  const Tensor mean = torch::tensor({0.485F, 0.456F, 0.406F}),
               deviation = torch::tensor({0.229F, 0.224F, 0.225F});
  const Tensor image = (expected.narrow(2, 0, 3).to(torch::kFloat32) / 255 - mean) / deviation;
  EXPECT_TRUE(torch::allclose(batch.inputs[0][0], image.permute({2, 0, 1}), 1e-5, 1e-5));
}

TEST_F(MaskSet, TrainingCropsAreAFunctionOfSeedEpochAndNumber) {
  DataChoice choice;
  choice.crop = 16;
  const Dataset set = load_dataset(name(), {}, choice);
  std::set<double> sums;
  bool has_padding = false;
  for (std::int64_t epoch = 0; epoch < 30; ++epoch) {
    const Batch batch = examples_of(set.train, {0, 1}, true, 5, epoch);
    ASSERT_EQ(batch.inputs[0].sizes(), (std::vector<std::int64_t>{2, 3, 16, 16}));
    ASSERT_EQ(batch.targets[0].sizes(), (std::vector<std::int64_t>{2, 16, 16}));
    const Batch again = examples_of(set.train, {1}, true, 5, epoch);
    EXPECT_TRUE(torch::equal(batch.inputs[0][1], again.inputs[0][0]));
    EXPECT_TRUE(torch::equal(batch.targets[0][1], again.targets[0][0]));
    sums.insert(batch.inputs[0][0].sum().item<double>());
    // Beyond the image's edge: black, and left out.
    const Tensor beyond = batch.targets[0].eq(255);
    has_padding = has_padding || beyond.any().item<bool>();
    EXPECT_TRUE(batch.targets[0].lt(7).logical_or(beyond).all().item<bool>());
    const Tensor red = batch.inputs[0].select(1, 0).masked_select(beyond);
    EXPECT_TRUE(torch::allclose(red, torch::full_like(red, -0.485 / 0.229), 1e-5, 1e-5));
  }
  EXPECT_EQ(sums.size(), 30U);
  EXPECT_TRUE(has_padding);
  choice.ignored_label = "none";
  const Dataset full = load_dataset(name(), {}, choice);
  for (std::int64_t epoch = 0; epoch < 10; ++epoch)
    EXPECT_LT(examples_of(full.train, {0, 1}, true, 5, epoch).targets[0].max().item<std::int64_t>(), 7);
}

TEST_F(MaskSet, BatchesAreTheSameFromAnyNumberOfThreads) {
  DataChoice choice;
  choice.crop = 16;
  choice.workers = 1;
  const Dataset one = load_dataset(name(), {}, choice);
  for (const std::int64_t workers : {0, 3}) {
    choice.workers = workers;
    const Dataset several = load_dataset(name(), {}, choice);
    for (std::int64_t epoch = 0; epoch < 5; ++epoch) {
      const std::vector<std::int64_t> numbers{1, 0, 0, 1, 1};
      const Batch expected = examples_of(one.train, numbers, true, 5, epoch),
                  batch = examples_of(several.train, numbers, true, 5, epoch);
      EXPECT_TRUE(torch::equal(batch.inputs[0], expected.inputs[0]));
      EXPECT_TRUE(torch::equal(batch.targets[0], expected.targets[0]));
    }
  }
}

TEST_F(MaskSet, ImagesOfSeveralSizesArePaddedWithTheIgnoredLabel) {
  add_small("val", "c");
  const Dataset set = load_dataset(name());
  const Tensor mask = examples_of(set.test, {2}).targets[0][0];
  EXPECT_EQ(mask.sizes(), (std::vector<std::int64_t>{23, 37}));
  EXPECT_EQ(mask.eq(255).sum().item<std::int64_t>(), 23 * 37 - 9 * 13);
  EXPECT_EQ(mask[8][12].item<std::int64_t>(), (3 * 12 + 5 * 8) % 4);
  DataChoice choice;
  choice.ignored_label = "none";
  EXPECT_EQ(refusal_of(name(), choice), folder_.string() +
                                            ": has images of several sizes, and ignored_label \"none\" "
                                            "leaves none to pad them with");
  fs::remove(folder_ / "val/images/c.png");
  choice.crop = 24;
  EXPECT_EQ(refusal_of(name(), choice),
            "train_res \"24\": the images of " + folder_.string() +
                " have 37 x 23 pixels, and ignored_label \"none\" leaves none to pad them with");
}

TEST_F(MaskSet, ClassesHaveNames) {
  write_bytes(folder_ / "classes.txt", "sky\nroad\r\n\nblue car\na\nb\nc\n");
  EXPECT_EQ(refusal_of(name()).substr(0, (folder_ / "train/masks/a.png").string().size()),
            (folder_ / "train/masks/a.png").string());
  EXPECT_THAT(refusal_of(name()), HasSubstr("has the label 6, and classes.txt names 6; is it to be left out, "
                                            "--ignored-label 6?"));
  DataChoice choice;
  choice.ignored_label = "6";
  const Dataset set = load_dataset(name(), {}, choice);
  EXPECT_EQ(set.classes, 6);
  EXPECT_THAT(set.class_names, testing::ElementsAre("sky", "road", "blue car", "a", "b", "c"));
  fs::remove(folder_ / "classes.txt");
  EXPECT_EQ(load_dataset(name(), {}, choice).classes, 6);
}

TEST_F(MaskSet, WhatIsWrongIsToldWithTheFile) {
  const fs::path mask = folder_ / "train/masks/b.png", image = folder_ / "train/images/b.png";
  fs::remove(mask);
  EXPECT_EQ(refusal_of(name()), mask.string() + ": is not there, the mask of " + image.string());
  fs::copy_file(mask_file("palette2.png"), mask);
  EXPECT_EQ(refusal_of(name()), mask.string() + ": 13 x 9 pixels, and " + image.string() +
                                    " has 37 x 23; a mask has its image's size");
  write_bytes(mask, bytes_of(mask_file("picture-mask.png")).substr(0, 300));
  EXPECT_EQ(refusal_of(name()), mask.string() + ": is truncated");
  fs::remove(mask);
  fs::copy_file(mask_file("colour.png"), mask);
  EXPECT_THAT(refusal_of(name()), HasSubstr("b.png: is a PNG in colours"));
  write_bytes(image, bytes_of(mask_file("picture.png")).substr(0, 300));
  EXPECT_EQ(refusal_of(name()), image.string() + ": is truncated");
  fs::copy_file(mask_file("picture.png"), folder_ / "train/images/b.bmp");
  EXPECT_THAT(refusal_of(name()), HasSubstr("each image has its own"));
  fs::remove_all(folder_ / "val/masks");
  fs::remove(folder_ / "train/images/b.bmp");
  EXPECT_EQ(refusal_of(name()),
            (folder_ / "val/masks").string() +
                ": is no folder; the folder must have train/images, train/masks, val/images and "
                "val/masks");
}

}  // namespace
}  // namespace glidepath
