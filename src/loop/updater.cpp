// src/loop/updater.cpp - one update of the weights, by one process or by many.
#include "loop/updater.h"

#include <algorithm>
#include <cmath>

#include <ATen/core/grad_mode.h>
#include <torch/nn/utils/clip_grad.h>
#include <torch/types.h>

#include "core/words.h"
#include "evaluation/forward.h"
#include "glidepath/error.h"
#include "loop/divergence.h"
#include "nn/kernels/sum_over_ranks.h"

namespace glidepath {
namespace {

constexpr const char* kLossScaler = "loss_scaler";

/// Where norms look at all parts, a rank without any image goes through the network all the same, with one
/// that does not count.
Batch stand_in(const Batch& empty, const ComputePlan& plan) {
  const auto one = [&](const torch::Tensor& none) {
    std::vector<std::int64_t> shape = none.sizes().vec();
    shape[0] = 1;
    const torch::Tensor made = torch::zeros(shape, none.options());
    return made.dim() == 4 ? made.contiguous(plan.memory_format()) : made;
  };
  Batch batch;
  batch.examples = 1;
  for (const torch::Tensor& each : empty.inputs) batch.inputs.push_back(one(each));
  for (const torch::Tensor& each : empty.targets) batch.targets.push_back(one(each));
  return batch;
}

/// Examples [first, first + count).
Batch piece_of(const Batch& batch, std::int64_t first, std::int64_t count) {
  Batch piece;
  piece.examples = count;
  for (const torch::Tensor& each : batch.inputs) piece.inputs.push_back(each.narrow(0, first, count));
  for (const torch::Tensor& each : batch.targets) piece.targets.push_back(each.narrow(0, first, count));
  return piece;
}

}  // namespace

Updater::Updater(const TrainConfig& config, const ComputePlan& plan, Ranks& ranks, DataWatch& data,
                 Model& model, const Task& task, Optimizer& optimizer,
                 const std::function<void(const std::string&)>& on_warning)
    : plan_(plan),
      sync_bn_(config.sync_bn && ranks.size() > 1),
      micro_batch_(config.micro_batch),
      clip_norm_(words::number(config.clip_norm)),  // "none" is none
      ranks_(ranks),
      data_(data),
      model_(model),
      task_(task),
      optimizer_(optimizer),
      shared_(ranks, model.parameters()) {
  if (plan.scales_loss) scaler_.emplace(plan.device);
  if (!plan.cuda_graphs || micro_batch_ > 0) return;
  if (ranks.size() == 1) {
    graphs_ = std::make_unique<StepGraphs>(plan.device, model.parameters(), on_warning);
  } else if (config.cuda_graphs == "true") {
    throw InputError("cuda_graphs \"true\": gradients that processes add up cannot be a graph's; use auto");
  }
}

// A forward pass moves the running statistics. Rank 0's are the run's.
void Updater::begin() {
  if (ranks_.size() == 1 && !hook_) return;  // nothing can end it in the middle
  under_way_ = true;
  if (!ranks_.is_first()) return;
  const at::NoGradGuard no_grad;
  const std::vector<torch::Tensor> buffers = model_.buffers();
  if (buffers_before_.empty()) {
    for (const torch::Tensor& buffer : buffers) buffers_before_.push_back(torch::empty_like(buffer));
  }
  for (std::size_t i = 0; i < buffers.size(); ++i) buffers_before_[i].copy_(buffers[i]);
}

void Updater::undo() {
  if (!std::exchange(under_way_, false)) return;
  const at::NoGradGuard no_grad;
  const std::vector<torch::Tensor> buffers = model_.buffers();
  for (std::size_t i = 0; i < buffers_before_.size(); ++i) buffers[i].copy_(buffers_before_[i]);
}

Applied Updater::apply(const Batch& part, std::int64_t images, std::int64_t step, double lr,
                       const std::function<double(double)>& lr_until) {
  const Terms terms = count_terms(part, images);  // outside of graphs: it may wait
  const auto passes = [&](const Batch& batch) { return this->passes(batch, terms); };
  const Passed computed = graphs_ ? graphs_->run(part, passes) : passes(part);
  if (has_news_) data_.share(ranks_);
  require_finite(computed.loss, part, step, lr);
  const Applied update{computed.loss, computed.correct, images, terms.all};
  apply_gradients(update, step, lr, lr_until);
  under_way_ = false;
  return update;
}

std::int64_t Updater::terms_of(const Batch& part) const {
  return task_.has_terms() && part.examples > 0 ? task_.terms(part) : part.examples;
}

// Masks have pixels that nobody is asked about, so parts weigh by those they have.
Updater::Terms Updater::count_terms(const Batch& part, std::int64_t images) const {
  const std::int64_t here = terms_of(part);
  if (!task_.has_terms()) return {here, images};
  if (ranks_.size() == 1) return {here, std::max<std::int64_t>(1, here)};
  const torch::Tensor all = torch::tensor({static_cast<double>(here)}, torch::kFloat64);
  ranks_.add_up(all);
  return {here, std::max<std::int64_t>(1, static_cast<std::int64_t>(all.item<double>()))};
}

Passed Updater::passes(const Batch& part, const Terms& terms) {
  optimizer_.drop_gradients();
  const std::int64_t here = part.examples;
  if (micro_batch_ > 0 && here > micro_batch_) return passes_in_pieces(part, terms);
  const Batch batch = here == 0 && sync_bn_ ? stand_in(part, plan_) : part;
  std::optional<SyncBatchNormGuard> sync;  // the backward pass looks at all parts too
  if (sync_bn_) sync.emplace([this](const torch::Tensor& sums) { ranks_.add_up(sums); }, here > 0);
  SharedUpdate::Part mine = passed_forward(batch);
  mine.here = terms.here;
  mine.all = terms.all;
  pass_backward(shared_.begin(mine));
  return passed();
}

// The gradient of the mean over the batch is the sum of the pieces' means by their share of the terms.
// What the ranks add up goes on its way with the last piece.
Passed Updater::passes_in_pieces(const Batch& part, const Terms& terms) {
  SharedUpdate::Part mine;
  mine.here = std::max<std::int64_t>(1, terms.here);
  mine.all = terms.all;
  mine.adds = true;
  for (std::int64_t first = 0; first < part.examples; first += micro_batch_) {
    const Batch piece = piece_of(part, first, std::min(micro_batch_, part.examples - first));
    const std::int64_t here = terms_of(piece);
    const SharedUpdate::Part passed = passed_forward(piece);
    const torch::Tensor loss =
        passed.loss.detach() * (static_cast<double>(here) / static_cast<double>(mine.here));
    mine.loss = first == 0 ? loss : mine.loss + loss;
    mine.correct = first == 0 ? passed.correct : mine.correct + passed.correct;
    mine.has_news = passed.has_news;
    if (first + piece.examples == part.examples) shared_.begin(mine);
    pass_backward(passed.loss * shared_.weight(here, mine));
  }
  return passed();
}

SharedUpdate::Part Updater::passed_forward(const Batch& batch) {
  SharedUpdate::Part part;
  part.has_news = data_.has_news();
  if (batch.examples == 0) return part;
  const Values outputs = outputs_of(model_, inputs_of(model_, batch), plan_);
  part.loss = task_.loss(outputs, batch);
  const at::NoGradGuard no_grad;
  part.correct = right_of(task_, outputs, batch);
  return part;
}

void Updater::pass_backward(const torch::Tensor& loss) {
  if (loss.defined()) (scaler_ ? scaler_->scaled(loss) : loss).backward();
}

Passed Updater::passed() {
  const SharedUpdate::Whole whole = shared_.finish();
  has_news_ = whole.has_news;
  return {whole.loss, whole.correct};
}

// Weights that made it are there to be looked at. A layer is looked for where the batch is the whole one's.
void Updater::require_finite(const torch::Tensor& loss, const Batch& part, std::int64_t step, double lr) {
  if (!loss.is_cpu()) return;
  const double value = loss.item<double>();
  if (std::isfinite(value)) return;
  under_way_ = false;
  const auto state = optimizer_.state();
  const bool can_look = part.examples > 0 && !sync_bn_;
  throw Diverged{step + 1, lr, value,
                 can_look ? first_not_finite(model_, state, part, plan_) : first_not_finite(model_, state)};
}

// An overflow of scaled gradients spends an update of the budget and leaves the weights alone. Sums that
// overflow do so on every rank, so all skip the same updates.
void Updater::apply_gradients(const Applied& update, std::int64_t step, double lr,
                              const std::function<double(double)>& lr_until) {
  if (!scaler_ || scaler_->unscale(optimizer_.gradients())) {
    if (hook_) hook_({step, update.images, lr, {}});
    if (clip_norm_) torch::nn::utils::clip_grad_norm_(model_.parameters(), *clip_norm_);
    optimizer_.step(lr, lr_until);
  } else if (scaler_->is_exhausted()) {
    under_way_ = false;
    throw Diverged{step + 1, lr, update.loss.item<double>(), "a gradient, at every loss scale"};
  }
}

void Updater::save(Saved& saved) const {
  if (scaler_) saved.tensors[kLossScaler] = scaler_->state();
}

// A run may go on with a scale that it did not have before, on another device.
void Updater::load(const Saved& saved) {
  const auto found = saved.tensors.find(kLossScaler);
  if (scaler_) scaler_->set_state(found != saved.tensors.end() ? found->second : torch::Tensor());
}

}  // namespace glidepath
