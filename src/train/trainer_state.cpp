// src/train/trainer_state.cpp - a run's state, to and from its checkpoint.
#include <fmt/format.h>
#include <torch/torch.h>

#include "glidepath/error.h"
#include "train/trainer.h"

namespace glidepath {

void Trainer::restore() {
  TensorMap saved;
  RunState state = directory_.load_checkpoint(saved);
  const std::string change = change_budget(state, saved);
  if (!saved.empty()) take_over(saved);
  seconds_before_ = state.seconds;
  evaluation_ = {state.test_loss, state.test_accuracy};
  budget_state_ = state.budget;
  budget_ = run_budget(config_, seconds_spent(), unix_seconds());
  meter_ = BudgetMeter(budget_, context_, state.step, state.seconds, state.budget.clock, state.budget.origin);
  schedule_ = schedule_for(config_, context_, state.budget.schedule_updates);
  last_record_ = state.step;
  evaluations_ = evaluation_plan_.due(state.step, meter_.progress());
  lr_ = state.lr;
  plateau_.set_state(state.plateau);
  loader_.seek(state.step);
  directory_.go_on_from(state);
  if (change.empty()) return;
  // The checkpoint is the authority, so it is first: killed between the two, the run goes on as it should.
  save_checkpoint();
  directory_.rewrite_config(config_, told_changes(budget_state_));
  if (options_.on_budget_change) options_.on_budget_change(change);
}

void Trainer::take_over(const TensorMap& saved) {
  torch::NoGradGuard no_grad;
  const auto copy_into = [&](const std::string& name, torch::Tensor target) {
    const auto found = saved.find(name);
    if (found == saved.end() || found->second.sizes() != target.sizes()) {
      throw InputError(fmt::format("--resume {}: its checkpoint does not fit this model at {}",
                                   options_.out.string(), name));
    }
    target.copy_(found->second);
  };
  for (auto& [name, tensor] : state_dict(*model_)) copy_into("model." + name, tensor);
  for (auto& [name, tensor] : optimizer_.state()) copy_into("momentum." + name, tensor);
  if (saved.count("loss_window") == 0) copy_into("loss_window", window_.state());
  window_.set_state(saved.at("loss_window"));
}

TensorMap Trainer::tensors() {
  TensorMap tensors;
  for (const auto& [name, tensor] : state_dict(*model_)) tensors["model." + name] = tensor;
  for (const auto& [name, tensor] : optimizer_.state()) tensors["momentum." + name] = tensor;
  tensors["loss_window"] = window_.state();
  return tensors;
}

RunState Trainer::state() {
  if (last_record_ != meter_.step()) record_updates();
  budget_state_.clock = meter_.clock().state();
  return {meter_.step(),    seconds_spent(), 0, lr_, evaluation_.loss, evaluation_.accuracy,
          plateau_.state(), budget_state_};
}

void Trainer::save_checkpoint() {
  const double begun = now();
  directory_.save_checkpoint(tensors(), state());
  last_checkpoint_ = now();
  writing_seconds_ = last_checkpoint_ - begun;
}

}  // namespace glidepath
