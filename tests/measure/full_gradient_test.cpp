// tests/measure/full_gradient_test.cpp - the exact gradient against PyTorch's Python and by brute force.
#include "measure/full_gradient.h"

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <unistd.h>

#include <ATen/Context.h>
#include <ATen/core/grad_mode.h>
#include <torch/nn/functional/loss.h>
#include <torch/nn/modules/batchnorm.h>

#include "glidepath/loader.h"
#include "measure/golden.h"
#include "support/models.h"
#include "support/python.h"

namespace glidepath {
namespace {

TEST(FullGradient, EqualsPyTorchsForEitherNormWithAndWithoutDecayAndSmoothing) {
  const auto norms = golden_norms();
  ASSERT_EQ(norms.at("cases").size(), 8U);
  for (const bool channels_last : {false, true}) {  // plain operators, and our own norm
    SCOPED_TRACE(channels_last);
    const auto model = small_resnet8(channels_last);
    load_state_dict(*model, load_safetensors(golden_weights()));
    expect_norms(*model, norms, channels_last);
  }
}

/// A Python with torch: the one that tests are given, or the system's.
std::string python_with_torch() {
  for (const std::string& python : {python_program(), std::string("/usr/bin/python3")}) {
    if (std::system(("'" + python + "' -c 'import torch, numpy' >/dev/null 2>&1").c_str()) == 0)
      return python;
  }
  return {};
}

// Weights without golden values: the file is written here and read there.
TEST(FullGradient, EqualsAPyTorchThatReadsTheSameFileNow) {
  const std::string python = python_with_torch();
  if (python.empty())
    GTEST_SKIP() << "needs a Python with torch and numpy (Debian: python3-torch python3-numpy)";
  at::manual_seed(7);
  const auto model = small_resnet8();
  {
    const at::NoGradGuard no_grad;
    for (torch::Tensor& parameter : model->parameters()) parameter.add_(0.1 * torch::randn_like(parameter));
    for (torch::Tensor& buffer : model->buffers()) {
      if (buffer.is_floating_point()) buffer.add_(torch::rand_like(buffer));
    }
  }
  std::string file = (std::filesystem::temp_directory_path() / "glidepath-weights-XXXXXX").string();
  const int descriptor = ::mkstemp(file.data());
  ASSERT_GE(descriptor, 0);
  ::close(descriptor);
  save_safetensors(file, state_dict(*model));
  const std::string command =
      "'" + python + "' '" GLIDEPATH_TEST_DATA "/measure/grad_norm.py' '" + file + "' </dev/null";
  std::FILE* pipe = ::popen(command.c_str(), "r");
  ASSERT_NE(pipe, nullptr);
  const auto norms = nlohmann::json::parse(pipe, nullptr, /*allow_exceptions=*/false);
  EXPECT_EQ(::pclose(pipe), 0);
  std::filesystem::remove(file);
  ASSERT_TRUE(norms.is_object());
  expect_norms(*model, norms, true);
}

std::shared_ptr<Model> tiny_mlp() {
  at::manual_seed(3);
  ModelOptions options;
  options.name = "mlp";
  options.width = 0.1;
  options.in_channels = 1;
  options.image_size = 8;
  return make_model(options);
}

/// The mean loss in double at weights w + step * along, for the mlp: written out here.
double loss_at(const Model& model, const Dataset& digits, const Tensors& along, double step) {
  const at::NoGradGuard no_grad;
  Tensors w;
  std::size_t i = 0;
  for (const auto& parameter : model.parameters())
    w.push_back(parameter.to(torch::kFloat64) + step * along[i++].reshape(parameter.sizes()));
  const auto batch =
      plain_batch(digits, digits.train, 0, digits.train.labels.size(0), torch::kFloat32, false);
  auto x = batch.images().to(torch::kFloat64).flatten(1);
  x = torch::relu(torch::addmm(w[1], x, w[0].t()));
  x = torch::relu(torch::addmm(w[3], x, w[2].t()));
  x = torch::addmm(w[5], x, w[4].t());
  return torch::nn::functional::cross_entropy(x, batch.labels()).item<double>();
}

// No autograd here: the slope of the loss along g*, from two evaluations in double, is its norm.
TEST(FullGradient, IsTheSlopeOfTheMeanLoss) {
  const auto model = tiny_mlp();
  const Dataset digits = load_dataset("digits");
  FullGradientOptions options;
  options.batch_size = 97;  // leaves a part
  const auto found = full_gradient(*model, digits, options, ComputePlan());
  Tensors along;
  for (const auto& gradient : found.gradients) along.push_back(gradient / found.norm);
  const double h = 1e-6;  // so small that hardly a ReLU changes sides
  const double slope = (loss_at(*model, digits, along, h) - loss_at(*model, digits, along, -h)) / (2 * h);
  EXPECT_NEAR(found.norm, slope, 1e-5 * slope);
  EXPECT_NEAR(found.mean_loss, loss_at(*model, digits, along, 0), 1e-6);
  // And of no other direction more: each coordinate's slope is that coordinate.
  for (std::size_t p = 0; p < along.size(); ++p) {
    Tensors one;
    for (const auto& gradient : found.gradients) one.push_back(torch::zeros_like(gradient));
    one[p][5] = 1;
    const double part = (loss_at(*model, digits, one, h) - loss_at(*model, digits, one, -h)) / (2 * h);
    EXPECT_NEAR(found.gradients[p][5].item<double>(), part, 1e-6) << "parameter " << p;
  }
}

TEST(FullGradient, WithoutBatchStatisticsIsTheMeanOfSingleExamplesGradients) {
  const auto model = small_resnet8();
  load_state_dict(*model, load_safetensors(golden_weights()));
  Dataset digits = load_dataset("digits");
  FullGradientOptions options;
  options.statistics = NormStatistics::kRunning;
  options.images = 60;
  options.batch_size = 16;
  const auto together = full_gradient(*model, digits, options, plan_for(true));
  EXPECT_EQ(together.examples, 60);
  options.batch_size = 1;
  const auto singly = full_gradient(*model, digits, options, plan_for(true));
  EXPECT_NEAR(together.norm, singly.norm, 1e-5 * singly.norm);
  options.statistics = NormStatistics::kBatch;
  options.batch_size = 16;  // the batches' statistics are another function
  EXPECT_GT(std::abs(full_gradient(*model, digits, options, plan_for(true)).norm / singly.norm - 1), 0.01);
}

// By backward() over one epoch of the training loader.
TEST(FullGradient, OfAugmentedImagesIsTheMeanOverAnEpochOfTrainingBatches) {
  Dataset digits = load_dataset("digits");
  digits.train.images = digits.train.images.narrow(0, 0, 300);
  digits.train.labels = digits.train.labels.narrow(0, 0, 300);
  const auto model = tiny_mlp();
  LoaderOptions like;
  like.seed = 11;
  like.crop_padding = 1;
  FullGradientOptions options;
  options.batch_size = like.batch_size = 64;
  options.augmented = like;
  const auto found = full_gradient(*model, digits, options, ComputePlan());

  TrainLoader loader(digits, like);
  double loss_sum = 0;
  for (std::int64_t step = 0; step < loader.steps_per_epoch(); ++step) {
    const Batch batch = loader.next();
    const auto loss = torch::nn::functional::cross_entropy(
        outputs_for(*model, batch.images()), batch.labels(),
        torch::nn::functional::CrossEntropyFuncOptions().reduction(torch::kSum));
    (loss / 300).backward();
    loss_sum += loss.item<double>();
  }
  double squared = 0;
  for (const auto& parameter : model->parameters())
    squared += parameter.grad().to(torch::kFloat64).square().sum().item<double>();
  EXPECT_NEAR(found.norm, std::sqrt(squared), 1e-5 * found.norm);
  EXPECT_NEAR(found.mean_loss, loss_sum / 300, 1e-5);
  options.augmented.reset();
  EXPECT_GT(std::abs(full_gradient(*model, digits, options, ComputePlan()).norm / found.norm - 1), 1e-3);
}

// As one batch of all images has them, which is another's to compute: the whole set in training mode.
TEST(FullGradient, WithFreshStatisticsIsThatOfAllImagesAtOnceButForTheirGradient) {
  const auto model = small_resnet8();
  load_state_dict(*model, load_safetensors(golden_weights()));
  Dataset digits = load_dataset("digits");
  FullGradientOptions options;
  options.images = 256;
  options.batch_size = 32;
  options.statistics = NormStatistics::kFresh;
  const auto found = full_gradient(*model, digits, options, plan_for(true));
  // The statistics by hand: running ones that a pass of all 32-image batches leaves with torch's cumulative
  // average.
  const auto network = small_network();
  const auto theirs = in_format(module_model(network), true);
  load_state_dict(*theirs, load_safetensors(golden_weights()));
  for (const auto& module : network->modules(false)) {
    if (auto* norm = module->as<torch::nn::BatchNorm2d>()) {
      norm->reset_running_stats();
      norm->options.momentum(c10::nullopt);
    }
  }
  {
    const at::NoGradGuard no_grad;
    PlainLoader loader(digits, digits.train, 0, 256, 32, torch::kFloat32, true);
    while (const auto batch = loader.next()) theirs->forward(batch->inputs);
  }
  options.statistics = NormStatistics::kRunning;
  const auto wanted = full_gradient(*theirs, digits, options, plan_for(true));
  EXPECT_NEAR(found.norm, wanted.norm, 1e-3 * wanted.norm);
  EXPECT_NEAR(found.mean_loss, wanted.mean_loss, 1e-4);
  EXPECT_GT(std::abs(full_gradient(*model, digits, options, plan_for(true)).norm / wanted.norm - 1), 0.01);
  double squares = 0;
  ASSERT_EQ(found.norms.size(), found.gradients.size());
  for (std::size_t i = 0; i < found.norms.size(); ++i) {
    EXPECT_NEAR(found.norms[i].second, found.gradients[i].norm().item<double>(), 1e-12);
    squares += found.norms[i].second * found.norms[i].second;
  }
  EXPECT_NEAR(std::sqrt(squares), found.norm, 1e-9);
  EXPECT_EQ(found.norms.front().first, "conv1.weight");
}

TEST(FullGradient, LeavesDecayOutOfNormsAndBiasesWhereTheRunDoes) {
  const auto model = tiny_mlp();
  const Dataset digits = load_dataset("digits");
  FullGradientOptions options;
  const auto plain = full_gradient(*model, digits, options, ComputePlan());
  options.weight_decay = 0.5;
  options.decay_norm_bias = false;
  const auto decayed = full_gradient(*model, digits, options, ComputePlan());
  std::size_t i = 0;
  for (const auto& parameter : model->parameters()) {
    const auto added = decayed.gradients[i] - plain.gradients[i];
    const auto expected =
        (parameter.dim() > 1 ? 0.5 : 0.0) * parameter.detach().flatten().to(torch::kFloat64);
    EXPECT_TRUE(torch::allclose(added, expected, 1e-9, 1e-9)) << i;
    ++i;
  }
}

TEST(FullGradient, ChangesNothingOfTheModelAndDrawsNothing) {
  for (const auto statistics : {NormStatistics::kBatch, NormStatistics::kRunning, NormStatistics::kFresh}) {
    const auto model = small_resnet8();
    load_state_dict(*model, load_safetensors(golden_weights()));
    model->train();
    for (torch::Tensor& parameter : model->parameters())
      parameter.mutable_grad() = torch::ones_like(parameter);
    TensorMap before;
    for (const auto& [name, tensor] : state_dict(*model)) before[name] = tensor.clone();
    const auto generator = at::globalContext().defaultGenerator(torch::kCPU).get_state().clone();
    FullGradientOptions options;
    options.statistics = statistics;
    const Dataset digits = load_dataset("digits");
    int batches = 0;
    const auto same = [&] {
      for (const auto& [name, tensor] : state_dict(*model))
        EXPECT_TRUE(torch::equal(tensor, before.at(name))) << name;
    };
    // Between two batches a signal may save a checkpoint.
    full_gradient(*model, digits, options, plan_for(true), [&] { same(), ++batches; });
    EXPECT_EQ(batches, statistics == NormStatistics::kFresh ? 24 : 12);  // ceil(1438 / 128), once or twice
    same();
    const auto stop = [&] {
      if (--batches == 5) throw std::runtime_error("stopped");
    };
    EXPECT_THROW(full_gradient(*model, digits, options, plan_for(true), stop), std::runtime_error);
    same();
    EXPECT_TRUE(model->is_training());
    for (auto& parameter : model->parameters())
      EXPECT_TRUE(torch::equal(parameter.grad(), torch::ones_like(parameter)));
    EXPECT_TRUE(torch::equal(at::globalContext().defaultGenerator(torch::kCPU).get_state(), generator));
  }
}

TEST(FullGradient, InBf16IsNear) {
  if (!cpu_has_bf16()) GTEST_SKIP() << "needs a CPU with bf16";
  const auto model = small_resnet8();
  load_state_dict(*model, load_safetensors(golden_weights()));
  const Dataset digits = load_dataset("digits");
  FullGradientOptions options;
  const double exact = full_gradient(*model, digits, options, plan_for(true)).norm;
  options.bf16 = true;
  const double rounded = full_gradient(*model, digits, options, plan_for(true)).norm;
  EXPECT_NEAR(rounded, exact, 0.02 * exact);
  EXPECT_NE(rounded, exact);
}

}  // namespace
}  // namespace glidepath
