// src/train/trainer_state.cpp - a run's state, to and from its checkpoint.
#include <fmt/format.h>
#include <torch/torch.h>

#include "glidepath/error.h"
#include "train/trainer.h"

namespace glidepath {

void Trainer::restore() {
  TensorMap saved;
  const RunState state = directory_.load_checkpoint(saved);
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
  seconds_before_ = state.seconds;
  evaluation_ = {state.test_loss, state.test_accuracy};
  meter_ = BudgetMeter(budget_, context_, state.step, state.seconds, state.clock);
  last_record_ = state.step;
  evaluations_ = evaluation_plan_.due(state.step, meter_.progress());
  lr_ = state.lr;
  plateau_.set_state(state.plateau);
  loader_.seek(state.step);
  directory_.go_on_from(state);
}

void Trainer::save_checkpoint() {
  const double begun = now();
  TensorMap tensors;
  for (const auto& [name, tensor] : state_dict(*model_)) tensors["model." + name] = tensor;
  for (const auto& [name, tensor] : optimizer_.state()) tensors["momentum." + name] = tensor;
  tensors["loss_window"] = window_.state();
  if (last_record_ != meter_.step()) record_updates();
  directory_.save_checkpoint(tensors, {meter_.step(), seconds_spent(), 0, lr_, evaluation_.loss,
                                       evaluation_.accuracy, plateau_.state(), meter_.clock().state()});
  last_checkpoint_ = now();
  writing_seconds_ = last_checkpoint_ - begun;
}

}  // namespace glidepath
