// tests/optim/optimizer_test.cpp - every optimizer against PyTorch's and LibTorch's, and what all have in
// common.
#include "glidepath/optimizer.h"

#include <cmath>
#include <fstream>
#include <memory>

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <torch/nn/modules/container/sequential.h>
#include <torch/nn/modules/linear.h>
#include <torch/optim.h>

#include "glidepath/error.h"

namespace glidepath {
namespace {

const std::vector<std::string>& kAll = optimizer_names();
const std::vector<std::string> kAdaptive = {"adagrad", "rmsprop", "adam", "amsgrad", "adamw"};

std::unique_ptr<Optimizer> make(const std::string& name, const NamedTensors& parameters,
                                double weight_decay = 5e-4) {
  OptimizerOptions options;
  options.name = name;
  options.weight_decay = weight_decay;
  return make_optimizer(options, parameters);
}

/// Parameters as in make_optimizers.py, the four-dimensional one in a memory format.
NamedTensors golden_parameters(torch::MemoryFormat format) {
  const auto kernels = torch::linspace(0.8, -0.7, 48).reshape({2, 3, 2, 4}).contiguous(format);
  return {{"matrix", torch::linspace(-1, 1, 12).reshape({3, 4}).clone().requires_grad_()},
          {"kernels", kernels.detach().requires_grad_()},
          {"vector", torch::linspace(0.5, -0.5, 5).requires_grad_()},
          {"seldom", torch::linspace(0.2, 0.4, 3).requires_grad_()}};
}

torch::Tensor golden_gradient(const torch::Tensor& weights, int step) {
  const auto index = torch::arange(weights.numel(), torch::kFloat64).reshape(weights.sizes());
  const double amplitude = step < 10 ? 4 : 0.1;
  return 0.3 * weights.detach() + (amplitude * torch::sin(0.7 * step + 0.1 * index)).to(torch::kFloat32);
}

torch::Tensor values_of(const NamedTensors& parameters) {
  std::vector<torch::Tensor> flat;
  for (const auto& named : parameters) flat.push_back(named.second.detach().reshape(-1));
  return torch::cat(flat);
}

OptimizerOptions golden_options(const nlohmann::json& expected) {
  OptimizerOptions options;
  options.name = expected.at("optimizer");
  options.weight_decay = expected.at("weight_decay");
  options.decay_norm_bias = expected.at("decay_norm_bias");
  for (const auto& [key, value] : expected.at("options").items()) {
    if (key == "alpha") options.rmsprop_alpha = value;
    if (key == "eps") options.eps = value.get<double>();
    if (key != "betas") continue;
    options.beta1 = value.at(0);
    options.beta2 = value.at(1);
  }
  return options;
}

/// Weights are within [-1, 1].
void expect_golden_weights(const nlohmann::json& data, const nlohmann::json& expected,
                           torch::MemoryFormat format) {
  const NamedTensors parameters = golden_parameters(format);
  const auto optimizer = make_optimizer(golden_options(expected), parameters);
  std::size_t checked = 0;
  for (int step = 0; step < 100; ++step) {
    for (const auto& [name, w] : parameters) {
      if (name != "seldom" || step % 3 == 2) w.mutable_grad() = golden_gradient(w, step);
    }
    optimizer->step(0.02 * (1 - step / 100.0));
    optimizer->drop_gradients();
    if (checked == 4 || data.at("after_updates").at(checked) != step + 1) continue;
    const auto theirs = torch::tensor(expected.at("states").at(checked++).get<std::vector<float>>());
    EXPECT_LT((values_of(parameters) - theirs).abs().max().item<double>(), 1e-6) << "update " << step + 1;
  }
  EXPECT_EQ(checked, 4U);
}

TEST(Optimizers, EqualPyTorchOverAHundredUpdates) {
  std::ifstream file(GLIDEPATH_TEST_DATA "/optim/optimizers.json");
  const auto data = nlohmann::json::parse(file);
  std::map<std::string, int> cases;
  for (const auto& expected : data.at("cases")) {
    SCOPED_TRACE(expected.at("optimizer").dump() + " weight decay " + expected.at("weight_decay").dump() +
                 " " + expected.at("options").dump());
    expect_golden_weights(data, expected, torch::MemoryFormat::Contiguous);
    expect_golden_weights(data, expected, torch::MemoryFormat::ChannelsLast);
    ++cases[expected.at("optimizer")];
  }
  for (const std::string& name : kAdaptive) EXPECT_EQ(cases[name], 4) << name;
  EXPECT_EQ(cases.size(), kAdaptive.size());
}

std::unique_ptr<torch::optim::Optimizer> libtorch(const std::string& name, torch::Tensor parameter,
                                                  double decay) {
  using namespace torch::optim;
  std::vector<torch::Tensor> parameters{std::move(parameter)};
  if (name == "sgd" || name == "muon") {  // muon leaves what is no matrix to sgd
    return std::make_unique<SGD>(
        parameters, torch::optim::SGDOptions(0.1).momentum(0.9).nesterov(true).weight_decay(decay));
  }
  if (name == "adagrad")
    return std::make_unique<Adagrad>(parameters, AdagradOptions(0.1).weight_decay(decay));
  if (name == "rmsprop")
    return std::make_unique<RMSprop>(parameters, RMSpropOptions(0.1).weight_decay(decay));
  if (name == "adamw") return std::make_unique<AdamW>(parameters, AdamWOptions(0.1).weight_decay(decay));
  return std::make_unique<Adam>(parameters, AdamOptions(0.1).weight_decay(decay).amsgrad(name == "amsgrad"));
}

void set_lr(torch::optim::Optimizer& optimizer, double lr) {
  for (auto& group : optimizer.param_groups()) group.options().set_lr(lr);
}

// So many that two threads share them, and that the last vector register is not full.
TEST(Optimizers, EqualLibTorchOnManyRandomWeights) {
  at::set_num_threads(2);
  at::manual_seed(3);
  const auto noise = torch::randn({70'001 + 11 * 100});
  for (const std::string& name : kAll) {
    if (name.rfind("schedule-free", 0) == 0) continue;  // LibTorch has none: schedule_free_test.cpp
    for (const double decay : {0.0, 5e-4}) {
      SCOPED_TRACE(name);
      auto ours = torch::rand({70'001}).mul_(2).sub_(1).requires_grad_();
      auto theirs = ours.detach().clone().requires_grad_();
      const auto optimizer = make(name, {{"w", ours}}, decay);
      const auto peer = libtorch(name, theirs, decay);
      for (int step = 0; step < 100; ++step) {
        const double lr = 0.003 * (1 - step / 100.0);
        ours.mutable_grad() = noise.narrow(0, 11 * step, 70'001);
        theirs.mutable_grad() = ours.grad();
        optimizer->step(lr);
        set_lr(*peer, lr);
        peer->step();
      }
      // Single weights may differ more: a gradient near 0 in the first updates leaves the sign to rounding.
      const auto difference = (ours - theirs).detach().abs();
      EXPECT_LT(difference.max().item<double>(), 2e-6);
      EXPECT_LT(difference.mean().item<double>(), 1e-7);
    }
  }
}

// Double weights take the way of torch's operators, which is what a GPU takes.
TEST(Optimizers, OperatorsAndOnePassAgree) {
  for (const std::string& name : kAll) {
    SCOPED_TRACE(name);
    at::manual_seed(4);
    auto single = torch::rand({33, 5}).requires_grad_();
    auto twice = single.detach().to(torch::kFloat64).requires_grad_();
    const auto a = make(name, {{"w", single}}), b = make(name, {{"w", twice}});
    for (int step = 0; step < 50; ++step) {
      single.mutable_grad() = torch::randn({33, 5});
      twice.mutable_grad() = single.grad().to(torch::kFloat64);
      a->step(0.01);
      b->step(0.01);
    }
    EXPECT_LT((single - twice).abs().max().item<double>(), 2e-6);
    const auto factor = a->rate_factors().at(0).to(torch::kFloat64), other = b->rate_factors().at(0);
    EXPECT_LT((factor / other - 1).abs().max().item<double>(), 1e-5);
  }
}

TEST(Optimizers, MemoryFormatsOfWeightAndGradientDoNotMatter) {
  for (const std::string& name : kAll) {
    SCOPED_TRACE(name);
    at::manual_seed(1);
    const auto initial = torch::randn({8, 4, 3, 3});
    auto plain = initial.clone().requires_grad_();
    auto last = initial.contiguous(torch::MemoryFormat::ChannelsLast).requires_grad_();
    auto mixed = initial.contiguous(torch::MemoryFormat::ChannelsLast).requires_grad_();
    const auto a = make(name, {{"w", plain}}), b = make(name, {{"w", last}}), c = make(name, {{"w", mixed}});
    for (int step = 0; step < 3; ++step) {
      plain.mutable_grad() = torch::randn({8, 4, 3, 3});
      last.mutable_grad() = plain.grad().contiguous(torch::MemoryFormat::ChannelsLast);
      mixed.mutable_grad() = plain.grad().clone();
      for (Optimizer* each : {a.get(), b.get(), c.get()}) each->step(0.1);
    }
    EXPECT_TRUE(torch::equal(plain.detach(), last.detach()));
    EXPECT_TRUE(torch::equal(plain.detach(), mixed.detach()));
    EXPECT_FALSE(torch::equal(plain.detach(), initial));
  }
}

TEST(Optimizers, ParameterWithoutGradientStaysAndSoDoesItsState) {
  for (const std::string& name : kAll) {
    SCOPED_TRACE(name);
    auto used = torch::ones({3}).requires_grad_(), unused = torch::ones({3}).requires_grad_();
    const auto optimizer = make(name, {{"used", used}, {"unused", unused}});
    used.mutable_grad() = torch::ones({3});
    optimizer->step(0.1);
    EXPECT_TRUE(torch::equal(unused.detach(), torch::ones({3})));
    EXPECT_FALSE(torch::equal(used.detach(), torch::ones({3})));
    for (const auto& [key, tensor] : optimizer->state()) {
      if (key == "steps") {
        EXPECT_TRUE(torch::equal(tensor, torch::tensor({1, 0}, torch::kInt64)));
      } else if (key.find(".unused") != std::string::npos) {
        EXPECT_TRUE(torch::equal(tensor, torch::zeros_like(tensor))) << key;
      } else {
        EXPECT_GT(tensor.abs().min().item<float>(), 0) << key;
      }
    }
    optimizer->drop_gradients();
    EXPECT_FALSE(used.grad().defined());
  }
}

TEST(Optimizers, NameTheirStateForCheckpoints) {
  const std::map<std::string, std::vector<std::string>> expected = {
      {"sgd", {"momentum.fc.weight"}},
      {"adagrad", {"sum.fc.weight", "steps"}},
      {"rmsprop", {"square_avg.fc.weight", "steps"}},
      {"adam", {"exp_avg.fc.weight", "exp_avg_sq.fc.weight", "steps"}},
      {"amsgrad", {"exp_avg.fc.weight", "exp_avg_sq.fc.weight", "max_exp_avg_sq.fc.weight", "steps"}},
      {"adamw", {"exp_avg.fc.weight", "exp_avg_sq.fc.weight", "steps"}},
      {"muon", {"momentum.fc.weight"}},
      {"schedule-free-sgd", {"z.fc.weight", "averaged.fc.weight", "steps"}},
      {"schedule-free-adamw", {"z.fc.weight", "exp_avg_sq.fc.weight", "averaged.fc.weight", "steps"}}};
  for (const std::string& name : kAll) {
    std::vector<std::string> names;
    for (const auto& named : make(name, {{"fc.weight", torch::ones({3})}})->state())
      names.push_back(named.first);
    EXPECT_EQ(names, expected.at(name)) << name;
  }
}

TEST(Optimizers, GoOnFromTheirStateWithTheSameBits) {
  for (const std::string& name : kAll) {
    SCOPED_TRACE(name);
    NamedTensors whole = golden_parameters(torch::MemoryFormat::ChannelsLast);
    const auto optimizer = make(name, whole);
    NamedTensors resumed;
    std::unique_ptr<Optimizer> other;
    for (int step = 0; step < 60; ++step) {
      if (step == 23) {
        for (const auto& [key, w] : whole) resumed.emplace_back(key, w.detach().clone().requires_grad_());
        other = make(name, resumed);
        const NamedTensors from = optimizer->state(), to = other->state();
        ASSERT_EQ(from.size(), to.size());
        for (std::size_t i = 0; i < from.size(); ++i) {
          EXPECT_EQ(from[i].first, to[i].first);
          NamedTensors(to)[i].second.copy_(from[i].second);
        }
      }
      for (const NamedTensors& parameters : {whole, resumed}) {
        for (const auto& [key, w] : parameters) {
          if (key != "seldom" || step % 3 == 2) w.mutable_grad() = golden_gradient(w, step);
        }
      }
      for (Optimizer* each : {optimizer.get(), other.get()}) {
        if (each == nullptr) continue;
        each->step(0.02 * (1 - step / 60.0));
        each->drop_gradients();
      }
    }
    EXPECT_TRUE(torch::equal(values_of(whole), values_of(resumed)));
  }
}

TEST(Optimizers, TakeTheirStateFromACheckpointThatHoldsMore) {
  for (const std::string& name : kAll) {
    SCOPED_TRACE(name);
    const NamedTensors trained = golden_parameters(torch::MemoryFormat::Contiguous);
    const auto optimizer = make(name, trained);
    for (const auto& named : trained) named.second.mutable_grad() = golden_gradient(named.second, 1);
    optimizer->step(0.1);
    TensorMap saved = {{"model.matrix", torch::ones({3, 4})}};
    for (const auto& [key, tensor] : optimizer->state()) saved[key] = tensor.clone();
    const auto other = make(name, golden_parameters(torch::MemoryFormat::Contiguous));
    other->set_state(saved);
    for (const auto& [key, tensor] : other->state()) EXPECT_TRUE(torch::equal(tensor, saved.at(key))) << key;
  }
}

TEST(Optimizers, AStateThatDoesNotFitChangesNothing) {
  const auto optimizer = make("adam", {{"a", torch::ones({3})}, {"b", torch::ones({2})}});
  TensorMap saved = {{"exp_avg.a", torch::ones({3})},
                     {"exp_avg.b", torch::ones({2})},
                     {"exp_avg_sq.a", torch::ones({3})},
                     {"steps", torch::ones({2}, torch::kInt64)}};
  const auto told = [&] {
    try {
      optimizer->set_state(saved);
    } catch (const InputError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_EQ(told(), "optimizer's state: has no \"exp_avg_sq.b\"");
  saved["exp_avg_sq.b"] = torch::ones({3});
  EXPECT_EQ(told(), "optimizer's state: \"exp_avg_sq.b\" has another shape than its parameter");
  for (const auto& named : optimizer->state()) EXPECT_EQ(named.second.abs().sum().item<double>(), 0);
}

std::string refusal(const OptimizerOptions& options, const NamedTensors& parameters) {
  try {
    make_optimizer(options, parameters);
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

TEST(Optimizers, OptionsOutOfRangeAreRefused) {
  const auto with = [](const std::string& name, auto change) {
    OptimizerOptions options;
    options.name = name;
    change(options);
    return refusal(options, {{"w", torch::ones({3})}});
  };
  using O = OptimizerOptions;
  EXPECT_EQ(with("lion", [](O&) {}),
            "optimizer \"lion\": must be one of sgd, adagrad, rmsprop, adam, amsgrad, adamw, muon, "
            "schedule-free-sgd, schedule-free-adamw");
  EXPECT_EQ(with("sgd", [](O& o) { o.momentum = 1; }), "optimizer's momentum \"1\": must be in [0, 1)");
  EXPECT_EQ(with("sgd", [](O& o) { o.momentum = 0; }),
            "optimizer's momentum \"0\": must be above 0 for nesterov");
  EXPECT_EQ(with("adam", [](O& o) { o.beta1 = -0.1; }), "optimizer's beta1 \"-0.1\": must be in [0, 1)");
  EXPECT_EQ(with("adam", [](O& o) { o.beta2 = NAN; }), "optimizer's beta2 \"nan\": must be in [0, 1)");
  EXPECT_EQ(with("rmsprop", [](O& o) { o.rmsprop_alpha = 2; }),
            "optimizer's rmsprop_alpha \"2\": must be in [0, 1)");
  EXPECT_EQ(with("adam", [](O& o) { o.eps = 0; }), "optimizer's eps \"0\": must be above 0");
  EXPECT_EQ(with("adamw", [](O& o) { o.weight_decay = -1; }),
            "optimizer's weight_decay \"-1\": must be at least 0");
  for (const std::string& name : kAll) EXPECT_EQ(with(name, [](O&) {}), "") << name;
}

TEST(Optimizers, ParametersThatCannotBeUpdatedAreRefused) {
  const auto w = torch::ones({3}).requires_grad_();
  EXPECT_EQ(refusal({}, {}), "optimizer: is given no parameters");
  EXPECT_EQ(refusal({}, {{"w", w}, {"w", torch::ones({2})}}), "optimizer's parameter \"w\": is given twice");
  for (const torch::Tensor& wrong : {torch::Tensor(), torch::ones({3}, torch::kInt64), w * 2}) {
    EXPECT_EQ(refusal({}, {{"w", wrong}}),
              "optimizer's parameter \"w\": must be a floating-point tensor, and a leaf");
  }
}

TEST(Optimizers, TakeTheParametersOfAnyModuleThatAreTrained) {
  torch::nn::Sequential module(torch::nn::Linear(3, 4), torch::nn::Linear(4, 2));
  module->parameters()[0].set_requires_grad(false);
  std::vector<std::string> names;
  for (const auto& named : named_parameters(*module)) names.push_back(named.first);
  EXPECT_THAT(names, testing::ElementsAre("0.bias", "1.weight", "1.bias"));
}

}  // namespace
}  // namespace glidepath
