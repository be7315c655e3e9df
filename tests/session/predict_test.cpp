// tests/session/predict_test.cpp - predictions against evaluations: the same images by another way.
#include "glidepath/predict.h"

#include <cmath>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <sys/stat.h>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include "data/image_folder.h"
#include "glidepath/dataset.h"
#include "glidepath/error.h"
#include "glidepath/evaluate.h"
#include "glidepath/train.h"
#include "loop/digits_run.h"
#include "support/temporary_folder.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

std::vector<Prediction> predictions_of(const fs::path& run, const std::vector<std::string>& images,
                                       const PredictOptions& options) {
  std::vector<Prediction> list;
  predict(run, images, options, [&](const Prediction& each) { list.push_back(each); });
  return list;
}

double probability_of(const Prediction& prediction, std::int64_t label) {
  for (const ClassProbability& one : prediction.classes) {
    if (one.label == label) return one.probability;
  }
  ADD_FAILURE() << prediction.image << " has no class " << label;
  return 1;
}

/// What the evaluation of a run says of the same images, which have these labels.
void expect_as_evaluated(const fs::path& run, const std::vector<Prediction>& predictions,
                         const std::vector<std::int64_t>& labels) {
  const EvaluationResult evaluated = evaluate_run(run).front();
  ASSERT_EQ(static_cast<std::int64_t>(predictions.size()), evaluated.images);
  double loss = 0, right = 0;
  for (std::size_t i = 0; i < predictions.size(); ++i) {
    const auto& classes = predictions[i].classes;
    ASSERT_EQ(classes.size(), evaluated.classes.size()) << predictions[i].problem;
    double sum = 0;
    for (std::size_t rank = 0; rank < classes.size(); ++rank) {
      sum += classes[rank].probability;
      if (rank > 0) {
        EXPECT_LE(classes[rank].probability, classes[rank - 1].probability);
      }
    }
    EXPECT_NEAR(sum, 1, 1e-9);
    loss -= std::log(probability_of(predictions[i], labels[i]));
    right += classes.front().label == labels[i] ? 1 : 0;
  }
  const auto count = static_cast<double>(predictions.size());
  EXPECT_NEAR(loss / count, evaluated.loss, 1e-6);
  EXPECT_DOUBLE_EQ(right / count, evaluated.accuracy);
}

class PredictTest : public testing::Test {
 protected:
  fs::path at(const std::string& name) const { return temporary_.path() / name; }
  fs::path trained(TrainConfig config) const {
    TrainOptions options;
    options.out = at("run");
    train(config, options);
    return options.out;
  }
  const TemporaryFolder temporary_{"predict"};
};

TEST_F(PredictTest, SmallImagesAsFiles) {
  TrainConfig config = digits_run("2ep");
  config.model = "convnet";
  config.width = 0.25;
  const fs::path run = trained(config);
  const Dataset digits = load_dataset("digits");
  std::vector<std::string> images;
  std::vector<std::int64_t> labels;
  for (std::int64_t i = 0; i < digits.test.size(); ++i) {
    images.push_back(at("image" + std::to_string(i)).string());  // PGM, whatever its name
    std::ofstream file(images.back(), std::ios::binary);
    file << "P5\n8 8\n255\n";
    file.write(reinterpret_cast<const char*>(digits.test.images[i].data_ptr<std::uint8_t>()), 64);
    labels.push_back(digits.test.labels[i].item<std::int64_t>());
  }
  PredictOptions options;
  options.top = 10;
  options.changes = {{"eval_batch_size", "100"}};  // of 359
  expect_as_evaluated(run, predictions_of(run, images, options), labels);

  options.top = 3;
  const Prediction first = predictions_of(run, {images.front()}, options).front();
  EXPECT_EQ(first.image, images.front());
  ASSERT_EQ(first.classes.size(), 3U);
  EXPECT_EQ(first.classes[0].name, std::to_string(first.classes[0].label));  // digits have no other names
}

TEST_F(PredictTest, ImageFolders) {
  ImageFolder folder(12);
  TrainConfig config;
  config.data = folder.data();
  config.model = "resnet8";
  config.width = 0.25;
  config.train_res = "32";
  config.budget = "6it";
  config.full = "10ep";
  config.batch_size = 8;
  config.base_lr = 0.05;
  config.precision = "fp32";
  config.threads = 2;
  config.eval_every = "end";
  const fs::path run = trained(config);
  const std::vector<std::string> images = images_at(folder.path() / "val");
  ASSERT_EQ(images.size(), 12U);
  std::vector<std::int64_t> labels;
  for (const std::string& image : images) labels.push_back(image.find("/dog/") == std::string::npos ? 0 : 1);
  PredictOptions options;
  options.top = 9;
  std::vector<Prediction> predictions = predictions_of(run, images, options);
  expect_as_evaluated(run, predictions, labels);
  EXPECT_THAT(predictions.front().classes.front().name, testing::AnyOf("cat", "dog"));

  // The data set is not needed, and one bad image does not keep the others from being looked at.
  fs::resize_file(images[1], 40);
  fs::remove(images[2]);
  fs::rename(folder.path() / "train", at("moved"));
  const std::vector<Prediction> some = predictions_of(run, images, options);
  ASSERT_EQ(some.size(), 12U);
  EXPECT_NE(some[1].problem, "");
  EXPECT_TRUE(some[1].classes.empty());
  EXPECT_THAT(some[2].problem, HasSubstr(images[2]));
  EXPECT_EQ(some[3].problem, "");
  EXPECT_EQ(some[3].classes[0].probability, predictions[3].classes[0].probability);

  fs::remove(run / "classes.json");
  EXPECT_THROW(predictions_of(run, images, options), InputError);
}

TEST_F(PredictTest, WhatIsNoRunOrNoImage) {
  EXPECT_THROW(predictions_of(at("none"), {"a.png"}, {}), InputError);
  fs::create_directories(at("empty/.hidden"));
  EXPECT_THROW(images_at(at("empty")), InputError);
  EXPECT_EQ(images_at(at("nothing.png")), (std::vector<std::string>{at("nothing.png").string()}));

  TrainConfig config = digits_run("3it");
  const fs::path run = trained(config);
  PredictOptions options;
  options.stop_signal = [] { return SIGTERM; };
  EXPECT_THROW(predictions_of(run, {"a.png"}, options), Interrupted);
  options.stop_signal = {};
  // A pipe that nobody writes, a folder, a text.
  ASSERT_EQ(::mkfifo(at("pipe.png").c_str(), 0600), 0);
  std::ofstream(at("text.png")) << "no picture";
  for (const Prediction& each : predictions_of(
           run, {at("pipe.png").string(), temporary_.path().string(), at("text.png").string()}, {}))
    EXPECT_NE(each.problem, "") << each.image;
}

}  // namespace
}  // namespace glidepath
