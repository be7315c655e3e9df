// A loop of one's own with parts of Glidepath and none of its trainer: Glide over torch's Adam, the data
// stream with its augmentation, and a checkpoint, optimizer state included, that Python reads (arguments: the
// file to write).
#include <cstdio>
#include <glidepath/dataset.h>
#include <glidepath/glide.h>
#include <glidepath/loader.h>
#include <glidepath/safetensors.h>
#include <string>
#include <type_traits>

#include <ATen/Context.h>
#include <ATen/core/grad_mode.h>
#include <torch/nn/functional/loss.h>
#include <torch/nn/modules/linear.h>
#include <torch/optim/adam.h>

namespace {

// LibTorch 1.x finds an optimizer's state by the parameter's address as text, 2.x by the address.
template <typename States>
const torch::optim::AdamParamState& state_of(const States& states, const torch::Tensor& parameter) {
  using Key = std::decay_t<decltype(states.begin()->first)>;
  if constexpr (std::is_same_v<Key, std::string>) {
    const Key key = c10::guts::to_string(parameter.unsafeGetTensorImpl());
    return static_cast<const torch::optim::AdamParamState&>(*states.at(key));
  } else {
    return static_cast<const torch::optim::AdamParamState&>(*states.at(parameter.unsafeGetTensorImpl()));
  }
}

double accuracy(torch::nn::Linear& model, const glidepath::Dataset& data) {
  const at::NoGradGuard no_grad;
  glidepath::PlainLoader loader(data, data.test, 0, data.test.size(), 100, torch::kFloat32, false);
  std::int64_t right = 0;
  while (const auto batch = loader.next())
    right +=
        (model->forward(batch->images().flatten(1)).argmax(1) == batch->labels()).sum().item<std::int64_t>();
  return static_cast<double>(right) / static_cast<double>(data.test.size());
}

}  // namespace

int main(int, char** arguments) {
  at::manual_seed(0);
  const glidepath::Dataset data = glidepath::load_dataset("digits");
  glidepath::LoaderOptions stream;
  stream.batch_size = 32;
  stream.crop_padding = 1;  // of 8 pixels
  glidepath::TrainLoader loader(data, stream);

  torch::nn::Linear model(64, 10);
  torch::optim::Adam optimizer(model->parameters(), torch::optim::AdamOptions(0.01));
  glidepath::GlideOptions options;
  options.budget = "8ep";
  options.schedule = "linear(warmup=5%)";
  options.base_lr = 0.01;
  options.context.steps_per_epoch = loader.steps_per_epoch();
  glidepath::Glide glide(options);
  for (; !glide.done(); glide.update()) {
    static_cast<torch::optim::AdamOptions&>(optimizer.param_groups()[0].options()).lr(glide.lr());
    const glidepath::Batch batch = loader.next();
    optimizer.zero_grad();
    torch::nn::functional::cross_entropy(model->forward(batch.images().flatten(1)), batch.labels())
        .backward();
    optimizer.step();
  }

  glidepath::TensorMap saved;
  for (const auto& parameter : model->named_parameters()) {
    const auto& state = state_of(optimizer.state(), parameter.value());
    saved["model." + parameter.key()] = parameter.value();
    saved["optimizer.exp_avg." + parameter.key()] = state.exp_avg();
    saved["optimizer.exp_avg_sq." + parameter.key()] = state.exp_avg_sq();
  }
  glidepath::save_safetensors(arguments[1], saved, {{"step", std::to_string(glide.step())}});
  std::printf("accuracy %.3f after %lld updates, lr %g\n", accuracy(model, data),
              static_cast<long long>(glide.step()), glide.lr());
  return glide.lr() == 0 && glide.step() == 8 * loader.steps_per_epoch() && accuracy(model, data) > 0.5 ? 0
                                                                                                        : 1;
}
