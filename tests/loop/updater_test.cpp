// tests/loop/updater_test.cpp - batches that pass in pieces.
#include "loop/updater.h"

#include <utility>

#include <gtest/gtest.h>
#include <torch/nn/modules/conv.h>
#include <torch/types.h>

#include "glidepath/dataset.h"
#include "glidepath/models.h"
#include "glidepath/safetensors.h"
#include "glidepath/train.h"
#include "loop/digits_run.h"
#include "setup/run_setup.h"
#include "support/same_weights.h"
#include "support/temporary_folder.h"

namespace glidepath {
namespace {

// PyTorch's accumulation, batch norm by pieces too.
TEST(MicroBatch, IsPyTorchsAccumulation) {
  const TensorMap golden = load_safetensors(GLIDEPATH_TEST_DATA "/nn/accumulation.safetensors");
  ModelOptions options;
  options.name = "resnet8";
  options.width = 0.25;
  options.classes = 3;
  options.image_size = 12;
  const auto model = make_model(options);
  TensorMap before;
  for (const auto& [name, tensor] : golden) {
    if (name.rfind("before.", 0) == 0) before[name.substr(7)] = tensor;
  }
  load_state_dict(*model, before);
  TrainConfig config = digits_run("4it");
  config.micro_batch = 3;
  config.device = "cpu";
  config.conv = "library";
  const ComputePlan plan = plan_compute(config);
  Ranks alone(nullptr, {});
  const Dataset digits = load_dataset("digits", "");
  DataWatch watch(digits, {}, {});
  const auto task = make_classification();
  const auto optimizer = make_optimizer(config, named_parameters(*model));
  Updater updater(config, plan, alone, watch, *model, *task, *optimizer, {});
  model->train();
  for (std::int64_t step = 0; step < 4; ++step) {
    updater.begin();
    const Batch batch(golden.at("images")[step], golden.at("labels")[step]);
    const Applied done = updater.apply(batch, 8, step, 0.05, [](double) { return 0.05; });
    EXPECT_NEAR(done.loss.item<double>(), golden.at("losses")[step].item<double>(), 2e-5);
    EXPECT_EQ(done.images, 8);
  }
  for (const auto& [name, tensor] : state_dict(*model)) {
    EXPECT_TRUE(torch::allclose(tensor.to(torch::kFloat64), golden.at("after." + name).to(torch::kFloat64),
                                1e-3, 1e-5))
        << name;
  }
}

// Without batch norm the pieces make the update that the whole batch makes, and budgets count updates.
TEST(MicroBatch, IsTheWholeBatchWithoutBatchNorm) {
  const TemporaryFolder temporary("micro");
  TrainConfig config = digits_run("30it");
  config.mixup = 0.2;
  const auto run = [&](std::int64_t micro, const std::string& name) {
    config.micro_batch = micro;
    TrainOptions options;
    options.out = temporary.path() / name;
    EXPECT_EQ(train(config, options).updates, 30);
    return options.out;
  };
  const auto whole = run(0, "whole"), pieces = run(7, "pieces"), all = run(64, "all");
  expect_same_weights(whole, all);
  const TensorMap a = load_safetensors(whole / "model.safetensors"),
                  b = load_safetensors(pieces / "model.safetensors");
  for (const auto& [name, tensor] : a) {
    EXPECT_TRUE(torch::allclose(tensor, b.at(name), 1e-4, 1e-5)) << name;
    EXPECT_FALSE(torch::equal(tensor, b.at(name))) << name;
  }
}

// Pieces weigh by the pixels that have a class, of which one may have none.
TEST(MicroBatch, PiecesOfMasksWeighByTheirPixels) {
  const auto update = [](std::int64_t micro_batch) {
    TrainConfig config = digits_run("1it");
    config.micro_batch = micro_batch;
    at::manual_seed(11);
    const torch::Tensor images = torch::randn({6, 2, 4, 4}), draw = torch::rand({6, 4, 4});
    torch::Tensor masks = torch::randint(0, 3, {6, 4, 4}, torch::kInt64);
    for (std::int64_t i = 0; i < 6; ++i) masks[i].masked_fill_(draw[i] < 0.2 * static_cast<double>(i), 9);
    masks[4].fill_(9);
    masks[5].fill_(9);
    const auto model = module_model(torch::nn::Conv2d(torch::nn::Conv2dOptions(2, 3, 1)).ptr());
    const ComputePlan plan = plan_compute(config);
    Ranks alone(nullptr, {});
    const Dataset digits = load_dataset("digits", "");
    DataWatch watch(digits, {}, {});
    const auto task = make_segmentation(3, 9);
    const auto optimizer = make_optimizer(config, named_parameters(*model));
    Updater updater(config, plan, alone, watch, *model, *task, *optimizer, {});
    updater.begin();
    const Applied done = updater.apply(Batch(images, masks), 6, 0, 0.5, [](double) { return 0.5; });
    EXPECT_EQ(done.terms, masks.ne(9).sum().item<std::int64_t>());
    return std::pair(done.loss.item<double>(), model->parameters().front().detach().clone());
  };
  const auto [whole_loss, whole] = update(0);
  const auto [loss, pieces] = update(2);
  EXPECT_NEAR(loss, whole_loss, 1e-6);
  EXPECT_TRUE(torch::allclose(pieces, whole, 1e-5, 1e-6));
}

}  // namespace
}  // namespace glidepath
