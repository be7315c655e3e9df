// bench/optimizer_step.cpp - one update of every weight of a ResNet-18: our optimizers against LibTorch's, in
// turn.
//
//     ninja -C build/release optimizer_step && build/release/bench/optimizer_step [width] [pairs] [threads]
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <torch/optim.h>
#include <torch/version.h>

#include "glidepath/models.h"
#include "setup/run_setup.h"
#include "timing.h"

namespace {

using glidepath::NamedTensors;

constexpr double kLr = 1e-3, kDecay = 5e-4;

/// A ResNet-18's parameters in channels_last, each with a gradient.
NamedTensors parameters(double width) {
  at::manual_seed(1);
  glidepath::ModelOptions options;
  options.name = "resnet18";
  options.width = width;
  NamedTensors list;
  for (const auto& [name, tensor] : glidepath::named_parameters(*glidepath::make_model(options))) {
    auto weight = tensor.detach().clone();
    if (weight.dim() == 4) weight = weight.contiguous(torch::MemoryFormat::ChannelsLast);
    weight.requires_grad_();
    weight.mutable_grad() = torch::randn_like(weight);
    list.emplace_back(name, weight);
  }
  return list;
}

std::unique_ptr<torch::optim::Optimizer> libtorch(const std::string& name, const NamedTensors& parameters) {
  namespace optim = torch::optim;
  std::vector<torch::Tensor> list;
  for (const auto& named : parameters) list.push_back(named.second);
  if (name == "sgd") {
    return std::make_unique<optim::SGD>(
        list, optim::SGDOptions(kLr).momentum(0.9).nesterov(true).weight_decay(kDecay));
  }
  if (name == "adagrad")
    return std::make_unique<optim::Adagrad>(list, optim::AdagradOptions(kLr).weight_decay(kDecay));
  if (name == "rmsprop")
    return std::make_unique<optim::RMSprop>(list, optim::RMSpropOptions(kLr).weight_decay(kDecay));
  if (name == "adamw")
    return std::make_unique<optim::AdamW>(list, optim::AdamWOptions(kLr).weight_decay(kDecay));
  return std::make_unique<optim::Adam>(
      list, optim::AdamOptions(kLr).weight_decay(kDecay).amsgrad(name == "amsgrad"));
}

void compare(const std::string& name, double width, int pairs) {
  glidepath::TrainConfig config;
  config.optimizer = name;
  config.weight_decay = kDecay;
  const NamedTensors mine = parameters(width), yours = parameters(width);
  const auto ours = glidepath::make_optimizer(config, mine);
  const auto theirs = libtorch(name, yours);
  std::vector<double> our_times, their_times, ratios;
  for (int pair = -3; pair < pairs; ++pair) {  // the first three warm up
    const double a = milliseconds_of([&] { ours->step(kLr); }), b = milliseconds_of([&] { theirs->step(); });
    if (pair < 0) continue;
    our_times.push_back(a);
    their_times.push_back(b);
    ratios.push_back(b / a);
  }
  const auto [least, most] = std::minmax_element(ratios.begin(), ratios.end());
  std::printf("| %s | %.2f | %.2f | %.2f (%.2f to %.2f) |\n", name.c_str(), median(our_times),
              median(their_times), median(ratios), *least, *most);
}

}  // namespace

int main(int argc, char** argv) {
#ifndef NDEBUG
  std::fprintf(stderr,
               "optimizer_step: built for debugging; times would mean nothing, build the preset release\n");
  return 1;
#endif
  const double width = argc > 1 ? std::atof(argv[1]) : 1;
  const int pairs = argc > 2 ? std::atoi(argv[2]) : 25;
  if (argc > 3) at::set_num_threads(std::atoi(argv[3]));
  if (!(width > 0) || pairs < 1 || at::get_num_threads() < 1) {
    std::fprintf(stderr, "usage: optimizer_step [width above 0] [pairs, at least 1] [threads, at least 1]\n");
    return 2;
  }
  std::int64_t count = 0;
  for (const auto& named : parameters(width)) count += named.second.numel();
  std::printf("ResNet-18, width %g, %lld weights; %d pairs; %d thread(s); LibTorch %s\n", width,
              static_cast<long long>(count), pairs, at::get_num_threads(), TORCH_VERSION);
  std::printf(
      "| optimizer | ours, ms | LibTorch's, ms | LibTorch's / ours: median (min to max) "
      "|\n|---|---|---|---|\n");
  for (const char* name : {"sgd", "adagrad", "rmsprop", "adam", "amsgrad", "adamw"})
    compare(name, width, pairs);
  return 0;
}
