// How large the full gradient of a network of one's own is: exactly, and estimated from the gradients that
// training computes anyway; against torch's own gradient of all examples at once.
#include <cmath>
#include <cstdio>
#include <glidepath/dataset.h>
#include <glidepath/gradients.h>
#include <glidepath/loader.h>
#include <glidepath/online_gradient.h>
#include <optional>
#include <vector>

#include <torch/torch.h>

namespace {

struct Network : torch::nn::Module {
  Network() : first(register_module("first", torch::nn::Linear(64, 32))) {
    last = register_module("last", torch::nn::Linear(32, 10));
  }
  torch::Tensor loss(const glidepath::Batch& batch) {
    const auto logits = last->forward(torch::relu(first->forward(batch.images().flatten(1))));
    return torch::nn::functional::cross_entropy(logits, batch.labels());
  }
  torch::nn::Linear first, last{nullptr};
};

glidepath::PlainLoader in_batches(const glidepath::Dataset& data, std::int64_t size) {
  return {data, data.train, 0, data.train.size(), size, torch::kFloat32, false};
}

glidepath::FullGradient exact(Network& network, const glidepath::Dataset& data) {
  glidepath::PlainLoader loader = in_batches(data, 100);
  return glidepath::full_gradient(network, [&]() -> std::optional<glidepath::BatchLoss> {
    const auto batch = loader.next();
    if (!batch) return std::nullopt;
    return glidepath::BatchLoss{network.loss(*batch), batch->labels().size(0)};
  });
}

/// Of all examples at once, by torch alone.
double by_torch(Network& network, const glidepath::Dataset& data) {
  const auto all = in_batches(data, data.train.size()).next();
  double squares = 0;
  for (const auto& gradient : torch::autograd::grad({network.loss(*all)}, network.parameters()))
    squares += gradient.to(torch::kFloat64).pow(2).sum().item<double>();
  return std::sqrt(squares);
}

}  // namespace

int main() {
  torch::manual_seed(0);
  const glidepath::Dataset data = glidepath::load_dataset("digits");
  glidepath::LoaderOptions stream;
  stream.batch_size = 32;
  stream.augment = false;
  glidepath::TrainLoader loader(data, stream);
  Network network;
  torch::optim::SGD optimizer(network.parameters(), 0.05);

  glidepath::OnlineGradientOptions options;
  options.training_images = data.train.size();
  options.steps_per_epoch = loader.steps_per_epoch();
  options.peek = 16;
  glidepath::OnlineGradient online(options);

  // Three epochs that train, then ten at fixed weights, where the estimate is to be the exact one.
  const std::int64_t trained = 3 * loader.steps_per_epoch(), updates = 13 * loader.steps_per_epoch();
  glidepath::Batch batch = loader.next();
  for (std::int64_t step = 0; step < updates; ++step) {
    if (step == trained) {
      std::printf("while it trained: %.4f\n", online.estimate().norm());
      online.start_window();
    }
    const double lr = step < trained ? 0.05 : 0;
    optimizer.zero_grad();
    network.loss(batch).backward();
    const glidepath::Batch next = loader.next();
    if (online.wants(step)) {
      online.observe(step, batch.labels().size(0), lr, glidepath::gradients_of(network.parameters()),
                     [&] { return glidepath::gradients_of(network.loss(next), network.parameters()); });
    }
    if (step < trained) optimizer.step();
    batch = next;
  }

  const glidepath::FullGradient found = exact(network, data);
  const glidepath::OnlineEstimate estimate = online.estimate();
  const double wanted = by_torch(network, data);
  std::printf("||g||: exact %.6f, by torch %.6f; estimated %.4f, from %.4f to %.4f, %lld pairs\n", found.norm,
              wanted, estimate.norm(), estimate.low(), estimate.high(),
              static_cast<long long>(estimate.pairs));
  for (const auto& [name, norm] : found.norms) std::printf("  %-12s %.6f\n", name.c_str(), norm);
  const bool is_exact = std::abs(found.norm / wanted - 1) < 1e-5 && found.examples == data.train.size();
  const double apart = std::abs(estimate.squared_norm - found.norm * found.norm);
  const bool is_estimated = estimate.squared_error > 0 && apart < 4 * estimate.squared_error;
  return is_exact && is_estimated && found.norms.size() == 4 ? 0 : 1;
}
