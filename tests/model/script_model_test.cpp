// tests/model/script_model_test.cpp - a TorchScript program that Python saved, trained as Python trains it
// (tests/data/golden/nn/make_script.py).
#include "glidepath/script_model.h"

#include <fstream>
#include <set>
#include <string>

#include <ATen/core/grad_mode.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include "evaluation/fresh_statistics.h"
#include "files/read_file.h"
#include "glidepath/error.h"
#include "glidepath/optimizer.h"
#include "glidepath/task.h"
#include "model/in_mode.h"
#include "model/script_calls.h"
#include "support/temporary_folder.h"

namespace glidepath {
namespace {

using testing::HasSubstr;

const std::string kFolder = std::string(GLIDEPATH_TEST_DATA) + "/nn/";

std::string refusal_of(const std::filesystem::path& file) {
  try {
    script_model(file);
  } catch (const InputError& error) {
    return error.what();
  }
  return "taken";
}

TEST(ScriptModel, MakesPyTorchsUpdates) {
  const TensorMap golden = load_safetensors(kFolder + "script.safetensors");
  const auto model = script_model(kFolder + "script.pt");
  OptimizerOptions options;
  options.weight_decay = 5e-4;
  const auto optimizer = make_optimizer(options, named_parameters(*model));
  const torch::Tensor images = golden.at("images"), labels = golden.at("labels");
  model->train();
  for (std::int64_t i = 0; i < images.size(0); ++i) {
    SCOPED_TRACE(i);
    const Values outputs = model->forward({images[i]});
    ASSERT_EQ(outputs.size(), 2U);  // its tuple
    const torch::Tensor loss = at::cross_entropy_loss(outputs.front(), labels[i]);
    EXPECT_NEAR(loss.item<double>(), golden.at("losses")[i].item<double>(), 2e-6);
    optimizer->drop_gradients();
    loss.backward();
    optimizer->step(0.1);
  }
  const TensorMap after = state_dict(*model);
  EXPECT_EQ(after.size(), 8U);
  for (const auto& [name, tensor] : after)
    EXPECT_TRUE(torch::allclose(tensor.to(torch::kFloat64), golden.at("after." + name).to(torch::kFloat64),
                                1e-5, 1e-6))
        << name;
  const InMode mode(*model, false);
  const at::NoGradGuard no_grad;
  EXPECT_TRUE(torch::allclose(model->forward({images[0]}).front(), golden.at("logits"), 1e-4, 1e-5));
}

// Its momentum is compiled in; update_bn() of PyTorch sets it to none.
TEST(ScriptModel, HasFreshStatisticsAsPyTorchHasThem) {
  const TensorMap golden = load_safetensors(kFolder + "script.safetensors");
  const auto model = script_model(kFolder + "script.pt");
  TensorMap after;
  for (const auto& [name, tensor] : golden) {
    if (name.rfind("after.", 0) == 0) after[name.substr(6)] = tensor;
  }
  load_state_dict(*model, after);
  const auto norms = model->running_statistics();
  ASSERT_EQ(norms.size(), 1U);
  EXPECT_EQ(norms[0].momentum, 0.1);
  const torch::Tensor images = golden.at("images"), labels = golden.at("labels");
  model->train();
  {
    FreshStatistics fresh(*model);
    for (std::int64_t i = 0; i < images.size(0); ++i) fresh.add(Batch(images[i], labels[i]), ComputePlan());
    EXPECT_TRUE(torch::allclose(norms[0].mean, golden.at("fresh.mean"), 1e-4, 1e-6));
    EXPECT_TRUE(torch::allclose(norms[0].variance, golden.at("fresh.var"), 1e-4, 1e-6));
  }
  EXPECT_TRUE(torch::equal(norms[0].mean, golden.at("after.norm.running_mean")));
}

TEST(ScriptModel, FrozenNormsStayAsTheyAre) {
  const auto model = script_model(kFolder + "script.pt");
  freeze(*model, {"norm.*"});
  model->hold_frozen_norms();
  model->train();
  EXPECT_TRUE(model->running_statistics().empty());
  const torch::Tensor before = state_dict(*model).at("norm.running_mean").clone();
  model->forward({torch::randn({4, 1, 8, 8})});
  EXPECT_TRUE(torch::equal(state_dict(*model).at("norm.running_mean"), before));
}

// Of the second call as of the hundredth: nothing is compiled on the way.
TEST(ScriptModel, SaysTheSameHoweverOftenItWasCalled) {
  const auto model = script_model(kFolder + "script.pt");
  const torch::Tensor images = torch::randn({8, 1, 8, 8});
  std::set<std::string> seen;
  for (int i = 0; i < 30; ++i) {
    const torch::Tensor loss = model->forward({images}).front().square().sum();
    loss.backward();
    const torch::Tensor gradient = model->parameters().front().grad();
    seen.insert(std::string(static_cast<const char*>(gradient.data_ptr()), gradient.nbytes()));
    gradient.zero_();
  }
  EXPECT_EQ(seen.size(), 1U);
}

TEST(ScriptModel, ItsCostIsThatOfItsOperators) {
  const auto model = script_model(kFolder + "script.pt");
  const Cost cost = watched_cost(*model, {torch::zeros({2, 1, 8, 8})}, 2);
  EXPECT_EQ(cost.forward, 2.0 * 6 * 9 * 64 + 2.0 * 6 * 64 + 2.0 * 6 * 10);  // convolution, norm, linear
}

TEST(ScriptModel, OtherFilesAreRefused) {
  const TemporaryFolder folder("script");
  EXPECT_THAT(refusal_of(folder.path() / "none.pt"), HasSubstr("none.pt: no such file; give a module that"));
  EXPECT_THAT(refusal_of(kFolder + "pickled.pt"),
              HasSubstr("pickled.pt: is a pickled checkpoint, which only Python"));
  EXPECT_THAT(refusal_of(kFolder + "script.safetensors"),
              HasSubstr("is no TorchScript file that this LibTorch reads"));
  const auto cut = folder.path() / "cut.pt";
  const std::string whole = *try_read_file(kFolder + "script.pt");
  for (const std::size_t bytes : {std::size_t{0}, std::size_t{10}, whole.size() / 2, whole.size() - 1}) {
    std::ofstream(cut, std::ios::binary).write(whole.data(), static_cast<std::streamsize>(bytes));
    EXPECT_THAT(refusal_of(cut), HasSubstr("cut.pt: is ")) << bytes;
  }
}

// Its loss and metrics, as Python tells them of the same batch; here of two halves of it.
TEST(ScriptTask, IsTheModulesOwn) {
  const TensorMap golden = load_safetensors(kFolder + "script.safetensors");
  const auto model = script_model(kFolder + "script_own.pt");
  const InMode mode(*model, false);
  const Batch batch(golden.at("images")[0], golden.at("labels")[0]);
  const Values outputs = model->forward(batch.inputs);
  EXPECT_TRUE(torch::allclose(outputs.front(), golden.at("own.logits"), 1e-5, 1e-6));
  const auto task = script_task(model, outputs, batch);
  const torch::Tensor loss = task->loss(outputs, batch);
  EXPECT_NEAR(loss.item<double>(), golden.at("own.loss").item<double>(), 1e-6);
  loss.backward();
  EXPECT_GT(model->parameters().front().grad().abs().sum().item<double>(), 0);
  ASSERT_EQ(task->metrics().size(), 2U);
  EXPECT_EQ(task->metrics()[0].name, "top2_accuracy");  // in the dictionary's order
  EXPECT_TRUE(task->metrics()[0].higher_is_better && task->metrics()[0].is_share);
  EXPECT_FALSE(task->metrics()[1].higher_is_better || task->metrics()[1].is_share);
  for (const Metric& metric : task->metrics()) {
    torch::Tensor sums = torch::zeros({2}, torch::kFloat64);
    for (const std::int64_t first : {0, 4}) {
      Batch half(batch.images().narrow(0, first, 4), batch.labels().narrow(0, first, 4));
      sums += metric.sums(model->forward(half.inputs), half);
    }
    EXPECT_NEAR(metric.value(sums.detach(), 0), golden.at("own." + metric.name).item<double>(), 1e-5)
        << metric.name;
  }
}

/// A module whose metrics are asked for.
class CountedModule : public Model, public ScriptCalls {
 public:
  int calls = 0;

