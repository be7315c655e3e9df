// src/train/trainer_divergence.cpp - what a run does when it has diverged: it stops, or goes back.
#include <cmath>

#include <fmt/format.h>
#include <torch/types.h>

#include "glidepath/error.h"
#include "train/trainer.h"

namespace glidepath {
namespace {

constexpr std::int64_t kMostRewinds = 5;

std::string told(const Diverged& divergence) {
  // Weights that are not finite are found before the next loss says so.
  const std::string loss = std::isnan(divergence.loss)   ? "not a number"
                           : std::isinf(divergence.loss) ? "infinite"
                                                         : fmt::format("{}", divergence.loss);
  return fmt::format("diverged: the loss is {} at update {} (lr {:.4g}){}", loss, divergence.update,
                     divergence.lr,
                     divergence.where.empty() ? "" : "; the first that is not finite is " + divergence.where);
}

}  // namespace

/// The tensors of a run that has not begun, as a checkpoint holds them. Seeds torch's generator as the start
/// does.
TensorMap Trainer::start_tensors() const {
  const auto fresh = build_model(config_, dataset_, plan_);
  const auto optimizer = make_optimizer(config_, named_parameters(*fresh));
  LossWindow window(context_.steps_per_epoch);
  return checkpoint_tensors(*fresh, *optimizer, window, plan_.device);
}

void Trainer::give_up(const Diverged& divergence) {
  TrainResult result;
  result.updates = divergence.update;
  result.train_loss = divergence.loss;
  result.rewinds = rewinds_;
  auto told_of = summary(result, "diverged");
  told_of["divergence"] = {
      {"update", divergence.update}, {"lr", divergence.lr}, {"first_not_finite", divergence.where}};
  directory_.save_summary(told_of);
  throw RunError(fmt::format("{}; give a lower --base-lr, a warm-up (such as linear(warmup=5%)){}",
                             told(divergence),
                             rewinds_ > 0 ? fmt::format("; base_lr was halved {} times already", rewinds_)
                                          : ", or --on-divergence rewind"));
}

void Trainer::recover_from(const Diverged& divergence) {
  in_update_ = false;
  if (!rewinds_on_divergence() || rewinds_ == kMostRewinds) give_up(divergence);
  if (is_rank_0()) go_back(divergence);
  share_state();
  save_checkpoint();
  if (options_.on_warning) {
    options_.on_warning(
        fmt::format("{}; back at update {} with base_lr {:.4g}", told(divergence), meter_.step(), base_lr()));
  }
}

void Trainer::go_back(const Diverged& divergence) {
  // First the checkpoints that would diverge again: killed from here on, the run comes here again.
  directory_.remove_checkpoints_after(rewind_step_);
  TensorMap saved;
  const std::optional<RunState> found = directory_.load_checkpoint(saved, rewind_step_);
  RunState back;  // the start
  back.rewind_step = 0;
  if (found) back = *found;
  back.budget = budget_state_;
  if (!found) back.budget.origin = {};
  back.budget.clock = meter_.clock().state();  // the time is spent: progress by a clock never falls
  take(found ? saved : start_tensors(), back);
  ++rewinds_;
  auto line = moment("rewind");
  line.update({{"diverged_at", divergence.update},
               {"first_not_finite", divergence.where},
               {"base_lr", base_lr()},
               {"rewinds", rewinds_},
               {"seconds", seconds_spent()}});
  directory_.append_metrics(line);
}

}  // namespace glidepath
