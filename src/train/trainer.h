// src/train/trainer.h - a run in progress.
#pragma once
#include <atomic>
#include <cmath>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "budget/budget_meter.h"
#include "distributed/gradient_reducer.h"
#include "glidepath/dry_run.h"
#include "glidepath/resolution.h"
#include "glidepath/train.h"
#include "optim/loss_scaler.h"
#include "train/agenda.h"
#include "train/agreement.h"
#include "train/best_model.h"
#include "train/budget_change.h"
#include "train/data_record.h"
#include "train/data_watch.h"
#include "train/device.h"
#include "train/device_batches.h"
#include "train/divergence.h"
#include "train/evaluate.h"
#include "train/fresh_statistics.h"
#include "train/loss_window.h"
#include "train/measurer.h"
#include "train/run_directory.h"
#include "train/run_setup.h"
#include "train/step_graphs.h"

namespace glidepath {

/// The loss scaler's state among a checkpoint's tensors.
inline constexpr const char* kLossScaler = "loss_scaler";

/// What the names of the instruments' tensors begin with in a checkpoint.
inline const std::string kMeasurePrefix = "measure.";

/// What a checkpoint holds: weights, the optimizer's state, the loss window, torch's generators.
TensorMap checkpoint_tensors(const Model& model, const Optimizer& optimizer, LossWindow& window,
                             const torch::Device& device);

/// Everything that train() does, in the order of run(). Input is checked by the constructor, before the run
/// directory is touched.
class Trainer {
 public:
  Trainer(const TrainConfig& config, const TrainOptions& options);
  TrainResult run();
  /// What run() would do, from a few updates; the run directory stays untouched.
  DryRun estimate();

 private:
  TrainResult run_to_the_end();
  TrainResult run_and_recover();
  void use_schedule(std::int64_t updates);
  void restore();
  void take(const TensorMap& saved, const RunState& state);
  TensorMap tensors();
  RunState state() const;
  TensorMap start_tensors() const;
  void recover_from(const Diverged& divergence);
  void go_back(const Diverged& divergence);
  [[noreturn]] void give_up(const Diverged& divergence);
  std::string change_budget(RunState& state, TensorMap& saved);
  std::string re_anneal(RunState& state, const TrainConfig& before) const;
  std::string rewind(RunState& state, TensorMap& saved, const TrainConfig& before);
  ProcessGroup* group() const { return options_.group.get(); }
  bool is_rank_0() const { return !group() || group()->rank() == 0; }
  void share_state();
  void share_running_statistics();
  void keep_buffers();
  std::string saved_for_later();
  Batch take_part();
  void count_update(double took, std::int64_t images);
  void reduce_and_apply(const torch::Tensor& loss, const torch::Tensor& logits, const Batch& batch,
                        double begun);
  double unix_seconds() const { return options_.wall_clock(); }
  Next decide();
  void perform(Next next);
  void update_and_record();
  void update();
  /// Loss and logits of a batch; none for an empty part of one.
  struct Passed {
    torch::Tensor loss, logits;
  };
  Passed forward(const Batch& batch);
  BatchLoss compute_gradients(const Batch& batch);
  void apply_gradients(std::int64_t images, const torch::Tensor& loss);
  void update_together(const Batch& batch, double begun);
  /// The fields that every line of the metrics begins with.
  nlohmann::ordered_json moment(const char* kind) const;
  void record(const char* kind, double loss, double accuracy);
  void record_updates();
  void evaluate_now();
  void evaluate_on_the_way();
  void prepare_measures();
  void take_measures(const TensorMap& saved);
  void measure_on_the_way();
  void measure_at_the_end();
  void measure(const std::vector<bool>& which);
  void estimate_measuring();
  void follow_resolution(TrainLoader& loader);
  void count_images(const Batch& batch);
  double flops_spent() const;
  double flops_of_run(std::int64_t updates) const;
  double mean_cost() const;
  bool has_corrupt_news() const;
  void share_corrupt_images();
  void tell_corrupt_images();
  void set_corrupt_images(const RunState& state);
  void tell_of_data();
  Batch take_batch();
  const Batch& next_batch();
  const Batch& next_whole_batch();
  void measure_final_cost();
  void measure_evaluation();
  std::int64_t images_of_estimate() const;
  void estimate_statistics(FreshStatistics& fresh, std::int64_t images,
                           const std::function<void()>& between_batches = {});
  void measure_ending();
  bool keeps_best() const;
  bool tests_running() const;
  /// `val` is of the held out images, where there are any. Without `test` there was no time for it.
  struct Tested {
    std::optional<Evaluation> val, test;
  };
  /// How some weights do with running statistics of batch norm and with those that results are of; and the
  /// weights, with the statistics that are saved.
  struct Tests {
    Tested running, chosen;
    TensorMap weights;
  };
  /// `best`: where they are not the last.
  struct FinalTests {
    Tests last;
    std::optional<Tests> best;
  };
  void stop_tests_if_asked() const;
  Tests test_weights(const Tested& running, const std::function<void()>& look);
  FinalTests test_at_the_end();
  Evaluation evaluate_all(const Split& split, const std::function<void()>& between_batches);
  bool save_checkpoint();
  void stop_if_asked();
  [[noreturn]] void stop_for(int signal);
  void agree_and_stop_if_asked();
  void report_status(bool always);
  void require_finite_loss();
  void require_finite_state();
  bool state_is_finite();
  void warn_if_not_landed() const;
  TrainResult finish();
  void tell_tests(const FinalTests& tests, TrainResult& result) const;
  void record_final_test(const Evaluation& tested);
  TrainStatus status();
  nlohmann::ordered_json summary(const TrainResult& result, const std::string& state) const;

