// tests/session/own_data_run_test.cpp - runs on files of one's own with the networks that are built in.
#include <cmath>
#include <csignal>
#include <fstream>

#include <ATen/Context.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/nn/functional/loss.h>
#include <torch/types.h>

#include "data/formats/label_png.h"
#include "glidepath/error.h"
#include "glidepath/evaluate.h"
#include "glidepath/examples.h"
#include "glidepath/experiment.h"
#include "glidepath/models.h"
#include "glidepath/predict.h"
#include "glidepath/safetensors.h"
#include "loop/digits_run.h"
#include "setup/held_out.h"
#include "support/files.h"
#include "support/mask_set.h"
#include "support/temporary_folder.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

using testing::HasSubstr;
using torch::Tensor;

/// Cross entropy of logits whose classes are dimension `dimension`.
std::shared_ptr<const Task> cross_entropy_over(std::int64_t dimension) {
  return make_task([dimension](const Values& outputs, const Batch& batch) {
    return torch::nn::functional::cross_entropy(
        outputs[0].transpose(1, dimension), batch.targets[0],
        torch::nn::functional::CrossEntropyFuncOptions().ignore_index(255));
  });
}

class OwnDataRun : public testing::Test {
 protected:
  OwnDataRun() : temporary_("own-data"), folder_(temporary_.path()) {}

  /// The name of a data set whose first `train` rows are trained on.
  std::string written(const Tensor& inputs, const Tensor& targets, std::int64_t train) const {
    const std::int64_t test = inputs.size(0) - train;
    const fs::path file = folder_ / "set.safetensors";
    save_safetensors(file, {{"train.inputs", inputs.narrow(0, 0, train)},
                            {"train.targets", targets.narrow(0, 0, train)},
                            {"test.inputs", inputs.narrow(0, train, test)},
                            {"test.targets", targets.narrow(0, train, test)}});
    return "tensors:" + file.string();
  }
  TrainConfig config(const std::string& data, const std::string& model, const std::string& budget) const {
    TrainConfig config = digits_run(budget);
    config.data = data;
    config.model = model;
    config.batch_size = 8;
    return config;
  }
  /// A text in which each letter says which is next.
  std::string letters() const {
    std::ofstream out(folder_ / "text.txt");
    for (int i = 0; i < 3000; ++i) out << static_cast<char>('a' + i % 26);
    return "tokens:" + (folder_ / "text.txt").string();
  }
  std::string refusal(const TrainConfig& config) const {
    try {
      train(config);
    } catch (const InputError& error) {
      return error.what();
    }
    return "";
  }
  TrainOptions into(const std::string& name) const {
    TrainOptions options;
    options.out = folder_ / name;
    return options;
  }

  TemporaryFolder temporary_;
  fs::path folder_;
};

TEST_F(OwnDataRun, AnMlpLearnsLabelsOfTensors) {
  at::manual_seed(1);
  const Tensor labels = torch::arange(400, torch::kInt64) % 4;
  Tensor inputs = torch::randn({400, 6});
  inputs.scatter_add_(1, labels.unsqueeze(1), torch::full({400, 1}, 4.F));
  TrainConfig run = config(written(inputs, labels, 300), "mlp", "5ep");
  run.val = "40";
  run.train_limit = 256;
  run.test_limit = 90;
  run.batch_size = 16;
  const TrainResult result = train(run, into("a"));
  EXPECT_EQ(result.updates, 5 * 16);
  EXPECT_GT(result.test_accuracy, 0.9);
  EXPECT_EQ(evaluate_run(folder_ / "a").front().images, 90);
  run.model = "resnet18";
  EXPECT_EQ(
      refusal(run),
      "model \"resnet18\": takes images float32 [C, H, H] with labels or numbers; the examples of data \"" +
          run.data +
          "\" are float32 [6] with int64 []; programs give others a model, "
          "Experiment::model");
  run.model = "mlp";
  run.batch_size = 257;
  EXPECT_THAT(refusal(run), HasSubstr("batch_size \"257\": must be at most the 256 training"));
}

