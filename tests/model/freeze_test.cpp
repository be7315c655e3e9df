// tests/model/freeze_test.cpp - models that begin with another's weights, and parts of them that stay.
#include <algorithm>
#include <set>
#include <string>

#include <gtest/gtest.h>
#include <torch/types.h>

#include "glidepath/error.h"
#include "glidepath/models.h"
#include "glidepath/optimizer.h"
#include "model/weight_names.h"

namespace glidepath {
namespace {

std::shared_ptr<Model> resnet8(std::int64_t classes) {
  ModelOptions options;
  options.name = "resnet8";
  options.width = 0.25;
  options.classes = classes;
  options.image_size = 16;
  options.stem = "cifar";
  return make_model(options);
}

TensorMap part_of(const TensorMap& all, const std::string& prefix) {
  TensorMap part;
  for (const auto& [name, tensor] : all) {
    if (name.rfind(prefix, 0) == 0) part[name.substr(prefix.size())] = tensor;
  }
  return part;
}

template <typename Call>
std::string refused(const Call& call) {
  try {
    call();
  } catch (const InputError& error) {
    return error.what();
  }
  return "nothing was refused";
}

// tests/data/golden/nn/make_finetune.py: the same in PyTorch.
TEST(Freeze, FineTuningMakesPyTorchsUpdates) {
  const TensorMap golden = load_safetensors(std::string(GLIDEPATH_TEST_DATA) + "/nn/finetune.safetensors");
  const auto model = resnet8(3);
  std::set<std::string> anew;
  for (const BegunTensor& tensor : load_weights_to_begin_with(*model, part_of(golden, "before."), 3)) {
    if (tensor.shape != tensor.stored_shape) anew.insert(tensor.name);
  }
  EXPECT_EQ(anew, (std::set<std::string>{"fc.bias", "fc.weight"}));
  {
    const at::NoGradGuard no_grad;
    TensorMap own = state_dict(*model);
    own.at("fc.weight").copy_(golden.at("head.weight"));
    own.at("fc.bias").copy_(golden.at("head.bias"));
  }
  freeze(*model, {"conv1.*", "bn1.*", "layer1.*"});
  model->hold_frozen_norms();
  const std::size_t norms = model->running_statistics().size();
  EXPECT_EQ(norms, 6U);  // of nine: two in each of the other stages, and their shortcuts'

  OptimizerOptions options;
  options.weight_decay = 5e-4;
  options.lr_scale = {{"fc.*", 10}};
  const auto optimizer = make_optimizer(options, named_parameters(*model));
  const torch::Tensor images = golden.at("images"), labels = golden.at("labels");
  for (std::int64_t i = 0; i < images.size(0); ++i) {
    SCOPED_TRACE(i);
    model->train();
    const torch::Tensor logits = model->forward({images[i]}).front();
    const torch::Tensor loss = at::cross_entropy_loss(logits, labels[i]);
    EXPECT_NEAR(loss.item<double>(), golden.at("losses")[i].item<double>(), 2e-6);
    optimizer->drop_gradients();
    loss.backward();
    optimizer->step(0.02);
  }
  const TensorMap before = part_of(golden, "before."), after = part_of(golden, "after.");
  for (const auto& [name, tensor] : state_dict(*model)) {
    EXPECT_TRUE(torch::allclose(tensor.to(torch::kFloat64), after.at(name).to(torch::kFloat64), 1e-5, 1e-6))
        << name;
    const bool is_frozen =
        name.rfind("conv1.", 0) == 0 || name.rfind("bn1.", 0) == 0 || name.rfind("layer1.", 0) == 0;
    if (is_frozen) {
      EXPECT_TRUE(torch::equal(tensor, before.at(name))) << name;
    }
  }
}

// Without evaluation mode the statistics go on, and nothing else of the frozen part.
TEST(Freeze, FrozenNormsMayGoOnCounting) {
  const auto model = resnet8(3);
  freeze(*model, {"conv1.*", "bn1.*"});
  TensorMap before;
  for (const auto& [name, tensor] : state_dict(*model)) before[name] = tensor.clone();
  const auto optimizer = make_optimizer({}, named_parameters(*model));
  model->train();
  model->forward({torch::randn({4, 3, 16, 16})}).front().square().sum().backward();
  optimizer->step(0.1);
  const TensorMap after = state_dict(*model);
  EXPECT_TRUE(torch::equal(after.at("conv1.weight"), before.at("conv1.weight")));
  EXPECT_TRUE(torch::equal(after.at("bn1.weight"), before.at("bn1.weight")));
  EXPECT_FALSE(torch::equal(after.at("bn1.running_mean"), before.at("bn1.running_mean")));
  EXPECT_FALSE(torch::equal(after.at("layer1.0.conv1.weight"), before.at("layer1.0.conv1.weight")));

  model->hold_frozen_norms();
  const torch::Tensor held = after.at("bn1.running_mean").clone();
  model->train();
  model->forward({torch::randn({4, 3, 16, 16})});
  EXPECT_TRUE(torch::equal(after.at("bn1.running_mean"), held));
  EXPECT_TRUE(model->is_training());
}

TEST(Freeze, NamesThatFitNothingAreRefused) {
  const auto model = resnet8(3);
  EXPECT_EQ(refused([&] {
              freeze(*model, {"conv1.*", "convl.weight"});
            }),
            "freeze \"convl.weight\": fits none of the model's 29 parameters; the nearest is conv1.weight");
  EXPECT_EQ(named_parameters(*model).size(), 29U);  // nothing was frozen
  EXPECT_EQ(refused([&] { freeze(*model, {"*"}); }),
            "freeze: all 29 parameters are frozen; leave some to be trained, as the head");
}

// Only a head for other classes may differ.
TEST(FirstWeights, OtherShapesAreRefusedAndChangeNothing) {
  const auto model = resnet8(3);
  TensorMap given = state_dict(*resnet8(10)), before;
  for (const auto& [name, tensor] : state_dict(*model)) before[name] = tensor.clone();
  given["layer2.0.conv1.weight"] = torch::ones({8, 5, 3, 3});
  EXPECT_EQ(refused([&] { load_weights_to_begin_with(*model, given, 3); }),
            "weights: \"layer2.0.conv1.weight\" has the shape [8, 5, 3, 3], this model's is [8, 4, 3, 3]");
  given = state_dict(*resnet8(10));
  given["fc.weight"] = torch::ones({10, 7});  // of another width as well
  EXPECT_EQ(refused([&] { load_weights_to_begin_with(*model, given, 3); }),
            "weights: \"fc.weight\" has the shape [10, 7], this model's is [3, 16]");
  given.erase("fc.weight");
  EXPECT_EQ(refused([&] { load_weights_to_begin_with(*model, given, 3); }),
            "weights: \"fc.weight\" is missing; they are of another model");
  for (const auto& [name, tensor] : state_dict(*model)) EXPECT_TRUE(torch::equal(tensor, before.at(name)));
}

TEST(FirstWeights, NamesOfWrappersAndMissingCounts) {
  const auto model = resnet8(10);
  const auto other = resnet8(10);
  TensorMap given;
  for (const auto& [name, tensor] : state_dict(*other)) {
    if (name.find("num_batches") == std::string::npos) given["module." + name] = tensor;
  }
  for (const BegunTensor& tensor : load_weights_to_begin_with(*model, given, 10)) {
    const bool is_count = tensor.name.find("num_batches") != std::string::npos;
    EXPECT_EQ(tensor.stored_as, is_count ? "" : "module." + tensor.name);
    EXPECT_EQ(tensor.shape, tensor.stored_shape);
  }
  EXPECT_TRUE(torch::equal(state_dict(*model).at("conv1.weight"), state_dict(*other).at("conv1.weight")));
}

}  // namespace
}  // namespace glidepath
