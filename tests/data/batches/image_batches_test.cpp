// tests/data/batches/image_batches_test.cpp - batches of encoded images: their numbers, order and damaged
// files.
#include "data/batches/image_batches.h"

#include <cmath>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include "data/image_folder.h"
#include "data/images/corrupt_images.h"
#include "data/images/golden_pictures.h"
#include "data/images/image_store.h"
#include "glidepath/error.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

LoaderOptions options_of(std::int64_t batch_size, std::int64_t prefetch = 2) {
  LoaderOptions options;
  options.batch_size = batch_size;
  options.seed = 5;
  options.prefetch = prefetch;
  return options;
}

Dataset small_images(const ImageFolder& folder, std::int64_t workers, std::int64_t size = 32) {
  Dataset dataset = load_dataset(folder.data());
  dataset.image_options.workers = workers;
  dataset.image_options.train_size = dataset.image_options.eval_size = size;
  dataset.image_options.eval_resize = size * 8 / 7;
  return dataset;
}

// (byte / 255 - mean) / stddev of torchvision's pixels, by ImageNet's figures.
TEST(ImageBatches, NormaliseTorchvisionsPixels) {
  const ImageFolder folder(2);
  fs::copy_file(golden_image("photo.jpg"), folder.path() / "val/cat/100.jpg",
                fs::copy_options::overwrite_existing);
  Dataset dataset = small_images(folder, 1, 64);
  dataset.image_options.eval_resize = 73;
  const Picture expected = read_png(golden_image("crops/1.png"));
  const float mean[] = {0.485F, 0.456F, 0.406F}, stddev[] = {0.229F, 0.224F, 0.225F};
  for (const bool channels_last : {false, true}) {
    const Batch batch = plain_batch(dataset, dataset.test, 0, 1, torch::kFloat32, channels_last);
    ASSERT_EQ(batch.images().sizes(), (std::vector<std::int64_t>{1, 3, 64, 64}));
    EXPECT_EQ(batch.images().is_contiguous(torch::MemoryFormat::ChannelsLast), channels_last);
    const auto numbers = batch.images().accessor<float, 4>();
    for (int y = 0; y < 64; ++y) {
      for (int x = 0; x < 64; ++x) {
        for (int c = 0; c < 3; ++c) {
          const float byte = expected.rgb[static_cast<std::size_t>(3 * (64 * y + x) + c)];
          ASSERT_EQ(numbers[0][c][y][x], (byte / 255.0F - mean[c]) / stddev[c]) << x << " " << y << " " << c;
        }
      }
    }
    const Batch half = plain_batch(dataset, dataset.test, 0, 1, torch::kBFloat16, channels_last);
    EXPECT_TRUE(torch::equal(half.images(), batch.images().to(torch::kBFloat16)));
  }
}

TEST(ImageBatches, AreTheSameWhateverTheThreads) {
  const ImageFolder folder(20);
  std::vector<Batch> first;
  for (const std::int64_t workers : {1, 2, 4}) {
    for (const std::int64_t prefetch : {1, 3}) {
      TrainLoader loader(small_images(folder, workers), options_of(7, prefetch));
      EXPECT_EQ(loader.steps_per_epoch(), 6);
      for (std::size_t step = 0; step < 14; ++step) {
        const Batch batch = loader.next();
        if (first.size() <= step) first.push_back(batch);
        EXPECT_EQ(batch.labels().size(0), step % 6 == 5 ? 5 : 7);
        EXPECT_TRUE(torch::equal(batch.images(), first[step].images())) << workers << " " << step;
        EXPECT_TRUE(torch::equal(batch.labels(), first[step].labels()));
      }
      loader.seek(9);
      EXPECT_TRUE(torch::equal(loader.next().images(), first[9].images()));
      EXPECT_TRUE(torch::equal(loader.next().images(), first[10].images()));
    }
  }
  // Another epoch has other crops: no batch is like one of the first.
  for (std::size_t step = 6; step < 12; ++step)
    EXPECT_FALSE(torch::equal(first[step].images(), first[step - 6].images()));
}

TEST(ImageBatches, HaveTheSizeOfTheirStep) {
  const ImageFolder folder(8);
  TrainLoader loader(small_images(folder, 2), options_of(4));
  EXPECT_EQ(loader.next().images().size(3), 32);
  loader.set_image_size([](std::int64_t step) { return step < 3 ? 16 : 24; });
  for (const std::int64_t size : {16, 16, 24, 24}) EXPECT_EQ(loader.next().images().size(3), size);
  loader.seek(1);
  EXPECT_EQ(loader.next().images().size(2), 16);
}

