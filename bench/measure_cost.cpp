// bench/measure_cost.cpp - what instruments cost: the full gradient beside the forward and backward passes
// that it cannot do without, and the online estimate beside an update. One run, taken in turn, as ratios.
//
//     build/release/bench/measure_cost DATA_DIR [REPEATS]
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <exception>
#include <functional>
#include <vector>

#include <torch/nn/functional/loss.h>
#include <torch/version.h>

#include "glidepath/loader.h"
#include "glidepath/online_gradient.h"
#include "glidepath/train.h"
#include "measure/full_gradient.h"
#include "setup/run_setup.h"

namespace {

using namespace glidepath;

// Of the processor, on one thread: what else the machine does hardly shows.
double seconds_of(const std::function<void()>& work) {
  const std::clock_t begun = std::clock();
  work();
  return static_cast<double>(std::clock() - begun) / CLOCKS_PER_SEC;
}

struct Ratios {
  std::vector<double> values;
  void print(const char* what) {
    std::sort(values.begin(), values.end());
    std::printf("  %-52s median %.4f (%.4f to %.4f)\n", what, values[values.size() / 2], values.front(),
                values.back());
  }
};

struct Contest {
  const char* model;
  double width;
  std::int64_t batches;  // in one turn
};

class Bench {
 public:
  Bench(const Contest& contest, const char* data_dir) {
    config_.model = contest.model;
    config_.width = contest.width;
    config_.data_dir = data_dir;
    config_.train_limit = contest.batches * config_.batch_size;
    config_.test_limit = 100;
    config_.threads = 1;
    plan_ = plan_compute(config_);
    dataset_ = load_limited(config_);
    model_ = build_model(config_, dataset_, plan_);
  }

  /// What any measure of the whole gradient has to do: every batch forward and backward, once.
  double passes(bool bf16) {
    ComputePlan plan = plan_;
    plan.bf16 = bf16;
    return seconds_of([&] {
      for (std::int64_t first = 0; first < config_.train_limit; first += config_.batch_size) {
        const Batch batch = plain_batch(dataset_, dataset_.train, first, config_.batch_size,
                                        bf16 ? torch::kBFloat16 : torch::kFloat32, plan.channels_last);
        for (torch::Tensor& parameter : model_->parameters()) parameter.mutable_grad().reset();
        torch::Tensor loss;
        {
          const AutocastGuard autocast(plan);
          loss = torch::nn::functional::cross_entropy(
              model_->forward(batch.inputs).front().to(torch::kFloat32), batch.labels());
        }
        loss.backward();
        loss.item<double>();
      }
    });
  }

  double full(bool bf16) {
    FullGradientOptions options;
    options.batch_size = config_.batch_size;
    options.bf16 = bf16;
    return seconds_of([&] { full_gradient(*model_, dataset_, options, plan_); });
  }

  /// Of one update, the mean over pairs: the gradients that passes() left, copied and multiplied.
  double pairs() {
    OnlineGradient online({50'000, 1'000'000, 2, 1'000'000});
    const Tensors parameters = model_->parameters();
    const std::int64_t updates = 40;
    const auto observe = [&](std::int64_t step) {
      const Tensors gradients = gradients_of(parameters);
      online.observe(step, 128, 0.1, gradients, [&] { return gradients; });
    };
    observe(0), observe(1);  // takes memory
    return seconds_of([&] {
             for (std::int64_t step = 2; step < 2 + updates; ++step) observe(step);
           }) /
           static_cast<double>(updates);
  }

  std::int64_t batches() const { return config_.train_limit / config_.batch_size; }
  bool has_bf16() const { return plan_.bf16; }

 private:
  TrainConfig config_;
  ComputePlan plan_;
  Dataset dataset_;
  std::shared_ptr<Model> model_;
};

void run(const Contest& contest, const char* data_dir, int repeats) {
  Bench bench(contest, data_dir);
  std::printf("%s, width %g, batch 128, one thread, processor time\n", contest.model, contest.width);
  for (const bool bf16 : {false, true}) {
    if (bf16 && !bench.has_bf16()) continue;
    Ratios full, pairs;
    bench.passes(bf16), bench.full(bf16);  // kernels are chosen, memory is taken
    double update = 0;
    for (int i = 0; i < repeats; ++i) {
      // Before and after: a machine that slows down slows both.
      const double before = bench.passes(bf16), measured = bench.full(bf16), after = bench.passes(bf16);
      full.values.push_back(measured / ((before + after) / 2));
      update = (before + after) / 2 / static_cast<double>(bench.batches());
      pairs.values.push_back(bench.pairs() / update);
    }
    std::printf(" %s, forward and backward of a batch %.1f ms\n", bf16 ? "bf16" : "fp32", 1000 * update);
    full.print("full gradient / forward and backward");
    pairs.print("pairs of the online estimate / forward and backward");
  }
}

}  // namespace

int main(int argc, char** argv) {
#ifndef NDEBUG
  std::fprintf(stderr, "measure_cost: a debug build; times would say nothing\n");
  return 2;
#endif
  std::setvbuf(stdout, nullptr, _IOLBF, 0);  // a line as soon as it is known
  if (argc < 2) {
    std::fprintf(stderr, "measure_cost: give the folder of the CIFAR-10 files\n");
    return 2;
  }
  try {
    glidepath::keep_freed_memory();
    std::printf("LibTorch %s\n", TORCH_VERSION);
    const int repeats = argc > 2 ? std::atoi(argv[2]) : 5;
    for (const Contest& contest : {Contest{"resnet8", 0.5, 10}, {"resnet18", 0.25, 2}, {"resnet18", 1, 1}})
      run(contest, argv[1], repeats);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "measure_cost: %s\n", error.what());
    return 1;
  }
  return 0;
}
