// tests/compute/device_batches_test.cpp - batches on their way to the device; a GPU's are in tests/cuda/.
#include "compute/device_batches.h"

#include <gtest/gtest.h>
#include <torch/types.h>

namespace glidepath {
namespace {

TEST(DeviceBatches, AreTheLoadersOnTheCpu) {
  Dataset dataset;
  dataset.classes = 10;
  dataset.mean = {0.5F};
  dataset.stddev = {0.5F};
  dataset.train = {torch::randint(0, 256, {40, 1, 8, 8}, torch::kUInt8), torch::arange(40, torch::kInt64)};
  dataset.test = dataset.train;
  LoaderOptions options;
  options.batch_size = 16;
  options.crop_padding = 1;
  TrainLoader plain(dataset, options), other(dataset, options);
  DeviceBatches batches(other, torch::kCPU);
  Pace pace(torch::kCPU);
  for (int step = 0; step < 5; ++step) {
    const Batch expected = plain.next(), batch = batches.next();
    EXPECT_TRUE(torch::equal(batch.images(), expected.images()));
    EXPECT_TRUE(torch::equal(batch.labels(), expected.labels()));
    batches.prepare_next();
    pace.update_queued();
  }
  plain.seek(1);
  batches.seek(1);
  EXPECT_TRUE(torch::equal(batches.next().images(), plain.next().images()));
  const Batch batch = plain.next();
  EXPECT_EQ(on_device(batch, torch::kCPU).images().data_ptr(), batch.images().data_ptr()) << "no copy";
}

}  // namespace
}  // namespace glidepath
