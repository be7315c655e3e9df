// An optimizer of Glidepath's beside a Glide, in a loop and over a network that are not its own; and one
// update of each optimizer against LibTorch's of the same settings.
#include <cmath>
#include <cstdio>
#include <glidepath/dataset.h>
#include <glidepath/effective_rate.h>
#include <glidepath/glide.h>
#include <glidepath/loader.h>
#include <glidepath/optimizer.h>
#include <memory>
#include <string>

#include <torch/torch.h>

namespace {

torch::nn::Sequential network() {
  torch::manual_seed(0);
  return torch::nn::Sequential(torch::nn::Linear(64, 32), torch::nn::ReLU(), torch::nn::Linear(32, 10));
}

torch::Tensor loss_of(torch::nn::Sequential& model, const glidepath::Batch& batch) {
  return torch::nn::functional::cross_entropy(model->forward(batch.images().flatten(1)), batch.labels());
}

constexpr double kRate = 0.01, kDecay = 1e-3;

std::unique_ptr<torch::optim::Optimizer> theirs_like(const std::string& name,
                                                     const std::vector<torch::Tensor>& parameters) {
  using namespace torch::optim;
  if (name == "sgd")
    return std::make_unique<SGD>(parameters,
                                 SGDOptions(kRate).momentum(0.9).nesterov(true).weight_decay(kDecay));
  if (name == "adagrad")
    return std::make_unique<Adagrad>(parameters, AdagradOptions(kRate).weight_decay(kDecay));
  if (name == "rmsprop")
    return std::make_unique<RMSprop>(parameters, RMSpropOptions(kRate).weight_decay(kDecay));
  if (name == "adamw") return std::make_unique<AdamW>(parameters, AdamWOptions(kRate).weight_decay(kDecay));
  return std::make_unique<Adam>(parameters,
                                AdamOptions(kRate).weight_decay(kDecay).amsgrad(name == "amsgrad"));
}

/// The largest difference that one update makes.
double difference(const std::string& name, const glidepath::Batch& batch) {
  torch::nn::Sequential ours = network(), theirs = network();
  glidepath::OptimizerOptions options;
  options.name = name;
  options.weight_decay = kDecay;
  const auto optimizer = glidepath::make_optimizer(options, glidepath::named_parameters(*ours));
  loss_of(ours, batch).backward();
  optimizer->step(kRate);
  loss_of(theirs, batch).backward();
  theirs_like(name, theirs->parameters())->step();
  double most = 0;
  for (std::size_t i = 0; i < ours->parameters().size(); ++i) {
    const auto apart = (ours->parameters()[i] - theirs->parameters()[i]).abs().max();
    most = std::max(most, apart.item<double>());
  }
  return most;
}

double accuracy(torch::nn::Sequential& model, const glidepath::Dataset& data) {
  const torch::NoGradGuard no_grad;
  glidepath::PlainLoader loader(data, data.test, 0, data.test.size(), 100, torch::kFloat32, false);
  std::int64_t right = 0;
  while (const auto batch = loader.next())
    right +=
        (model->forward(batch->images().flatten(1)).argmax(1) == batch->labels()).sum().item<std::int64_t>();
  return static_cast<double>(right) / static_cast<double>(data.test.size());
}

}  // namespace

int main() {
  const glidepath::Dataset data = glidepath::load_dataset("digits");
  glidepath::LoaderOptions stream;
  stream.batch_size = 32;
  stream.augment = false;
  glidepath::TrainLoader loader(data, stream);

  bool all_well = true;
  for (const std::string& name : glidepath::optimizer_names()) {
    if (name == "muon" || name.rfind("schedule-free", 0) == 0) continue;  // LibTorch has none
    const double apart = difference(name, loader.next());
    std::printf("%-8s one update, from LibTorch's: %.1e\n", name.c_str(), apart);
    all_well = all_well && apart < 1e-6;
  }

  torch::nn::Sequential model = network();
  glidepath::OptimizerOptions options;
  options.name = "amsgrad";
  const auto optimizer = glidepath::make_optimizer(options, glidepath::named_parameters(*model));
  glidepath::GlideOptions plan;
  plan.budget = "8ep";
  plan.schedule = "linear(warmup=5%)";
  plan.base_lr = 0.01;
  plan.context.steps_per_epoch = loader.steps_per_epoch();
  glidepath::Glide glide(plan);
  double median = 0;
  for (; !glide.done(); glide.update()) {
    optimizer->drop_gradients();
    loss_of(model, loader.next()).backward();
    optimizer->step(glide.lr());
    median = glidepath::effective_rate(*optimizer, glide.lr()).median;
  }
  const double reached = accuracy(model, data);
  std::printf("accuracy %.3f after %lld updates, lr %g, median effective rate of the last one %.2e\n",
              reached, static_cast<long long>(glide.step()), glide.lr(), median);

  // Its state, for a checkpoint of one's own, and back.
  glidepath::TensorMap saved;
  for (const auto& [name, tensor] : optimizer->state()) saved[name] = tensor;
  glidepath::make_optimizer(options, glidepath::named_parameters(*model))->set_state(saved);
  all_well = all_well && saved.count("max_exp_avg_sq.2.weight") == 1 && saved.count("steps") == 1;
  return all_well && reached > 0.8 && median > 0 ? 0 : 1;
}