TEST_F(OwnDataRun, AGptLearnsTheNextLetterAndGoesOnToTheSameBits) {
  Experiment experiment;
  experiment.config = config(letters(), "gpt", "60it");
  experiment.config.context = 16;
  experiment.config.width = 0.25;
  experiment.config.optimizer = "adamw";
  experiment.config.base_lr = 0.01;
  experiment.task = cross_entropy_over(2);
  const TrainResult result = train(experiment, into("whole"));
  EXPECT_LT(result.test_loss, 0.1 * std::log(26.0));
  TrainOptions options = into("parts");
  options.stop_signal = [left = 25]() mutable { return left-- > 0 ? 0 : SIGTERM; };
  EXPECT_THROW(train(experiment, options), Interrupted);
  options = into("parts");
  options.resume = true;
  train(experiment, options);
  EXPECT_TRUE(text_of(folder_ / "whole/model.safetensors") == text_of(folder_ / "parts/model.safetensors"));
  EXPECT_EQ(
      refusal(config(experiment.config.data, "unet", "1it")),
      "model \"unet\": takes images float32 [C, H, W] with masks int64 [H, W]; the examples of data \"" +
          experiment.config.data +
          "\" are int64 [128] with int64 [128]; programs give others a model, Experiment::model");
}

TEST_F(OwnDataRun, HeldOutTokensAreTheEndOfTheTextAndNoPartOfTraining) {
  DataChoice choice;
  choice.context = 10;
  Dataset set = load_dataset(letters(), {}, choice);  // 2700 tokens to train on, 269 examples
  hold_out(set, "20");
  EXPECT_EQ(set.val.size(), 20);
  EXPECT_EQ(set.train.size(), 248);
  const auto position = [](const Batch& batch) { return batch.inputs[0][0][0].item<std::int64_t>(); };
  EXPECT_EQ(position(set.val.examples->batch({{0}, false, 0, 0})), 2490 % 26);
  EXPECT_EQ(position(set.val.examples->batch({{19}, false, 0, 0})), 2680 % 26);
  EXPECT_EQ(position(set.train.examples->batch({{247}, false, 0, 0})), 2470 % 26);
}

TEST_F(OwnDataRun, AUnetLearnsWhichHalfIsBright) {
  at::manual_seed(1);
  const Tensor masks = torch::rand({40, 1, 1, 1}).gt(0.5).to(torch::kInt64).repeat({1, 1, 20, 24});
  Tensor labels = masks.squeeze(1).clone();
  labels.narrow(2, 12, 12).mul_(-1).add_(1);  // the other half is the other class
  labels.narrow(1, 0, 2).fill_(255);
  const Tensor images = (labels.clamp_max(1).unsqueeze(1).repeat({1, 3, 1, 1}) * 100 +
                         torch::randint(100, {40, 3, 20, 24}, torch::kInt64))
                            .to(torch::kUInt8);
  Experiment experiment;
  experiment.config = config(written(images, labels, 32), "unet", "40it");
  experiment.config.width = 0.0625;
  experiment.config.base_lr = 0.1;
  experiment.task = cross_entropy_over(1);
  EXPECT_LT(train(experiment, into("a")).test_loss, 0.3 * std::log(2.0));
  experiment.config.test_augment = "flip";
  EXPECT_THROW(train(experiment), InputError);
}

// LibTorch 1.13's gradients in bfloat16 are no numbers for such wide pictures.
TEST_F(OwnDataRun, AUnetTrainsOnWidePicturesInBfloat16) {
  at::manual_seed(1);
  const Tensor images = torch::randint(256, {6, 3, 48, 256}, torch::kInt64).to(torch::kUInt8);
  const Tensor masks = images.select(1, 0).gt(128).to(torch::kInt64);
  Experiment experiment;
  experiment.config = config(written(images, masks, 4), "unet", "4it");
  experiment.config.width = 0.125;
  experiment.config.batch_size = 2;
  experiment.task = cross_entropy_over(1);
  double loss[2];
  for (const char* precision : {"fp32", "bf16"}) {
    experiment.config.precision = precision;
    loss[precision[0] == 'b'] = train(experiment).test_loss;
  }
  EXPECT_NEAR(loss[1], loss[0], 0.05);
}

std::vector<Prediction> predictions_of(const fs::path& run, const std::vector<std::string>& given,
                                       const PredictOptions& options) {
  std::vector<Prediction> list;
  predict(run, given, options, [&](const Prediction& each) { list.push_back(each); });
  return list;
}

