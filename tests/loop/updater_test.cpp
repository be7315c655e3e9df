// tests/loop/updater_test.cpp - batches that pass in pieces.
#include "loop/updater.h"

#include <gtest/gtest.h>
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
  const auto task = make_task(config);
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

}  // namespace
}  // namespace glidepath
