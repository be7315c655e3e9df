// src/loop/trainer_state.cpp - a run's state, to and from its checkpoints.
#include <mutex>

#include <ATen/Context.h>
#include <fmt/format.h>
#include <torch/types.h>
#include <torch/utils.h>

#include "data/images/corrupt_images.h"
#include "glidepath/error.h"
#include "loop/trainer.h"

namespace glidepath {
namespace {

constexpr std::uint64_t kBesideTensors = std::uint64_t{64} << 20;  // bytes
constexpr std::uint64_t kBytesOfStep = 64;                         // of the loss window, and more
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

void Trainer::restore() {
  TensorMap saved;
  // What a measure keeps for itself may be as much again, and the best weights are less.
  const auto of_window = kBytesOfStep * static_cast<std::uint64_t>(context_.steps_per_epoch);
  directory_.limit_checkpoints((keeps_best() ? 3 : 2) * bytes_of(tensors()) + of_window + kBesideTensors);
  const std::optional<RunState> found = directory_.load_checkpoint(saved);
  if (!found) {  // killed before its first checkpoint: from the start, whatever its budget was
    directory_.require_unsaved();
    if (!options_.resume_from.empty()) directory_.go_elsewhere(options_.out);
    use_schedule(meter_.updates());
    directory_.rewrite_config(config_, {});
    return directory_.go_on_from({});
  }
  RunState state = *found;
  rewinds_ = state.rewinds;
  const std::string change = change_budget(state, saved);
  seconds_before_ = state.seconds;
  rewinds_ = state.rewinds;
  budget_ = run_budget(config_, seconds_spent(), unix_seconds());
  take(saved.empty() ? start_tensors() : saved, state);
  if (!options_.resume_from.empty()) directory_.go_elsewhere(options_.out);
  if (change.empty() && options_.resume_from.empty()) return;
  if (!change.empty()) agenda_.start_anew(meter_);
  // The checkpoint is the authority, so it is first: killed between the two, the run goes on as it should.
  directory_.save_changed(tensors(), this->state());
  directory_.rewrite_config(config_, told_changes(budget_state_));
  if (!change.empty() && options_.on_budget_change) options_.on_budget_change(change);
}

void Trainer::take(const TensorMap& saved, const RunState& state) {
  torch::NoGradGuard no_grad;
  const auto stored = [&](const std::string& name, const torch::Tensor* like) {
    const auto found = saved.find(name);
    if (found == saved.end() || (like != nullptr && found->second.sizes() != like->sizes())) {
      throw InputError(fmt::format("--resume {}: its checkpoint does not fit this model at {}",
                                   options_.out.string(), name));
    }
    return found->second;
  };
  for (auto& [name, tensor] : state_dict(*model_)) tensor.copy_(stored("model." + name, &tensor));
  for (auto& [name, tensor] : optimizer_->state()) tensor.copy_(stored(name, &tensor));
  window_.set_state(stored("loss_window", nullptr));
  // A run may go on with a scale that it did not have before, on another device.
  if (scaler_) scaler_->set_state(saved.count(kLossScaler) > 0 ? saved.at(kLossScaler) : torch::Tensor());
  set_generator_state(torch::kCPU, stored(kCpuGenerator, nullptr));
  // A run may go on where there is no such device: it draws nothing there.
  if (!plan_.device.is_cpu() && saved.count(kDeviceGenerator) > 0) {
    set_generator_state(plan_.device, saved.at(kDeviceGenerator));
  }
  best_.take(saved, *model_);
  evaluation_ = {state.test_loss, state.test_accuracy};
  budget_state_ = state.budget;
  meter_ =
      BudgetMeter(budget_, context_, state.step, seconds_spent(), state.budget.clock, state.budget.origin);
  use_schedule(state.budget.schedule_updates);
  last_record_ = state.last_record;
  evaluated_step_ = state.evaluated_step;
  trained_ = state.trained;
  lr_ = state.lr;
  plateau_.set_state(state.plateau);
  rewind_step_ = state.rewind_step;
  agenda_.take(state, meter_, now());
  flops_spent_ = state.flops;
  set_corrupt_images(state);
  follow_resolution(loader_);
  batches_.seek(state.step);
  take_measures(saved);
  directory_.go_on_from(state);
}

TensorMap checkpoint_tensors(const Model& model, const Optimizer& optimizer, LossWindow& window,
                             const torch::Device& device) {
  TensorMap tensors;
  for (const auto& [name, tensor] : state_dict(model)) tensors["model." + name] = tensor;
  for (const auto& [name, tensor] : optimizer.state()) tensors[name] = tensor;
  tensors["loss_window"] = window.state();
  tensors[kCpuGenerator] = generator_state(torch::kCPU);
  if (!device.is_cpu()) tensors[kDeviceGenerator] = generator_state(device);
  return tensors;
}

RunState Trainer::state() const {
  RunState state;
  state.step = meter_.step();
  state.seconds = seconds_spent();
  state.last_record = last_record_;
  state.evaluated_step = evaluated_step_;
  agenda_.tell(state);
  state.trained = trained_;
  state.lr = lr_;
  state.test_loss = evaluation_.loss;
  state.test_accuracy = evaluation_.accuracy;
  state.plateau = plateau_.state();
  state.budget = budget_state_;
  state.budget.clock = meter_.clock().state();
  state.flops = flops_spent_;
  if (!dataset_.in_memory()) {
    const auto &train = dataset_.train.corrupt->known(), &test = dataset_.test.corrupt->known();
    state.corrupt_train.assign(train.begin(), train.end());
    state.corrupt_test.assign(test.begin(), test.end());
  }
  state.rewinds = rewinds_;
  state.rewind_step = rewind_step_;
  return state;
}

bool Trainer::save_checkpoint() {
  const double begun = now();
  const bool saved = agreement_.agree(directory_.save_checkpoint(tensors(), state()));
  agenda_.saved(saved, meter_, begun, now());
  return saved;
}

}  // namespace glidepath
