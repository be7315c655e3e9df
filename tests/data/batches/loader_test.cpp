// tests/data/batches/loader_test.cpp - batches against slow code of the test's own, and the promises of
// loader.h.
#include "glidepath/loader.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include <ATen/Context.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include "data/batches/augment.h"
#include "data/batches/random_keys.h"
#include "data/image_folder.h"
#include "data/images/trivial_augment.h"
#include "glidepath/error.h"
#include "glidepath/keyed_random.h"

namespace glidepath {
namespace {

using torch::Tensor;

Dataset made_dataset(std::int64_t images, std::int64_t channels = 3, std::int64_t size = 32) {
  at::manual_seed(5);
  Dataset dataset;
  dataset.classes = 10;
  dataset.mean.assign(static_cast<std::size_t>(channels), 0.45F);
  dataset.stddev.assign(static_cast<std::size_t>(channels), 0.25F);
  dataset.train = {torch::randint(0, 256, {images, channels, size, size}, torch::kUInt8),
                   torch::arange(images, torch::kInt64)};  // the label is the image's number
  dataset.test = dataset.train;
  return dataset;
}

LoaderOptions options_with(std::int64_t prefetch) {
  LoaderOptions options;
  options.batch_size = 16;
  options.seed = 3;
  options.prefetch = prefetch;
  return options;
}

/// Crops of picture 2 against windows of `padded`, which is the picture with four pixels more on every side.
void expect_crops(const Dataset& dataset, Beyond beyond, const Tensor& padded) {
  const Normaliser normaliser(dataset);
  for (const int top : {-4, -1, 0, 3, 4}) {
    for (const int left : {-4, -2, 0, 2, 4}) {
      for (const bool mirrored : {false, true}) {
        const std::vector<Crop> crops{{2, top, left, mirrored}};
        Tensor batch = torch::empty({1, 3, 32, 32});
        normaliser.write(dataset.train.images, crops, batch, beyond);
        Tensor expected = padded.narrow(1, 4 + top, 32).narrow(2, 4 + left, 32);
        if (mirrored) expected = expected.flip(2);
        expected = (expected / 255.0F - 0.45F) / 0.25F;
        ASSERT_TRUE(torch::allclose(batch[0], expected, 1e-6, 1e-6)) << top << " " << left << " " << mirrored;
      }
    }
  }
}

TEST(Augment, EqualsPaddingCroppingAndMirroringWithTorch) {
  const Dataset dataset = made_dataset(4);
  const Tensor picture = dataset.train.images[2].to(torch::kFloat32);
  expect_crops(dataset, Beyond::kBlack, torch::constant_pad_nd(picture, {4, 4, 4, 4}));
}

TEST(Augment, ReflectsAsTorchDoes) {
  const Dataset dataset = made_dataset(4);
  const Tensor picture = dataset.train.images[2].to(torch::kFloat32);
  expect_crops(dataset, Beyond::kReflected, torch::reflection_pad2d(picture, {4, 4, 4, 4}));
}

TEST(Augment, AlternatingFlipsShowEveryImageBothWaysInTwoEpochs) {
  const Dataset dataset = made_dataset(100);
  LoaderOptions options = options_with(0);
  options.flip = Flip::kAlternating;
  options.crop_padding = 0;
  TrainLoader loader(dataset, options);
  std::vector<std::map<std::int64_t, bool>> mirrored(4);
  for (auto& epoch : mirrored) {
    for (int step = 0; step < 7; ++step) {
      const Batch batch = loader.next();
      for (std::int64_t i = 0; i < batch.examples; ++i) {
        const auto number = batch.labels()[i].item<std::int64_t>();
        const Tensor plain =
            plain_batch(dataset, dataset.train, number, 1, torch::kFloat32, false).images()[0];
        epoch[number] = !torch::equal(batch.images()[i], plain);
        ASSERT_TRUE(torch::equal(batch.images()[i], epoch[number] ? plain.flip(2) : plain));
      }
    }
  }
  int at_first = 0;
  for (std::int64_t i = 0; i < 100; ++i) {
    at_first += mirrored[0][i] ? 1 : 0;
    EXPECT_NE(mirrored[0][i], mirrored[1][i]);
    EXPECT_EQ(mirrored[0][i], mirrored[2][i]);
    EXPECT_EQ(mirrored[1][i], mirrored[3][i]);
  }
  EXPECT_GT(at_first, 30);
  EXPECT_LT(at_first, 70);
}

TEST(Augment, Bf16AndChannelsLastHoldTheSameNumbers) {
  const Dataset dataset = made_dataset(6);
  for (const bool last : {false, true}) {
    const Batch single = plain_batch(dataset, dataset.train, 1, 4, torch::kFloat32, last);
    const Batch half = plain_batch(dataset, dataset.train, 1, 4, torch::kBFloat16, last);
    EXPECT_EQ(single.images().is_contiguous(torch::MemoryFormat::ChannelsLast), last);
    EXPECT_TRUE(torch::equal(half.images(), single.images().to(torch::kBFloat16)));
    EXPECT_TRUE(torch::equal(single.images().contiguous(),
                             plain_batch(dataset, dataset.train, 1, 4, torch::kFloat32, false).images()));
    EXPECT_TRUE(torch::equal(single.labels(), torch::arange(1, 5, torch::kInt64)));
  }
}

TEST(TrainLoader, EveryEpochVisitsEveryImageOnceInAnOrderOfItsOwn) {
  const Dataset dataset = made_dataset(100);
  TrainLoader loader(dataset, options_with(2));
  ASSERT_EQ(loader.steps_per_epoch(), 7);
  std::set<std::vector<std::int64_t>> orders;
  for (int epoch = 0; epoch < 4; ++epoch) {
    std::vector<std::int64_t> order;
    for (int step = 0; step < 7; ++step) {
      const Batch batch = loader.next();
      EXPECT_EQ(batch.labels().size(0), step == 6 ? 4 : 16);
      EXPECT_EQ(batch.images().size(0), batch.labels().size(0));
      for (std::int64_t i = 0; i < batch.labels().size(0); ++i)
        order.push_back(batch.labels()[i].item<std::int64_t>());
    }
    orders.insert(order);
    std::sort(order.begin(), order.end());
    for (std::int64_t i = 0; i < 100; ++i) ASSERT_EQ(order[static_cast<std::size_t>(i)], i);
  }
  EXPECT_EQ(orders.size(), 4U);
}

TEST(TrainLoader, BatchIsAFunctionOfSeedAndStepWhateverThePrefetch) {
  const Dataset dataset = made_dataset(100);
  TrainLoader reference(dataset, options_with(0));
  std::vector<Batch> batches;
  for (int step = 0; step < 20; ++step) batches.push_back(reference.next());
  for (const std::int64_t prefetch : {0, 1, 4}) {
    TrainLoader loader(dataset, options_with(prefetch));
    for (const int start : {0, 13, 5, 6}) {
      loader.seek(start);
      for (int step = start; step < std::min(start + 4, 20); ++step) {
        const Batch batch = loader.next();
        ASSERT_TRUE(torch::equal(batch.images(), batches[static_cast<std::size_t>(step)].images()))
            << prefetch << " " << step;
        ASSERT_TRUE(torch::equal(batch.labels(), batches[static_cast<std::size_t>(step)].labels()));
      }
    }
  }
  LoaderOptions other = options_with(0);
  other.seed = 4;
  EXPECT_FALSE(torch::equal(TrainLoader(dataset, other).next().labels(), batches[0].labels()));
}

// Offsets of -4 ... 4 and mirroring are equally likely: chi-square over 10,000 draws, fixed by the seed.
TEST(TrainLoader, CropsAreUniform) {
  std::map<std::uint64_t, int> offsets;
  int mirrored = 0;
  for (std::uint64_t image = 0; image < 10'000; ++image) {
    KeyedRandom random{1, 2, 0, image};
    ++offsets[random.below(9)];
    random.below(9);
    mirrored += static_cast<int>(random.below(2));
  }
  double chi_square = 0;
  for (std::uint64_t offset = 0; offset < 9; ++offset) {
    const double expected = 10'000.0 / 9;
    chi_square += (offsets[offset] - expected) * (offsets[offset] - expected) / expected;
  }
  EXPECT_LT(chi_square, 26.1);  // the 0.1 % point with 8 degrees of freedom
  EXPECT_NEAR(mirrored, 5000, 200);
}

TEST(TrainLoader, WithoutAugmentationImagesAreAsTheyAre) {
  const Dataset dataset = made_dataset(32);
  LoaderOptions options = options_with(2);
  options.augment = false;
  const Batch batch = TrainLoader(dataset, options).next();
  for (std::int64_t i = 0; i < 16; ++i) {
    const auto image = batch.labels()[i].item<std::int64_t>();
    EXPECT_TRUE(
        torch::equal(batch.images()[i],
                     plain_batch(dataset, dataset.train, image, 1, torch::kFloat32, false).images()[0]));
  }
}

TEST(TrainLoader, WrongOptionsAreRefused) {
  const Dataset dataset = made_dataset(8);
  LoaderOptions options = options_with(0);
  options.batch_size = 0;
  EXPECT_THROW(TrainLoader(dataset, options), InputError);
  options = options_with(0);
  options.dtype = torch::kFloat64;
  EXPECT_THROW(TrainLoader(dataset, options), InputError);
  EXPECT_THROW(plain_batch(dataset, dataset.train, 5, 4, torch::kFloat32, false), InputError);
}

TEST(TrainLoader, PartsOfAllRanksAreTheBatchesOfOneProcess) {
  // Last batches of 16, 1 and 5 images; more ranks than some have images.
  for (const std::int64_t images : {64, 33, 21}) {
    const Dataset dataset = made_dataset(images, 3, 8);
    LoaderOptions options = options_with(0);
    options.crop_padding = 1;
    TrainLoader whole(dataset, options);
    for (const int ranks : {1, 2, 3, 7}) {
      std::vector<std::unique_ptr<TrainLoader>> parts;
      options.ranks = ranks;
      for (options.rank = 0; options.rank < ranks; ++options.rank)
        parts.push_back(std::make_unique<TrainLoader>(dataset, options));
      options.rank = 0;
      whole.seek(0);
      std::multiset<std::int64_t> seen;
      for (std::int64_t step = 0; step < 2 * whole.steps_per_epoch(); ++step) {
        const Batch expected = whole.next();
        std::vector<Tensor> of_images, of_labels;
        std::int64_t most = 0, least = images;
        for (const auto& part : parts) {
          const Batch batch = part->next();
          most = std::max(most, batch.labels().size(0));
          least = std::min(least, batch.labels().size(0));
          of_images.push_back(batch.images());
          of_labels.push_back(batch.labels());
        }
        EXPECT_LE(most - least, 1);
        EXPECT_EQ(of_labels.front().size(0), most);
        ASSERT_TRUE(torch::equal(torch::cat(of_labels), expected.labels()));
        ASSERT_TRUE(torch::equal(torch::cat(of_images), expected.images()));
        EXPECT_EQ(whole.images_of(step), expected.labels().size(0));
        for (std::int64_t i = 0; i < expected.labels().size(0); ++i)
          seen.insert(expected.labels()[i].item<std::int64_t>());
      }
      for (std::int64_t image = 0; image < images; ++image) EXPECT_EQ(seen.count(image), 2U);
    }
  }
}

TEST(TrainLoader, RefusesARankThatDoesNotExist) {
  const Dataset dataset = made_dataset(20);
  for (const auto& [rank, ranks] : {std::pair(2, 2), std::pair(-1, 2), std::pair(0, 0)}) {
    LoaderOptions options = options_with(0);
    options.rank = rank;
    options.ranks = ranks;
    EXPECT_THROW(TrainLoader(dataset, options), InputError);
  }
}

/// Of normalised images of a made data set or a folder.
Tensor bytes_of(const Tensor& images, const Dataset& dataset) {
  const auto channels = images.size(1);
  const Tensor mean = torch::tensor(dataset.mean).view({1, channels, 1, 1});
  const Tensor stddev = torch::tensor(dataset.stddev).view({1, channels, 1, 1});
  return ((images * stddev + mean) * 255).round().to(torch::kUInt8).contiguous();
}

/// Without it the batch has the same crops, each of which is then changed by its image's and epoch's numbers.
void expect_trivial(const Dataset& dataset, LoaderOptions options, int rand_operators = 0) {
  options.flip = Flip::kNone;
  TrainLoader plain(dataset, options);
  options.trivial_augment = rand_operators == 0;
  options.rand_operators = rand_operators;
  options.rand_magnitude = 12;
  TrainLoader changed(dataset, options);
  std::vector<std::int64_t> order;
  for (std::int64_t step = 0; step < 2 * plain.steps_per_epoch(); ++step) {
    const std::int64_t epoch = step / plain.steps_per_epoch();
    if (step % plain.steps_per_epoch() == 0)
      order =
          random_order(dataset.train.size(), {options.seed, kForOrder, static_cast<std::uint64_t>(epoch)});
    const Batch before = plain.next(), after = changed.next();
    EXPECT_TRUE(torch::equal(before.labels(), after.labels()));
    Tensor bytes = bytes_of(before.images(), dataset);
    const std::int64_t height = bytes.size(2), width = bytes.size(3), area = height * width;
    for (std::int64_t i = 0; i < before.examples; ++i) {
      const auto image =
          order.at(static_cast<std::size_t>(step % plain.steps_per_epoch() * options.batch_size + i));
      ImageChange{options.trivial_augment, rand_operators, options.rand_magnitude}.apply_to(
          {bytes[i].data_ptr<std::uint8_t>(), bytes.size(1), height, width, area, 1},
          {options.seed, kForTrivialAugment, static_cast<std::uint64_t>(epoch),
           static_cast<std::uint64_t>(image)});
    }
    EXPECT_TRUE(torch::equal(bytes, bytes_of(after.images(), dataset))) << step;
  }
}

TEST(TrainLoader, TrivialAugmentChangesBytesAfterTheCrop) {
  expect_trivial(made_dataset(40), options_with(2));
  expect_trivial(made_dataset(40), options_with(2), 2);
  expect_trivial(made_dataset(40, 1, 28), options_with(0));
  LoaderOptions reflected = options_with(0);
  reflected.crop_reflects = true;
  reflected.channels_last = true;
  expect_trivial(made_dataset(40), reflected);
  const ImageFolder folder(9);
  Dataset images = load_dataset(folder.data());
  images.image_options.train_size = 40;
  LoaderOptions small = options_with(1);
  small.batch_size = 7;
  expect_trivial(images, small);
  expect_trivial(images, small, 3);
  LoaderOptions elsewhere = options_with(0);
  elsewhere.trivial_augment = elsewhere.by_operators = true;
  EXPECT_THROW(TrainLoader(made_dataset(40), elsewhere), InputError);
}

}  // namespace
}  // namespace glidepath