TEST(ImageBatches, WithoutAugmentationAreMiddles) {
  const ImageFolder folder(8);
  const Dataset dataset = small_images(folder, 2);
  LoaderOptions options = options_of(16);
  options.augment = false;
  TrainLoader loader(dataset, options);
  const Batch batch = loader.next();
  const Batch plain = plain_batch(dataset, dataset.train, 0, 16, torch::kFloat32, false);
  // The same images in another order.
  EXPECT_EQ(batch.images().sum(torch::kFloat64).item<double>(),
            plain.images().sum(torch::kFloat64).item<double>());
}

// A damaged image's place is taken by another, the same one every time; it is counted and told of once.
TEST(ImageBatches, ReplaceDamagedImagesInTraining) {
  const ImageFolder folder(20);
  const std::string bad = folder.damage("train/cat/103", 700), empty = folder.damage("train/dog/104", 0);
  std::vector<Batch> first;
  for (const std::int64_t workers : {1, 3}) {
    Dataset dataset = small_images(folder, workers);
    dataset.train.corrupt->set_limit(2, "2");
    TrainLoader loader(dataset, options_of(8));
    std::vector<std::string> told;
    for (std::size_t step = 0; step < 10; ++step) {
      const Batch batch = loader.next();
      EXPECT_EQ(batch.labels().size(0), 8);
      if (first.size() <= step) first.push_back(batch);
      EXPECT_TRUE(torch::equal(batch.images(), first[step].images()));
      EXPECT_TRUE(torch::equal(batch.labels(), first[step].labels()));
      for (std::string& line : dataset.train.corrupt->take_news()) told.push_back(std::move(line));
    }
    EXPECT_THAT(told, testing::UnorderedElementsAre(bad + ": is truncated; the image is skipped",
                                                    empty + ": is empty; the image is skipped"));
    EXPECT_EQ(dataset.train.corrupt->count(), 2);
  }
}

TEST(ImageBatches, LeaveDamagedImagesOutOfTests) {
  const ImageFolder folder(20);
  folder.damage("val/cat/101", 50);
  Dataset dataset = small_images(folder, 2);
  PlainLoader loader(dataset, dataset.test, 0, dataset.test.size(), 8, torch::kFloat32, false);
  std::vector<std::int64_t> sizes;
  while (const auto batch = loader.next()) {
    sizes.push_back(batch->images().size(0));
    EXPECT_EQ(batch->labels().size(0), batch->images().size(0));
  }
  EXPECT_THAT(sizes, testing::ElementsAre(7, 8, 4));
  EXPECT_EQ(dataset.test.corrupt->count(), 1);
}

TEST(ImageBatches, StopPastTheLimit) {
  const ImageFolder folder(20);
  const std::string bad = folder.damage("train/cat/103", 700);
  Dataset dataset = small_images(folder, 2);
  dataset.train.corrupt->set_limit(0, "0");
  TrainLoader loader(dataset, options_of(40));
  try {
    loader.next();
    FAIL();
  } catch (const RunError& error) {
    EXPECT_EQ(
        std::string(error.what()),
        bad +
            ": is truncated; with it 1 training image(s) cannot be decoded, and max_corrupt \"0\" allows 0; "
            "repair or remove them, or allow more");
  }
}

TEST(ImageBatches, SayWhatIsWrongWhereNoImageIsLeft) {
  const ImageFolder folder(2);
  for (const char* name : {"train/cat/100", "train/cat/101", "train/dog/100", "train/dog/101"})
    folder.damage(name, 0);
  const Dataset dataset = small_images(folder, 1);
  TrainLoader loader(dataset, options_of(4));
  try {
    loader.next();
    FAIL();
  } catch (const RunError& error) {
    EXPECT_THAT(error.what(),
                testing::EndsWith(": is empty, and none of 100 images in its place can be decoded either"));
  }
}

TEST(ImageBatches, AFolderIsADataSet) {
  const ImageFolder folder(4);
  const Dataset dataset = load_dataset(folder.data());
  EXPECT_EQ(dataset.classes, 2);
  EXPECT_THAT(dataset.class_names, testing::ElementsAre("cat", "dog"));
  EXPECT_FALSE(dataset.in_memory());
  EXPECT_EQ(dataset.channels(), 3);
  EXPECT_EQ(dataset.image_size(), 224);
  EXPECT_EQ(dataset.train.size(), 8);
  EXPECT_EQ(dataset.test.size(), 4);
  EXPECT_EQ(dataset.train.labels.sum().item<std::int64_t>(), 4);
  EXPECT_NO_THROW(require_dataset(folder.data()));
  EXPECT_EQ(load_dataset("imagefolder:train/..", folder.path()).train.size(), 8);  // relative to data_dir
  EXPECT_THROW(require_dataset(folder.data() + "/nothing"), InputError);
}

}  // namespace
}  // namespace glidepath
