// tests/data/batches/augment_operators_test.cpp - batches made by torch's operators are the loader's, bit for
// bit.
#include "data/batches/augment_operators.h"

#include <ATen/Context.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include "glidepath/loader.h"

namespace glidepath {
namespace {

Dataset made_dataset(std::int64_t images, std::int64_t channels, std::int64_t height, std::int64_t width) {
  at::manual_seed(7);
  Dataset dataset;
  dataset.classes = 10;
  for (std::int64_t c = 0; c < channels; ++c) {
    dataset.mean.push_back(0.45F + 0.01F * static_cast<float>(c));
    dataset.stddev.push_back(0.25F - 0.01F * static_cast<float>(c));
  }
  dataset.train = {torch::randint(0, 256, {images, channels, height, width}, torch::kUInt8),
                   torch::randint(0, 10, {images}, torch::kInt64)};
  dataset.test = dataset.train;
  return dataset;
}

TEST(OperatorAugment, WritesWhatTheNormaliserWrites) {
  const Dataset dataset = made_dataset(5, 3, 9, 12);
  std::vector<Crop> crops;
  for (const int top : {-4, -1, 0, 4}) {
    for (const int left : {-4, 0, 3}) {
      for (const bool mirrored : {false, true}) {
        crops.push_back({static_cast<std::int64_t>(crops.size()) % 5, top, left, mirrored});
      }
    }
  }
  const OperatorAugment single(dataset, dataset.train, torch::kFloat32, false);
  auto reflected = torch::empty({static_cast<std::int64_t>(crops.size()), 3, 9, 12});
  Normaliser(dataset).write(dataset.train.images, crops, reflected, Beyond::kReflected);
  EXPECT_TRUE(torch::equal(single.images(crops, Beyond::kReflected), reflected));
  // Windows that lie in the padding alone.
  crops.push_back({1, 9, 0, false});
  crops.push_back({2, 0, -12, true});
  for (const auto dtype : {torch::kFloat32, torch::kBFloat16}) {
    for (const bool last : {false, true}) {
      const auto format = last ? torch::MemoryFormat::ChannelsLast : torch::MemoryFormat::Contiguous;
      auto expected = torch::empty({static_cast<std::int64_t>(crops.size()), 3, 9, 12},
                                   torch::TensorOptions().dtype(dtype).memory_format(format));
      Normaliser(dataset).write(dataset.train.images, crops, expected);
      const OperatorAugment operators(dataset, dataset.train, dtype, last);
      const torch::Tensor images = operators.images(crops);
      EXPECT_EQ(images.scalar_type(), dtype);
      EXPECT_TRUE(images.is_contiguous(format));
      EXPECT_TRUE(torch::equal(images, expected)) << dtype << " channels_last " << last;
    }
  }
}

TEST(OperatorAugment, MakesTheLoadersBatches) {
  for (const std::int64_t channels : {1, 3}) {
    for (const bool augment : {false, true}) {
      const Dataset dataset = made_dataset(50, channels, 32, 32);
      LoaderOptions options;
      options.batch_size = 16;
      options.seed = 11;
      options.augment = augment;
      options.channels_last = true;
      LoaderOptions by_operators = options;
      by_operators.by_operators = true;
      TrainLoader one(dataset, options), other(dataset, by_operators);
      for (int step = 0; step < 9; ++step) {  // over two epochs, with their small last batches
        SCOPED_TRACE(testing::Message()
                     << channels << " channels, augment " << augment << ", batch " << step);
        const Batch expected = one.next(), batch = other.next();
        ASSERT_TRUE(torch::equal(batch.images(), expected.images()));
        ASSERT_TRUE(torch::equal(batch.labels(), expected.labels()));
      }
      one.seek(2);
      other.seek(2);
      EXPECT_TRUE(torch::equal(other.next().images(), one.next().images()));
    }
  }
}

}  // namespace
}  // namespace glidepath
