// A network, a task and data of one's own under a budget, with LibTorch's own headers.
#include <cstdio>
#include <glidepath/examples.h>
#include <glidepath/experiment.h>

#include <torch/torch.h>

struct Net : torch::nn::Module {
  torch::Tensor forward(torch::Tensor x) { return out(torch::relu(norm(hidden(x)))); }
  torch::nn::Linear hidden = register_module("hidden", torch::nn::Linear(2, 32)),
                    out = register_module("out", torch::nn::Linear(32, 2));
  torch::nn::BatchNorm1d norm = register_module("norm", torch::nn::BatchNorm1d(32));
};

int main() {
  torch::manual_seed(1);
  const torch::Tensor points = torch::rand({3000, 2}) * 2 - 1;
  const torch::Tensor inside = (points.square().sum(1) < 0.6).to(torch::kInt64);
  const auto part = [&](std::int64_t first, std::int64_t count) {
    return glidepath::tensor_examples({points.narrow(0, first, count)}, {inside.narrow(0, first, count)});
  };
  glidepath::Experiment circle;
  circle.config.budget = "10ep";
  circle.model = glidepath::module_model(std::make_shared<Net>());
  circle.data = glidepath::own_data(part(0, 2500), part(2500, 500));
  const glidepath::TrainResult result = glidepath::train(circle);
  std::printf("accuracy %.3f after %lld updates, lr %g\n", result.test_accuracy,
              static_cast<long long>(result.updates), result.final_lr);
  return result.test_accuracy > 0.95 && result.updates == 200 && result.final_lr == 0 ? 0 : 1;
}