  double factor_at(double progress) const {
    return schedule_.plateau() ? plateau_.factor() : schedule_(progress);
  }
  /// base_lr, halved at every return to an earlier state.
  double base_lr() const { return std::ldexp(config_.base_lr, -static_cast<int>(rewinds_)); }
  bool rewinds_on_divergence() const { return config_.on_divergence == "rewind"; }
  double now() const { return options_.clock(); }
  double seconds_spent() const { return seconds_before_ + now() - started_; }

  TrainConfig config_;
  TrainOptions options_;
  Agreement agreement_;
  double started_;
  double seconds_before_ = 0;  // of earlier sessions
  ComputePlan plan_;
  DataRecord data_record_;
  Dataset dataset_;
  DataWatch data_watch_;
  ResolutionSchedule resolution_;
  std::atomic<double> clock_progress_{0};  // read by the loader's threads
  TrainLoader loader_;
  DeviceBatches batches_;
  Pace pace_;
  std::shared_ptr<Model> model_;
  BudgetContext context_;
  std::map<std::int64_t, double> flops_of_size_;  // of one image; where sizes follow progress
  double flops_spent_ = 0;                        // likewise
  Budget budget_;
  Agenda agenda_;
  std::unique_ptr<Optimizer> optimizer_;
  std::optional<LossScaler> scaler_;    // none where the loss is not scaled
  std::unique_ptr<StepGraphs> graphs_;  // none where every kernel is launched alone
  LossWindow window_;
  RunDirectory directory_;
  BudgetMeter meter_;
  Schedule schedule_;
  Plateau plateau_;
  std::int64_t record_every_ = 1;
  std::int64_t last_record_ = 0;
  std::int64_t evaluated_step_ = -1;          // update of the last evaluation
  std::shared_ptr<Measurer> measurer_;        // none where nothing is measured
  std::optional<Batch> peeked_;               // taken from the loader before its update
  std::unique_ptr<GradientReducer> reducer_;  // of a group
  std::int64_t images_here_now_ = 0;          // this rank's of the update under way
  Batch peeked_whole_;
  std::unique_ptr<TrainLoader> whole_loader_;  // the batches of all ranks, for instruments
  std::vector<torch::Tensor> buffers_before_;  // of rank 0's model, before the update under way
  bool in_update_ = false;                     // its buffers have changed and its weights have not
  bool begun_ = false;                         // what there is may be saved
  bool trained_ = false;                       // every update of the budget is done
  std::int64_t rewinds_ = 0, rewind_step_;     // the update to go back to; -1: none, as it is not asked for
  double lr_ = 0;
  std::int64_t updates_here_ = 0;  // in this session
  double training_seconds_ = 0;    // of this session's updates, the first few left out
  double images_here_ = 0;
  double last_status_ = 0;
  BudgetState budget_state_;
  Evaluation evaluation_{0, -1};
  BestModel best_;                 // of what was seen on held out images
  bool running_is_cheap_ = false;  // of a clock's budget: what tests_running() costs
};

}  // namespace glidepath
