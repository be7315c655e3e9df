// bench/scaling.cpp - what the parts of an update cost in one process and in two, on this machine, in turn.
//
//     ninja -C build/release scaling && build/release/bench/scaling [model] [width] [batch] [rounds] >
//     costs.json
//
// Starts itself as two ranks of one thread. Each round goes through everything once: rank 0 computing alone,
// both computing without a word, all-reduces by size, and real updates of both; medians are over the rounds.
// bench/scaling.py makes the model of it.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>
#include <torch/nn/functional/loss.h>
#include <torch/version.h>

#include "glidepath/loader.h"
#include "glidepath/process_group.h"
#include "ranks/gradient_reducer.h"
#include "ranks/meeting/launcher.h"
#include "setup/run_setup.h"
#include "timing.h"

namespace {

using namespace glidepath;

constexpr int kUpdates = 4;  // of each kind in a round, after one that is not counted
constexpr int kReductions = 5;
constexpr std::int64_t kLargest = 32 << 20;
constexpr double kLr = 1e-4;  // weights hardly move: every update costs the same

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// CIFAR-10's shape, so that nothing has to be fetched.
Dataset made_up_images() {
  Dataset dataset;
  dataset.classes = 10;
  dataset.mean = {0.5F, 0.5F, 0.5F};
  dataset.stddev = {0.25F, 0.25F, 0.25F};
  dataset.train.images = torch::randint(0, 256, {4096, 3, 32, 32}, torch::kUInt8);
  dataset.train.labels = torch::randint(0, 10, {4096}, torch::kInt64);
  dataset.test = dataset.train;
  return dataset;
}

using Times = std::map<std::string, std::vector<double>>;

struct Bench {
  ProcessGroup& group;
  Model& model;
  Optimizer& optimizer;
  GradientReducer& reducer;
  TrainLoader &whole, &half;
  Times times;

  /// One update; its parts' seconds under `name`.
  void update(const std::string& name, TrainLoader& loader, bool reduced, bool counted) {
    const double begun = now();
    const Batch batch = loader.next();
    const double loaded = now();
    optimizer.drop_gradients();
    const torch::Tensor loss =
        torch::nn::functional::cross_entropy(model.forward(batch.inputs).front(), batch.labels());
    const double forward = now();
    torch::Tensor sums = torch::zeros({67}, torch::kFloat64);
    ProcessGroup::Pending pending;
    if (reduced) {  // as a run does: losses and signals beside, and the clock after
      pending = group.all_reduce_later(sums);
      reducer.begin();
    }
    loss.backward();
    const double backward = now();
    if (reduced) {
      reducer.finish();
      pending.wait();
    }
    const double reduced_at = now();
    optimizer.step(kLr);
    if (reduced) group.broadcast(torch::zeros({2}, torch::kFloat64));
    const double done = now();
    if (!counted) return;
    times[name + ".input"].push_back(loaded - begun);
    times[name + ".forward"].push_back(forward - loaded);
    times[name + ".backward"].push_back(backward - forward);
    times[name + ".waiting"].push_back(reduced_at - backward);
    times[name + ".step"].push_back(done - reduced_at);
    times[name + ".total"].push_back(done - begun);
  }
  void updates(const std::string& name, TrainLoader& loader, bool reduced) {
    for (int i = 0; i <= kUpdates; ++i) update(name, loader, reduced, i > 0);
  }
  void reductions() {
    for (std::int64_t bytes = 8; bytes <= kLargest; bytes *= 16) {
      torch::Tensor tensor = torch::zeros({bytes / 4});
      for (int i = 0; i <= kReductions; ++i) {
        const double begun = now();
        group.all_reduce(tensor);
        if (i > 0) times["reduce." + std::to_string(bytes)].push_back(now() - begun);
      }
    }
  }
  void round() {
    if (group.rank() == 0) updates("one", whole, false);
    group.barrier();
    updates("apart", half, false);  // the whole batch over both, and nothing said
    group.barrier();
    updates("two", half, true);
    group.barrier();
    updates("twice", whole, true);  // as much for each as for one
    group.barrier();
    updates("twice-apart", whole, false);
    group.barrier();
    reductions();
  }
};

int measure(int argc, char** argv) {
  const auto argument = [&](int place, const char* fallback) {
    return std::string(argc > place ? argv[place] : fallback);
  };
  TrainConfig config;
  config.model = argument(1, "resnet18");
  config.width = std::atof(argument(2, "0.25").c_str());
  config.batch_size = std::atol(argument(3, "64").c_str());
  const int rounds = std::atoi(argument(4, "5").c_str());
  config.precision = "fp32";
  config.threads = 1;
  const auto group = ProcessGroup::join(*place_from_environment());
  const ComputePlan plan = plan_compute(config);
  const Dataset dataset = made_up_images();
  const auto model = build_model(config, dataset, plan);
  const auto optimizer = make_optimizer(config, named_parameters(*model));
  GradientReducer reducer(*group, model->parameters());
  LoaderOptions options = loader_options(config, plan, dataset);
  options.prefetch = 0;
  TrainLoader whole(dataset, options);
  options.rank = group->rank();
  options.ranks = group->size();
  TrainLoader half(dataset, options);
  Bench bench{*group, *model, *optimizer, reducer, whole, half, {}};
  for (int i = 0; i < rounds; ++i) bench.round();
  group->leave();
  if (group->rank() != 0) return 0;
  std::int64_t bytes = 0;
  for (const auto& parameter : model->parameters()) bytes += parameter.numel() * 4;
  nlohmann::ordered_json told = {{"model", config.model},      {"width", config.width},
                                 {"batch", config.batch_size}, {"rounds", rounds},
                                 {"model_bytes", bytes},       {"buckets", reducer.buckets()},
                                 {"torch", TORCH_VERSION}};
  for (const auto& [name, values] : bench.times) {
    told["seconds"][name] = median(values);
    std::vector<double> sorted = values;
    std::sort(sorted.begin(), sorted.end());
    told["spread"][name] = (sorted[sorted.size() * 3 / 4] - sorted[sorted.size() / 4]) / median(values);
  }
  std::printf("%s\n", told.dump(1).c_str());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
#ifndef NDEBUG
  std::fprintf(stderr, "scaling: a debug build tells nothing of speed; build with the release preset\n");
  return 2;
#endif
  try {
    if (std::getenv("RANK") != nullptr) return measure(argc, argv);
    LaunchOptions options;
    options.ranks = 2;
    options.threads_per_rank = 1;
    return launch(std::filesystem::read_symlink("/proc/self/exe").string(),
                  std::vector<std::string>(argv + 1, argv + argc), options);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "scaling: %s\n", error.what());
    return 1;
  }
}
