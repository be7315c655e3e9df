// bench/passes.cpp - forward and backward pass of a network on 32 x 32 pixels, with the library's 3x3
// convolutions and with ours, in turn: what the kernels alone buy.
//
//     ninja -C build/release passes && build/release/bench/passes [model] [width] [batch] [rounds] [threads]
//     [fp32|bf16]
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <vector>

#include <ATen/Parallel.h>
#include <torch/nn/functional/loss.h>

#include "glidepath/models.h"
#include "glidepath/train.h"
#include "nn/kernels/conv_guard.h"
#include "setup/run_setup.h"
#include "timing.h"

namespace {

using namespace glidepath;

class Passes {
 public:
  Passes(const TrainConfig& config, std::int64_t batch) : plan_(plan_compute(config)) {
    at::manual_seed(1);
    ModelOptions options;
    options.name = config.model;
    options.width = config.width;
    model_ = placed(make_model(options), config, plan_);
    inputs_ = torch::randn({batch, 3, 32, 32}).contiguous(torch::MemoryFormat::ChannelsLast);
    targets_ = torch::randint(10, {batch}, torch::kInt64);
  }

  double milliseconds(ConvKernels kernels) {
    const ConvGuard guard(kernels);
    return milliseconds_of([&] {
      for (torch::Tensor& parameter : model_->parameters()) parameter.mutable_grad().reset();
      torch::Tensor loss;
      {
        const AutocastGuard autocast(plan_);
        loss = torch::nn::functional::cross_entropy(model_->forward({inputs_}).front().to(torch::kFloat32),
                                                    targets_);
      }
      loss.backward();
    });
  }

 private:
  ComputePlan plan_;
  std::shared_ptr<Model> model_;
  torch::Tensor inputs_, targets_;
};

}  // namespace

int main(int argc, char** argv) {
  const auto argument = [&](int i, const char* otherwise) { return argc > i ? argv[i] : otherwise; };
  keep_freed_memory();
  try {
    TrainConfig config;
    config.model = argument(1, "resnet18");
    config.width = std::atof(argument(2, "1"));
    const int batch = std::atoi(argument(3, "128")), rounds = std::atoi(argument(4, "15"));
    config.threads = std::atoi(argument(5, "2"));
    config.precision = argument(6, "bf16");
    if (batch < 1 || rounds < 1 || config.threads < 1) {
      std::fputs("passes [model] [width] [batch] [rounds] [threads] [fp32|bf16]: numbers 1 or more\n",
                 stderr);
      return 2;
    }
    at::set_num_threads(static_cast<int>(config.threads));
    Passes passes(config, batch);
    std::vector<double> library, ours, ratios;
    for (int round = -1; round < rounds; ++round) {
      const double theirs = passes.milliseconds(ConvKernels::kLibrary),
                   own = passes.milliseconds(ConvKernels::kFastest);
      if (round < 0) continue;
      library.push_back(theirs);
      ours.push_back(own);
      ratios.push_back(theirs / own);
    }
    std::printf("%s of width %g, %d images, %lld thread(s), %s: library %.1f ms, ours %.1f ms, ratio %.2f\n",
                config.model.c_str(), config.width, batch, static_cast<long long>(config.threads),
                config.precision.c_str(), median(library), median(ours), median(ratios));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "passes: %s\n", error.what());
    return 1;
  }
  return 0;
}
