// tests/cuda/device_data_test.cpp - batches on a GPU are the loader's, however they get there.
#include <chrono>
#include <functional>
#include <thread>

#include "compute/device_batches.h"
#include "data/batches/augment.h"
#include "glidepath/loader.h"
#include "gpu.h"

namespace glidepath {
namespace {

Dataset made_dataset(std::int64_t images) {
  torch::manual_seed(7);
  Dataset dataset;
  dataset.classes = 10;
  dataset.mean = {0.4914F, 0.4822F, 0.4465F};
  dataset.stddev = {0.2470F, 0.2435F, 0.2616F};
  dataset.train = {torch::randint(0, 256, {images, 3, 32, 32}, torch::kUInt8),
                   torch::randint(0, 10, {images}, torch::kInt64)};
  dataset.test = dataset.train;
  return dataset;
}

Dataset on_gpu(Dataset dataset, const torch::Device& gpu) {
  dataset.train = {dataset.train.images.to(gpu), dataset.train.labels.to(gpu)};
  dataset.test = dataset.train;
  return dataset;
}

LoaderOptions options_of(torch::ScalarType dtype) {
  LoaderOptions options;
  options.batch_size = 64;
  options.seed = 3;
  options.dtype = dtype;
  options.channels_last = true;
  return options;
}

void expect_same(const Batch& there, const Batch& here) {
  EXPECT_TRUE(there.images().is_cuda());
  EXPECT_TRUE(there.labels().is_cuda());
  EXPECT_TRUE(there.images().is_contiguous(torch::MemoryFormat::ChannelsLast));
  ASSERT_TRUE(torch::equal(there.images().cpu(), here.images()));
  ASSERT_TRUE(torch::equal(there.labels().cpu(), here.labels()));
}

class DeviceData : public GpuTest {};

TEST_F(DeviceData, BatchesMadeOnTheGpuAreTheLoadersBitForBit) {
  const Dataset here = made_dataset(300), there = on_gpu(here, gpu());
  for (const auto dtype : {torch::kFloat32, torch::kBFloat16}) {
    TrainLoader expected(here, options_of(dtype)), made(there, options_of(dtype));
    for (int step = 0; step < 12; ++step) {
      SCOPED_TRACE(step);
      expect_same(made.next(), expected.next());
    }
    expect_same(plain_batch(there, there.test, 10, 50, dtype, true),
                plain_batch(here, here.test, 10, 50, dtype, true));
  }
}

TEST_F(DeviceData, CopiedBatchesAreTheLoaders) {
  const Dataset here = made_dataset(300);
  LoaderOptions pinned = options_of(torch::kFloat32);
  pinned.pin_memory = true;
  TrainLoader expected(here, options_of(torch::kFloat32)), source(here, pinned);
  EXPECT_TRUE(TrainLoader(here, pinned).next().images().is_pinned());
  DeviceBatches batches(source, gpu());
  for (int step = 0; step < 12; ++step) {
    SCOPED_TRACE(step);
    const Batch batch = batches.next();
    batches.prepare_next();
    // Work that is queued behind the next copy, so that memory given out too early would show.
    auto busy = torch::randn({512, 512}, gpu());
    for (int i = 0; i < 20; ++i) busy = busy.mm(busy).clamp(-1, 1);
    expect_same(batch, expected.next());
  }
  batches.seek(2);
  expected.seek(2);
  expect_same(batches.next(), expected.next());
}

TEST_F(DeviceData, TheHostStaysAtMostTwoUpdatesAhead) {
  const auto work = [&] {
    auto matrix = torch::randn({2048, 2048}, gpu());
    for (int i = 0; i < 50; ++i) matrix = matrix.mm(matrix).clamp(-1, 1);
  };
  work();
  torch::cuda::synchronize();
  const auto seconds_of = [](const std::function<void()>& action) {
    const auto begun = std::chrono::steady_clock::now();
    action();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  };
  const double one = seconds_of([&] {
    work();
    torch::cuda::synchronize();
  });
  Pace pace(gpu());
  for (int i = 0; i < 10; ++i) {
    work();
    pace.update_queued();
  }
  // Ten have been queued and eight are done: the rest takes no longer than three would.
  EXPECT_LT(seconds_of([] { torch::cuda::synchronize(); }), 3 * one + 0.1);
}

}  // namespace
}  // namespace glidepath