  Values forward(const Values& inputs) override { return inputs; }
  NamedTensors named_parameters() const override { return {}; }
  NamedTensors named_buffers() const override { return {}; }
  void train(bool) override {}
  bool is_training() const override { return false; }
  void to(const torch::Device&) override {}
  bool has_method(const char*) const override { return true; }
  c10::IValue call(const char* name, const Values& arguments) override {
    if (std::string(name) == "loss") return arguments[0].mean();
    ++calls;
    c10::impl::GenericDict told(c10::StringType::get(), c10::TensorType::get());
    told.insert("a_error", arguments[0].mean());
    told.insert("b_accuracy", arguments[0].mean() * 2);
    told.insert("c", arguments[0].mean() * 3);
    return told;
  }
  std::string file() const override { return "counted.pt"; }
};

TEST(ScriptTask, AsksForAllMetricsOnceABatch) {
  const auto model = std::make_shared<CountedModule>();
  const Batch batch(torch::full({4, 1}, 0.25), torch::zeros({4}, torch::kInt64));
  const auto task = script_task(model, batch.inputs, batch);
  model->calls = 0;
  const std::vector<torch::Tensor> sums = task->metric_sums(batch.inputs, batch);
  EXPECT_EQ(model->calls, 1);
  ASSERT_EQ(sums.size(), 3U);
  for (std::size_t i = 0; i < sums.size(); ++i) {
    EXPECT_TRUE(torch::equal(sums[i], task->metrics()[i].sums(batch.inputs, batch))) << i;
    EXPECT_EQ(sums[i][0].item<double>(), static_cast<double>(i + 1)) << i;  // 4 examples of a quarter
  }
}

TEST(ScriptTask, WantsALoss) {
  const auto model = script_model(kFolder + "script.pt");
  const Batch batch(torch::zeros({1, 1, 8, 8}), torch::zeros({1}, torch::kInt64));
  try {
    script_task(model, model->forward(batch.inputs), batch);
    FAIL() << "taken";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("script.pt: has no method loss, which task \"own\" asks for"));
  }
}

TEST(ScriptModel, InputsThatItDoesNotTakeAreTold) {
  const auto model = script_model(kFolder + "script.pt");
  const auto refused = [&](const Values& inputs) {
    try {
      model->forward(inputs);
    } catch (const InputError& error) {
      return std::string(error.what());
    }
    return std::string("taken");
  };
  EXPECT_THAT(refused({torch::zeros({2, 3, 8, 8})}),
              HasSubstr("script.pt: its forward of Float [2, 3, 8, 8]: "));
  EXPECT_THAT(refused({torch::zeros({2, 1, 8, 8}), torch::zeros({2})}),
              HasSubstr("its forward takes 1 argument, and is given 2 tensors"));
}

}  // namespace
}  // namespace glidepath
