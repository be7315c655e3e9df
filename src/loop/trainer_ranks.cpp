// src/loop/trainer_ranks.cpp - a run of many processes: one state, one update, one end.
#include <cmath>
#include <optional>

#include <fmt/format.h>
#include <torch/types.h>
#include <torch/utils.h>

#include "core/blame.h"
#include "core/safe_text.h"
#include "files/json_text.h"
#include "glidepath/error.h"
#include "loop/trainer.h"
#include "nn/sync_batch_norm.h"

namespace glidepath {
namespace {

/// What the other ranks are told before the tensors.
nlohmann::json described(const TensorMap& tensors) {
  auto list = nlohmann::json::array();
  for (const auto& [name, tensor] : tensors) {
    if (name.compare(0, kMeasurePrefix.size(), kMeasurePrefix) == 0) continue;  // rank 0 measures
    list.push_back(
        {{"name", name}, {"type", static_cast<int>(tensor.scalar_type())}, {"shape", tensor.sizes().vec()}});
  }
  return list;
}

/// What batch norms keep, but for their counts of batches, which nothing reads.
std::vector<torch::Tensor> running_statistics(const Model& model) {
  std::vector<torch::Tensor> list;
  for (const torch::Tensor& buffer : model.buffers()) {
    if (buffer.scalar_type() == torch::kFloat32) list.push_back(buffer);
  }
  return list;
}

}  // namespace

// Rank 0 has read the checkpoint, or made the first weights; the others need no file of its run.
void Trainer::share_state() {
  if (!group()) return;
  TensorMap tensors;
  nlohmann::json header;
  if (is_rank_0()) {
    tensors = this->tensors();
    header = {{"config", to_toml(config_)},
              {"state", run_state_text(state())},
              {"seconds_before", seconds_before_},
              {"tensors", described(tensors)}};
  }
  header = nlohmann::json::parse(group()->broadcast(is_rank_0() ? json_text(header) : std::string()));
  for (const auto& item : header.at("tensors")) {
    const std::string name = item.at("name");
    const auto type = static_cast<torch::ScalarType>(item.at("type").get<int>());
    torch::Tensor tensor = is_rank_0() ? tensors.at(name).to(torch::kCPU).contiguous()
                                       : torch::empty(item.at("shape").get<std::vector<std::int64_t>>(),
                                                      torch::TensorOptions(type));
    if (tensor.numel() > 0) group()->broadcast(tensor.view(-1).view(torch::kUInt8));
    tensors[name] = tensor;
  }
  if (is_rank_0()) return;
  const RunState state = run_state_from(header.at("state"));
  config_ = parse_train_config(header.at("config"), "rank 0's configuration");
  rewinds_ = state.rewinds;
  seconds_before_ = header.at("seconds_before");
  budget_ = run_budget(config_, seconds_spent(), unix_seconds());
  take(tensors, state);
}

// Without --sync-bn every rank has its own, of which rank 0's are the run's.
void Trainer::share_running_statistics() {
  if (!group()) return;
  const torch::NoGradGuard no_grad;
  const std::vector<torch::Tensor> statistics = running_statistics(*model_);
  if (statistics.empty()) return;
  std::vector<torch::Tensor> flat;
  for (const torch::Tensor& tensor : statistics) flat.push_back(tensor.flatten());
  const torch::Tensor together = torch::cat(flat);
  group()->broadcast(together);
  std::int64_t offset = 0;
  for (const torch::Tensor& tensor : statistics) {
    tensor.copy_(together.narrow(0, offset, tensor.numel()).view(tensor.sizes()));
    offset += tensor.numel();
  }
}

// A forward pass moves the running statistics. When a rank is lost in it, the update did not happen.
void Trainer::keep_buffers() {
  in_update_ = true;
  if (!is_rank_0()) return;
  const torch::NoGradGuard no_grad;
  const std::vector<torch::Tensor> buffers = model_->buffers();
  if (buffers_before_.empty()) {
    for (const torch::Tensor& buffer : buffers) buffers_before_.push_back(torch::empty_like(buffer));
  }
  for (std::size_t i = 0; i < buffers.size(); ++i) buffers_before_[i].copy_(buffers[i]);
}

// A last batch may have fewer images than there are ranks. Where norms look at all parts, a rank without any
// goes through the network all the same, with an image that does not count.
Batch Trainer::take_part() {
  Batch batch = take_batch();
  images_here_now_ = batch.labels.size(0);
  if (images_here_now_ > 0 || !config_.sync_bn) return batch;
  std::vector<std::int64_t> shape = batch.images.sizes().vec();
  shape[0] = 1;
  return {torch::zeros(shape, batch.images.options()).contiguous(plan_.memory_format()),
          torch::zeros({1}, batch.labels.options())};
}

void Trainer::update_together(const Batch& batch, double begun) {
  std::optional<SyncBatchNormGuard> sync_bn;  // the backward pass looks at all parts too
  if (config_.sync_bn)
    sync_bn.emplace([this](torch::Tensor sums) { group()->all_reduce(sums); }, images_here_now_ > 0);
  const Passed passed = forward(batch);
  reduce_and_apply(passed.loss, passed.logits, batch, begun);
  batches_.prepare_next();
}

// The gradient of the mean over the whole batch is the sum of the ranks' means by their share of the images.
void Trainer::reduce_and_apply(const torch::Tensor& loss, const torch::Tensor& logits, const Batch& batch,
                               double begun) {
  const std::int64_t here = images_here_now_, all = loader_.images_of(meter_.step());
  const double share = static_cast<double>(here) / static_cast<double>(all);
  double loss_sum = 0, correct = 0;
  if (here > 0) {
    const torch::NoGradGuard no_grad;
    loss_sum = loss.item<double>() * static_cast<double>(here);
    correct = logits.argmax(1).eq(batch.labels.to(plan_.device)).sum().item<double>();
  }
  agreement_.start_sums(loss_sum, correct, has_corrupt_news());
  reducer_->begin();
  if (loss.defined()) {
    const torch::Tensor part = loss * share;
    (scaler_ ? scaler_->scaled(part) : part).backward();
  }
  reducer_->finish();
  const Agreement::Sums sums = agreement_.finish_sums();
  if (sums.news) share_corrupt_images();
  if (!std::isfinite(sums.loss)) {
    in_update_ = false;
    const auto state = optimizer_->state();
    throw Diverged{meter_.step() + 1, lr_, static_cast<float>(sums.loss),
                   here > 0 && !config_.sync_bn ? first_not_finite(*model_, state, batch, plan_)
                                                : first_not_finite(*model_, state)};
  }
  // Sums that overflow do so on every rank, so all skip the same updates.
  apply_gradients(all, torch::scalar_tensor(sums.loss / static_cast<double>(all), torch::kFloat64));
  in_update_ = false;
  window_.add(torch::scalar_tensor(sums.loss / static_cast<double>(all), torch::kFloat64),
              torch::scalar_tensor(sums.correct, torch::kFloat64), all);
  count_update(now() - begun, all);
}

// All ranks' part of the next update: rank 0's instruments look at the whole batch.
const Batch& Trainer::next_whole_batch() {
  if (!whole_loader_) {
    LoaderOptions options = loader_options(config_, plan_, dataset_);
    options.prefetch = 0;
    whole_loader_ = std::make_unique<TrainLoader>(dataset_, options);
    follow_resolution(*whole_loader_);
  }
  whole_loader_->seek(meter_.step() + 1);
  peeked_whole_ = whole_loader_->next();
  return peeked_whole_;
}

// Rank 0 saves the last update that was made by all. Returns what is to be said of it, behind the cause.
std::string Trainer::saved_for_later() {
  std::string kept;
  if (is_rank_0() && begun_ && directory_.writes()) {
    const torch::NoGradGuard no_grad;
    if (in_update_) {
      const std::vector<torch::Tensor> buffers = model_->buffers();
      for (std::size_t i = 0; i < buffers.size(); ++i) buffers[i].copy_(buffers_before_[i]);
    }
    if (first_not_finite(*model_, optimizer_->state()).empty())
      directory_.save_checkpoint_somewhere(tensors(), state());
    kept = fmt::format("stopped at update {}; ", meter_.step());
  }
  const std::string folder = directory_.writes() ? directory_.path().string() : options_.out.string();
  return folder.empty()
             ? ""
             : fmt::format("; {}go on with: glidepath train --resume {}", kept, shell_word(folder));
}

}  // namespace glidepath
