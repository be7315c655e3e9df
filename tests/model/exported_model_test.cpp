// tests/model/exported_model_test.cpp - programs of torch.export, trained as Python trains the modules that
// they were made of (tests/data/golden/pt2/make_pt2.py).
#include "glidepath/exported_model.h"

#include <string>

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include "evaluation/forward.h"
#include "evaluation/fresh_statistics.h"
#include "glidepath/error.h"
#include "glidepath/optimizer.h"
#include "model/in_mode.h"

namespace glidepath {
namespace {

using testing::HasSubstr;

const std::string kPrograms = std::string(GLIDEPATH_TEST_DATA) + "/pt2/";

torch::Tensor loss_of(Model& model, const torch::Tensor& inputs, const torch::Tensor& targets) {
  if (model.inputs_wanted() == 2) return model.forward({inputs, targets}).front();
  return at::cross_entropy_loss(model.forward({inputs}).front().flatten(0, -2), targets.flatten());
}

/// The golden updates, from a file whose module was exported in whichever mode.
void make_updates(const std::string& file, const std::string& golden_file) {
  at::set_num_threads(1);
  const TensorMap golden = load_safetensors(kPrograms + golden_file + ".safetensors");
  const auto model = exported_model(kPrograms + file + ".pt2");
  OptimizerOptions options;
  options.weight_decay = 5e-4;
  options.decay_norm_bias = true;
  const auto optimizer = make_optimizer(options, named_parameters(*model));
  const torch::Tensor inputs = golden.at("inputs"), targets = golden.at("targets");
  model->train();
  for (std::int64_t i = 0; i < inputs.size(0); ++i) {
    SCOPED_TRACE(i);
    const torch::Tensor loss = loss_of(*model, inputs[i], targets[i]);
    const double expected = golden.at("losses")[i].item<double>();
    EXPECT_NEAR(loss.item<double>(), expected, 1e-5 * expected);
    optimizer->drop_gradients();
    loss.backward();
    optimizer->step(0.02);
  }
  std::size_t tensors = 0;
  const TensorMap after = state_dict(*model);
  for (const auto& [name, tensor] : golden) {
    if (name.rfind("after.", 0) != 0) continue;
    ++tensors;
    ASSERT_EQ(after.count(name.substr(6)), 1U) << name;
    EXPECT_TRUE(
        torch::allclose(after.at(name.substr(6)).to(torch::kFloat64), tensor.to(torch::kFloat64), 1e-5, 1e-6))
        << name;
  }
  EXPECT_EQ(after.size(), tensors);
  const InMode mode(*model, false);
  const at::NoGradGuard no_grad;
  const Values outputs =
      model->inputs_wanted() == 2 ? model->forward({inputs[0], targets[0]}) : model->forward({inputs[0]});
  EXPECT_TRUE(torch::allclose(outputs[outputs.size() == 1 ? 0 : 1], golden.at("outputs"), 1e-4, 1e-5));
  const torch::Tensor loss = loss_of(*model, inputs[0], targets[0]);
  EXPECT_NEAR(loss.item<double>(), golden.at("loss").item<double>(), 1e-4);
  for (const auto& [name, tensor] : state_dict(*model))  // evaluation changes nothing
    EXPECT_TRUE(torch::equal(tensor, after.at(name))) << name;
}

TEST(ExportedModel, AResNetMakesPyTorchsUpdates) { make_updates("resnet", "resnet"); }
TEST(ExportedModel, AVisionTransformerMakesPyTorchsUpdates) { make_updates("vit", "vit"); }
TEST(ExportedModel, ASmallGptWithATiedHeadMakesPyTorchsUpdates) { make_updates("gpt", "gpt"); }
TEST(ExportedModel, OneWithItsOwnLossMakesPyTorchsUpdates) { make_updates("mixed", "mixed"); }
TEST(ExportedModel, OneThatWasExportedInEvaluationModeMakesThemToo) { make_updates("mixed_eval", "mixed"); }

std::string refusal_of(Model& model, const Values& inputs) {
  try {
    model.forward(inputs);
  } catch (const InputError& error) {
    return error.what();
  }
  return "taken";
}

TEST(ExportedModel, InputsThatItDoesNotTakeAreTold) {
  const auto resnet = exported_model(kPrograms + "resnet.pt2");
  EXPECT_THAT(refusal_of(*resnet, {torch::zeros({2, 1, 32, 32})}),
              HasSubstr("resnet.pt2: its input \"x\" is Float ["));
  EXPECT_THAT(refusal_of(*resnet, {torch::zeros({2, 1, 32, 32})}),
              HasSubstr("and is given Float [2, 1, 32, 32]"));
  EXPECT_THAT(refusal_of(*resnet, {torch::zeros({2, 3, 32, 32}, torch::kInt64)}),
              HasSubstr("given Long [2, 3, 32"));
  EXPECT_THAT(refusal_of(*resnet, {torch::zeros({2, 3, 32, 32}), torch::zeros({2})}),
              HasSubstr("its forward takes 1 tensor (x), and is given 2"));
  const auto mixed = exported_model(kPrograms + "mixed.pt2");
  EXPECT_THAT(refusal_of(*mixed, {torch::zeros({2, 1, 8, 8})}),
              HasSubstr("its forward takes 2 tensors (x, targets), and is given 1"));
  EXPECT_THAT(refusal_of(*mixed, {torch::zeros({2, 1, 8, 8}), torch::full({2}, 77, torch::kInt64)}),
              HasSubstr("mixed.pt2: its aten.cross_entropy_loss.default of Float [2, 10], Long [2]"));
  const auto gpt = exported_model(kPrograms + "gpt.pt2");
  EXPECT_THAT(refusal_of(*gpt, {torch::zeros({2, 17}, torch::kInt64)}), HasSubstr("is given Long [2, 17]"));
}

// A whole batch, and the one example that may be left of a test set.
TEST(ExportedModel, TakesBatchesOfAnySize) {
  const auto model = exported_model(kPrograms + "vit.pt2");
  model->train(false);
  const at::NoGradGuard no_grad;
  const torch::Tensor images = torch::randn({3, 3, 16, 16});
  const torch::Tensor all = model->forward({images}).front();
  EXPECT_TRUE(
      torch::allclose(model->forward({images.narrow(0, 2, 1)}).front(), all.narrow(0, 2, 1), 1e-4, 1e-5));
}

TEST(ExportedModel, TiedWeightsAreOne) {
  const auto model = exported_model(kPrograms + "gpt.pt2");
  const TensorMap state = state_dict(*model);
  EXPECT_EQ(state.count("embedding.weight"), 1U);
  EXPECT_EQ(state.count("head.weight"), 0U);
  EXPECT_EQ(state.count("places"), 0U);  // of no state_dict
}

TEST(ExportedModel, FrozenNormsStayAsTheyAre) {
  const auto model = exported_model(kPrograms + "mixed.pt2");
  ASSERT_EQ(model->running_statistics().size(), 1U);
  freeze(*model, {"norm.*"});
  model->hold_frozen_norms();
  model->train();
  EXPECT_TRUE(model->running_statistics().empty());
  const torch::Tensor mean = state_dict(*model).at("norm.running_mean").clone();
  model->forward({torch::randn({4, 1, 8, 8}), torch::zeros({4}, torch::kInt64)});
  EXPECT_TRUE(torch::equal(state_dict(*model).at("norm.running_mean"), mean));
  EXPECT_EQ(state_dict(*model).at("norm.num_batches_tracked").item<int>(), 0);
  EXPECT_EQ(state_dict(*model).at("seen").item<float>(), 1);  // the rest is in training
}

// The mean over all batches, as their statistics are estimated anew after training.
TEST(ExportedModel, HasFreshStatistics) {
  const auto model = exported_model(kPrograms + "mixed.pt2");
  model->train();
  const auto norms = model->running_statistics();
  ASSERT_EQ(norms.size(), 1U);
  EXPECT_EQ(norms[0].momentum, 0.1);
  const torch::Tensor images = torch::randn({2, 4, 1, 8, 8}), before = norms[0].mean.clone();
  FreshStatistics fresh(*model);
  for (std::int64_t i = 0; i < 2; ++i)
    fresh.add(Batch(images[i], torch::zeros({4}, torch::kInt64)), ComputePlan());
  const TensorMap state = state_dict(*model);
  const torch::Tensor out =
      at::conv2d(images.flatten(0, 1), state.at("conv.weight"), state.at("conv.bias"), 1, 1);
  EXPECT_TRUE(torch::allclose(norms[0].mean, out.mean({0, 2, 3}), 1e-4, 1e-5));
}

TEST(ExportedModel, ItsCostIsThatOfItsOperators) {
  const auto model = exported_model(kPrograms + "mixed.pt2");
  const Cost cost = watched_cost(*model, {torch::zeros({2, 1, 8, 8}), torch::zeros({2}, torch::kInt64)}, 2);
  EXPECT_EQ(cost.forward, 2.0 * 6 * 9 * 64 + 2 * 2.0 * 6 * 64 + 2.0 * 6 * 10);  // convolution, norms, linear
}

TEST(ExportedModel, IsComputedInBfloat16UnderAutocastAndInAnyMemoryFormat) {
  const auto model = exported_model(kPrograms + "resnet.pt2");
  model->train(false);
  const at::NoGradGuard no_grad;
  const torch::Tensor images = torch::randn({4, 3, 32, 32});
  const torch::Tensor plain = model->forward({images}).front();
  const torch::Tensor last = model->forward({images.contiguous(torch::MemoryFormat::ChannelsLast)}).front();
  EXPECT_TRUE(torch::allclose(plain, last, 1e-4, 1e-5));
  ComputePlan plan;
  plan.bf16 = true;
  const torch::Tensor rounded = outputs_of(*model, {images}, plan).front();
  EXPECT_FALSE(torch::equal(rounded, plain));
  EXPECT_TRUE(torch::allclose(rounded, plain, 0.1, 0.1));
}

}  // namespace
}  // namespace glidepath
