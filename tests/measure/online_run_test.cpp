// tests/measure/online_run_test.cpp - instruments in real runs: what they record, and that runs do not
// notice.
#include <cmath>

#include <gmock/gmock.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/nn/functional/loss.h>

#include "glidepath/error.h"
#include "glidepath/loader.h"
#include "glidepath/models.h"
#include "measure/run_support.h"
#include "support/models.h"

namespace glidepath {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;

// At a learning rate that moves no weight: over many epochs the estimate is the exact norm, and the noise
// scale that of all single examples' gradients.
TEST_F(MeasuredRunTest, OnlineEstimateIsTheExactNormAtFixedWeights) {
  TrainConfig config = digits("mlp", "120ep", "grad-norm@points=1,grad-norm-online@points=1");
  config.full = "120ep";
  config.schedule = "const";
  config.base_lr = 1e-30;
  config.augment = false;
  train(config, options("a"));
  const auto lines = records("a", true);
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0].count("grad_norm_estimate"), 0U);  // no pair yet
  const double exact = std::pow(lines[1].at("grad_norm").get<double>(), 2);
  EXPECT_EQ(lines[0].at("grad_norm"), lines[1].at("grad_norm"));
  const double estimate = lines[1].at("grad_norm_squared_estimate"),
               error = lines[1].at("grad_norm_squared_error");
  EXPECT_LT(error, 0.03 * exact);
  EXPECT_NEAR(estimate, exact, 4 * error);
  EXPECT_NEAR(lines[1].at("grad_norm_estimate").get<double>(), std::sqrt(estimate), 1e-9);

  ModelOptions model_options;
  model_options.name = "mlp";
  model_options.width = 0.25;
  model_options.in_channels = 1;
  model_options.image_size = 8;
  const auto model = make_model(model_options);
  load_state_dict(*model, load_safetensors(folder_ / "a/model.safetensors"));
  const Dataset data = load_dataset("digits");
  const std::int64_t images = data.train.labels.size(0);
  double squares = 0;
  for (std::int64_t i = 0; i < images; ++i) {
    const Batch one = plain_batch(data, data.train, i, 1, torch::kFloat32, false);
    const auto loss = torch::nn::functional::cross_entropy(outputs_for(*model, one.images()), one.labels());
    for (const auto& gradient : torch::autograd::grad({loss}, model->parameters()))
      squares += gradient.pow(2).sum().item<double>();
  }
  const double n = static_cast<double>(images), trace = (squares - n * exact) / (n - 1);
  EXPECT_NEAR(lines[1].at("noise_scale").get<double>(), trace / exact, 0.05 * trace / exact);
}

TEST_F(MeasuredRunTest, ARunIsTheSameWithAndWithoutInstruments) {
  const std::string all =
      "grad-norm(bn=batch)@points=4,weight-norm@every=9it,effective-lr,grad-norm-online(peek=6)@points=4";
  for (const char* model : {"convnet", "resnet8"}) {
    for (const bool measured : {false, true}) {
      TrainConfig config = digits(model, "2ep", measured ? all : "");
      train(config, options(model + std::string(measured ? "-measured" : "-plain")));
    }
    const std::string plain = model + std::string("-plain"), with = model + std::string("-measured");
    EXPECT_EQ(records(plain, false), records(with, false));
    EXPECT_TRUE(text_of(folder_ / plain / "model.safetensors") ==
                text_of(folder_ / with / "model.safetensors"));
  }
}

TEST_F(MeasuredRunTest, RecordsAreAtTheirMomentsWithTheNextUpdatesRate) {
  // 46 updates: a point every 11.5.
  train(digits("mlp", "2ep", "weight-norm(layers=yes)@points=4,grad-norm@every=20it,effective-lr@every=50%"),
        options("a"));
  const auto lines = records("a", true);
  std::vector<std::int64_t> steps, gradients, rates;
  for (const json& line : lines) {
    const std::int64_t step = line.at("step");
    if (line.count("weight_norm") > 0) steps.push_back(step);
    if (line.count("grad_norm") > 0) gradients.push_back(step);
    if (line.count("effective_lr_median") > 0) rates.push_back(step);
    EXPECT_EQ(line.count("weight_norm"), line.count("weight_norms"));
    EXPECT_EQ(line.count("grad_norm"), line.count("train_loss_full"));
    EXPECT_NEAR(line.at("lr").get<double>(), 0.05 * (1 - static_cast<double>(step) / 46), 1e-15);
    EXPECT_EQ(line.at("progress").get<double>(), static_cast<double>(step) / 46);
    EXPECT_EQ(line.at("epoch").get<double>(), static_cast<double>(step) / 23);
  }
  EXPECT_THAT(steps, ElementsAre(0, 12, 23, 35, 46));
  EXPECT_THAT(gradients, ElementsAre(0, 20, 40, 46));
  EXPECT_THAT(rates, ElementsAre(0, 23, 46));
  double squares = 0;
  for (const auto& norm : lines[0].at("weight_norms")) squares += std::pow(norm.get<double>(), 2);
  EXPECT_NEAR(lines[0].at("weight_norm").get<double>(), std::sqrt(squares), 1e-12);
}

TEST_F(MeasuredRunTest, TwentyPointsAreTwentyOneRecordsAndFewUpdatesFewer) {
  train(digits("mlp", "100it", "weight-norm"), options("a"));
  EXPECT_EQ(records("a", true).size(), 21U);
  train(digits("mlp", "7it", "weight-norm"), options("b"));
  EXPECT_EQ(records("b", true).size(), 8U);
}

TEST_F(MeasuredRunTest, ByTheClockTheFirstAndTheLastAreMeasuredToo) {
  const TrainResult result = train(digits("mlp", "3s", "grad-norm@points=5,weight-norm"), options("a"));
  const auto lines = records("a", true);
  ASSERT_GE(lines.size(), 2U);
  EXPECT_EQ(lines.front().at("step"), 0);
  EXPECT_EQ(lines.front().at("lr"), 0.05);
  EXPECT_EQ(lines.back().at("step"), result.updates);
  EXPECT_GT(lines.back().at("grad_norm"), 0);
}

TEST_F(MeasuredRunTest, WithoutInstrumentsAMeasureIsRefusedBeforeAnythingIsWritten) {
  TrainOptions none;
  none.out = folder_ / "a";
  try {
    train(digits("mlp", "5it", "grad-norm"), none);
    FAIL();
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("glidepath/measure.h"));
  }
  EXPECT_FALSE(std::filesystem::exists(none.out));
}

}  // namespace
}  // namespace glidepath
