// src/loop/updater.h - one update of the weights, by one process or by many.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "compute/device.h"
#include "compute/step_graphs.h"
#include "glidepath/loader.h"
#include "glidepath/model.h"
#include "glidepath/optimizer.h"
#include "glidepath/task.h"
#include "loop/feed/data_watch.h"
#include "loop/measurer.h"
#include "loop/stateful.h"
#include "optim/loss_scaler.h"
#include "ranks/ranks.h"
#include "ranks/shared_update.h"

namespace glidepath {

/// What an update was made of, over the examples of all ranks.
struct Applied {
  torch::Tensor loss;     ///< 0-dim, in the mean
  torch::Tensor correct;  ///< 0-dim, right answers
  std::int64_t images = 0;
  std::int64_t terms = 0;  ///< of the task, that the loss is the mean over
};

/// Drops the gradients, passes forward, takes the loss, passes backward while gradients are added up over the
/// ranks, asks whether what came out is finite, and has the optimizer make its step, or skips it.
class Updater : public Stateful {
 public:
  /// Shown every update's gradients before they are applied.
  using Hook = std::function<void(const UpdateGradients&)>;

  /// All that is referred to outlives it.
  Updater(const TrainConfig& config, const ComputePlan& plan, Ranks& ranks, DataWatch& data, Model& model,
          const Task& task, Optimizer& optimizer, const std::function<void(const std::string&)>& on_warning);
  /// Who has to be shown them; none at first.
  void set_hook(Hook hook) { hook_ = std::move(hook); }

  /// An update begins, and may end in the middle: by a lost rank, or by lost data.
  void begin();
  /// `part` is this rank's of a batch of `images`. All of it happens, or the weights are as they were. Throws
  /// Diverged, before the weights are touched, where the loss is found not to be finite. A GPU is not waited
  /// for: there the next record or checkpoint finds it.
  Applied apply(const Batch& part, std::int64_t images, std::int64_t step, double lr,
                const std::function<double(double share)>& lr_until);
  /// After an exception: an update that has not happened leaves nothing in the model's buffers either.
  void undo();

  std::int64_t skipped() const { return scaler_ ? scaler_->skipped() : 0; }

  void save(Saved& saved) const override;
  void load(const Saved& saved) override;

 private:
  /// What the loss is the mean over: of this rank's part, and of the whole batch.
  struct Terms {
    std::int64_t here, all;
  };
  std::int64_t terms_of(const Batch& part) const;
  Terms count_terms(const Batch& part, std::int64_t images) const;
  Passed passes(const Batch& part, const Terms& terms);
  Passed passes_in_pieces(const Batch& part, const Terms& terms);
  /// Its loss is defined where the batch has examples.
  SharedUpdate::Part passed_forward(const Batch& batch);
  void pass_backward(const torch::Tensor& loss);
  /// After all backward passes.
  Passed passed();
  void require_finite(const torch::Tensor& loss, const Batch& part, std::int64_t step, double lr);
  void apply_gradients(const Applied& update, std::int64_t step, double lr,
                       const std::function<double(double share)>& lr_until);

  const ComputePlan& plan_;
  const bool sync_bn_;
  const std::int64_t micro_batch_;  // examples of a piece; 0: batches are whole
  const std::optional<double> clip_norm_;
  Ranks& ranks_;
  DataWatch& data_;
  Model& model_;
  const Task& task_;
  Optimizer& optimizer_;
  Hook hook_;
  SharedUpdate shared_;
  std::optional<LossScaler> scaler_;    // none where the loss is not scaled
  std::unique_ptr<StepGraphs> graphs_;  // none where every kernel is launched alone
  std::vector<torch::Tensor> buffers_before_;
  bool under_way_ = false;  // the buffers may have changed and the weights have not
  bool has_news_ = false;
};

}  // namespace glidepath