TEST_F(OwnDataRun, PredictGoesOnWithAText) {
  Experiment experiment;
  experiment.config = config(letters(), "gpt", "80it");
  experiment.config.context = 16;
  experiment.config.width = 0.25;
  experiment.config.optimizer = "adamw";
  experiment.config.base_lr = 0.01;
  experiment.task = cross_entropy_over(2);
  train(experiment, into("a"));
  fs::remove(folder_ / "text.txt");  // the run's folder is all that is needed
  PredictOptions options;
  options.tokens = 40;
  options.temperature = 0;
  const auto found = predictions_of(folder_ / "a", {"abc", "xyz", "", "ab!"}, options);
  ASSERT_EQ(found.size(), 4U);
  EXPECT_EQ(found[0].text, "defghijklmnopqrstuvwxyzabcdefghijklmnopq");
  EXPECT_EQ(found[1].text, "abcdefghijklmnopqrstuvwxyzabcdefghijklmn");
  EXPECT_EQ(found[2].problem, "is empty; a continuation needs a beginning");
  EXPECT_EQ(found[3].problem, "byte 2 begins a character that the text of the run has not");
  options.temperature = 20;  // nearly any character; the same ones for the same seed
  const std::string drawn = predictions_of(folder_ / "a", {"abc"}, options)[0].text;
  EXPECT_NE(drawn, found[0].text);
  EXPECT_EQ(predictions_of(folder_ / "a", {"abc"}, options)[0].text, drawn);
  options.changes = {{"seed", "7"}};
  EXPECT_NE(predictions_of(folder_ / "a", {"abc"}, options)[0].text, drawn);
}

TEST_F(OwnDataRun, PredictLabelsEveryPixel) {
  const fs::path masks = fs::path(GLIDEPATH_TEST_DATA) / "own/masks";
  write_mask_set(folder_ / "set");
  Experiment experiment;
  experiment.config = config("segmentation:" + (folder_ / "set").string(), "unet", "5it");
  experiment.config.width = 0.0625;
  experiment.config.batch_size = 1;
  experiment.task = cross_entropy_over(1);
  train(experiment, into("a"));
  const Dataset set = load_dataset(experiment.config.data);
  ModelOptions made;
  made.name = "unet";
  made.width = 0.0625;
  made.classes = 7;
  const auto model = make_model(made);
  load_state_dict(*model, load_safetensors(folder_ / "a/model.safetensors"));
  model->train(false);
  const Tensor expected = model->forward(set.test.examples->batch({{0}, false, 0, 0}).inputs)[0].argmax(1)[0];
  PredictOptions options;
  EXPECT_THROW(predictions_of(folder_ / "a", {"x.png"}, options), InputError);
  options.masks = (folder_ / "out").string();
  const std::string picture = (masks / "picture.png").string();
  const auto found = predictions_of(folder_ / "a", {picture, picture, "none.png"}, options);
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found[0].mask, (folder_ / "out/picture.png").string());
  EXPECT_THAT(found[1].problem, HasSubstr("its mask would have the name of that of"));
  EXPECT_THAT(found[2].problem, HasSubstr("none.png: "));
  const std::string bytes = text_of(folder_ / "out/picture.png");
  std::vector<unsigned char> labels;
  const ImageSize size =
      decode_label_png(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), labels);
  ASSERT_EQ(size.width, 37);
  ASSERT_EQ(size.height, 23);
  int wrong = 0;
  for (std::size_t i = 0; i < labels.size(); ++i)
    wrong += labels[i] == expected.flatten()[static_cast<std::int64_t>(i)].item<std::int64_t>() ? 0 : 1;
  EXPECT_LE(wrong, 2);  // ties of sums in another order
}

TEST_F(OwnDataRun, NetworksForOthersRefuseLabelledImages) {
  EXPECT_EQ(refusal(config("digits", "gpt", "1it")),
            "model \"gpt\": takes tokens int64 [T] with the next ones, int64 [T]; the examples of data "
            "\"digits\" are "
            "images with a label each");
  EXPECT_THAT(refusal(config("digits", "unet", "1it")), HasSubstr("are images with a label each"));
}

}  // namespace
}  // namespace glidepath
