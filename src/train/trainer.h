// src/train/trainer.h - a run in progress.
#pragma once
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "glidepath/dry_run.h"
#include "glidepath/train.h"
#include "train/budget_change.h"
#include "train/budget_meter.h"
#include "train/device.h"
#include "train/evaluate.h"
#include "train/evaluation_plan.h"
#include "train/loss_window.h"
#include "train/run_directory.h"
#include "train/run_setup.h"

namespace glidepath {

/// Everything that train() does, in the order of run(). Input is checked by the constructor, before the run
/// directory is touched.
class Trainer {
 public:
  Trainer(const TrainConfig& config, const TrainOptions& options);
  TrainResult run();
  /// What run() would do, from a few updates; the run directory stays untouched.
  DryRun estimate();

 private:
  void restore();
  void take_over(const TensorMap& saved);
  TensorMap tensors();
  RunState state();
  std::string change_budget(RunState& state, TensorMap& saved);
  std::string re_anneal(RunState& state, const TrainConfig& before) const;
  std::string rewind(RunState& state, TensorMap& saved, const TrainConfig& before);
  double unix_seconds() const { return options_.wall_clock(); }
  void update();
  void record(const char* kind, double loss, double accuracy);
  void record_updates();
  void evaluate_now();
  void measure_final_cost();
  void measure_evaluation();
  void plan_final_cost();
  void save_checkpoint();
  void stop_if_asked();
  void report_status(bool always);
  void require_finite_loss();
  TrainResult finish();
  TrainStatus status();
  nlohmann::ordered_json summary(const TrainResult& result, const std::string& state) const;

  double factor_at(double progress) const {
    return schedule_.plateau() ? plateau_.factor() : schedule_(progress);
  }
  double now() const { return options_.clock(); }
  double seconds_spent() const { return seconds_before_ + now() - started_; }

  TrainConfig config_;
  TrainOptions options_;
  double started_;
  double seconds_before_ = 0;  // of earlier sessions
  ComputePlan plan_;
  Dataset dataset_;
  TrainLoader loader_;
  std::shared_ptr<Model> model_;
  BudgetContext context_;
  Budget budget_;
  EvaluationPlan evaluation_plan_;
  Sgd optimizer_;
  LossWindow window_;
  RunDirectory directory_;
  BudgetMeter meter_;
  Schedule schedule_;
  Plateau plateau_;
  std::int64_t record_every_ = 1;
  std::int64_t last_record_ = 0;
  std::int64_t evaluations_ = 0;
  double lr_ = 0;
  std::int64_t updates_here_ = 0;  // in this session
  double training_seconds_ = 0;    // of this session's updates, the first few left out
  double images_here_ = 0;
  double last_status_ = 0, last_checkpoint_;
  BudgetState budget_state_;
  std::int64_t branch_step_ = -1;  // where longer budgets part from this one; -1: nowhere worth keeping
  double evaluation_seconds_ = 0;  // of the last evaluation
  double writing_seconds_ = 0;     // of the last checkpoint
  Evaluation evaluation_{0, -1};
};

}  // namespace glidepath
