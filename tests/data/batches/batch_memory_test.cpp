// tests/data/batches/batch_memory_test.cpp - batches of encoded images use the memory of earlier ones, and
// never that of a batch which somebody holds.
#include <filesystem>
#include <fstream>
#include <set>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include "data/formats/encode_jpeg.h"
#include "glidepath/loader.h"
#include "support/temporary_folder.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

class BatchMemory : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* split : {"train", "val"}) {
      for (const char* name : {"one", "two"}) fs::create_directories(folder_ / split / name);
      for (int i = 0; i < 24; ++i) {
        const std::vector<unsigned char> pixels(40 * 40 * 4, static_cast<unsigned char>(10 * i));
        const std::vector<unsigned char> jpeg = encode_jpeg(pixels.data(), 40, 40, 90);
        std::ofstream(folder_ / split / (i < 12 ? "one" : "two") / fmt::format("{}.jpg", i), std::ios::binary)
            .write(reinterpret_cast<const char*>(jpeg.data()), static_cast<std::streamsize>(jpeg.size()));
      }
    }
    dataset_ = load_dataset("imagefolder:" + folder_.string());
    dataset_.image_options.train_size = 32;
    dataset_.image_options.workers = 2;
    options_.batch_size = 6;
  }

  const TemporaryFolder temporary_{"memory"};
  const fs::path& folder_ = temporary_.path();
  Dataset dataset_;
  LoaderOptions options_;
};

TEST_F(BatchMemory, IsThatOfBatchesWhichNobodyHolds) {
  TrainLoader loader(dataset_, options_);
  std::set<const void*> places;
  for (int i = 0; i < 40; ++i) places.insert(loader.next().images().data_ptr());
  EXPECT_LE(places.size(), 6U);
}

TEST_F(BatchMemory, StaysUntouchedWhileABatchOrAViewOfItIsHeld) {
  TrainLoader loader(dataset_, options_);
  const torch::Tensor held = loader.next().images(), view = loader.next().images().narrow(0, 2, 1);
  const torch::Tensor held_then = held.clone(), view_then = view.clone();
  for (int i = 0; i < 40; ++i) loader.next();
  EXPECT_TRUE(held.equal(held_then));
  EXPECT_TRUE(view.equal(view_then));
}

}  // namespace
}  // namespace glidepath
