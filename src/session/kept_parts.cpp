// src/session/kept_parts.cpp - what checkpoints keep of things that know nothing of checkpoints.
#include "session/kept_parts.h"

#include <cmath>
#include <mutex>

#include <ATen/Context.h>
#include <torch/types.h>
#include <torch/utils.h>

#include "loop/tally.h"

namespace glidepath {
namespace {

constexpr const char* kCpuGenerator = "generator.cpu";
constexpr const char* kDeviceGenerator = "generator.device";

torch::Tensor generator_state(const torch::Device& device) {
  torch::Generator generator = at::globalContext().defaultGenerator(device);
  const std::lock_guard<std::mutex> lock(generator.mutex());
  return generator.get_state();
}

void set_generator_state(const torch::Device& device, const torch::Tensor& state) {
  torch::Generator generator = at::globalContext().defaultGenerator(device);
  const std::lock_guard<std::mutex> lock(generator.mutex());
  generator.set_state(state);
}

}  // namespace

void KeptModel::save(Saved& saved) const {
  for (const auto& [name, tensor] : state_dict(model_)) saved.tensors["model." + name] = tensor;
  for (const auto& [name, tensor] : optimizer_.state()) saved.tensors[name] = tensor;
}

void KeptModel::load(const Saved& saved) {
  const torch::NoGradGuard no_grad;
  for (auto& [name, tensor] : state_dict(model_)) tensor.copy_(stored(saved, "model." + name, &tensor));
  optimizer_.set_state(saved.tensors);
}

void KeptGenerators::save(Saved& saved) const {
  saved.tensors[kCpuGenerator] = generator_state(torch::kCPU);
  if (!device_.is_cpu()) saved.tensors[kDeviceGenerator] = generator_state(device_);
}

// A run may go on where there is no such device: it draws nothing there.
void KeptGenerators::load(const Saved& saved) {
  set_generator_state(torch::kCPU, stored(saved, kCpuGenerator));
  const auto found = saved.tensors.find(kDeviceGenerator);
  if (!device_.is_cpu() && found != saved.tensors.end()) set_generator_state(device_, found->second);
}

void KeptGlide::begin(const std::string& budget) {
  GlideOptions options = run_.glide_options();
  options.budget = budget;
  options.seconds_before = run_.seconds_spent();
  run_.glide = Glide(options);
  follow();
}

void KeptGlide::follow() {
  if (run_.sizes.vary()) run_.feed.set_image_size(run_.sizes.by_step(run_.glide));
}

void KeptGlide::save(Saved& saved) const {
  const GlideState state = run_.glide.state();
  saved.state.step = state.step;
  saved.state.seconds = run_.seconds_spent();
  saved.state.budget = state.budget;
  saved.state.plateau = state.plateau;
}

void KeptGlide::load(const Saved& saved) {
  const double rate = std::ldexp(1.0, -static_cast<int>(saved.state.rewinds));
  run_.glide = Glide(run_.glide_options(),
                     {saved.state.step, run_.seconds_spent(), saved.state.budget, saved.state.plateau, rate});
  follow();
}

}  // namespace glidepath
