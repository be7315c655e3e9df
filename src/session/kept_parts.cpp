// src/session/kept_parts.cpp - what checkpoints keep of things that know nothing of checkpoints.
#include "session/kept_parts.h"

#include <cmath>
#include <mutex>
#include <type_traits>

#include <ATen/Context.h>
#include <ATen/core/grad_mode.h>
#include <torch/types.h>

#include "glidepath/error.h"
#include "loop/tally.h"
#include "run/budget_state.h"

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
  const at::NoGradGuard no_grad;
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

void GlidePlace::fields(StateFields& fields) {
  fields.count("step", step);
  fields.seconds("seconds", seconds);
  fields.value("budget", budget, budget_state_from);
  fields.number("plateau_factor", plateau.factor);
  fields.number("plateau_best", plateau.best);
  fields.number("plateau_best_progress", plateau.best_progress);
  fields.flag("plateau_any", plateau.any);
}

void KeptGlide::save(Saved& saved) const {
  const GlideState state = run_.glide.state();
  saved.state.put(GlidePlace{state.step, run_.seconds_spent(), state.budget, state.plateau});
}

// Its seconds are the stopwatch's, which a run that goes back after it diverged does not set back.
void KeptGlide::load(const Saved& saved) {
  const auto place = saved.state.get<GlidePlace>();
  const double rate = std::ldexp(1.0, -static_cast<int>(saved.state.get<Rewinds>().count));
  run_.glide =
      Glide(run_.glide_options(), {place.step, run_.seconds_spent(), place.budget, place.plateau, rate});
  follow();
}

StateMap start_state() {
  StateMap state;
  for_each_kept([&](const auto& kept) { state.put(kept); });
  return state;
}

void check_state(const StateMap& state) {
  for_each_kept([&](const auto& kept) { state.get<std::decay_t<decltype(kept)>>(); });
  if (state.get<Recorder::Kept>().last > state.get<GlidePlace>().step)
    throw InputError("holds a record of an update that is to come");
}

}  // namespace glidepath
