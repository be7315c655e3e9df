// src/loop/callbacks/evaluator.h - the model looked at on the way.
#pragma once
#include <cstdint>
#include <functional>
#include <vector>

#include "budget/cadence.h"
#include "evaluation/best_model.h"
#include "evaluation/evaluate.h"
#include "glidepath/callback.h"
#include "loop/callbacks/stopper.h"
#include "loop/ending_cost.h"
#include "loop/run.h"
#include "loop/stateful.h"

namespace glidepath {

/// Tests the model, with running statistics of batch norm, on the images held out or else on the test images.
class Evaluator : public Callback, public Stateful {
 public:
  Evaluator(Run& run, EndingCost& ending, Stopper& stopper);

  const Evaluation& last() const { return kept_.last; }
  /// Whether the last one was of the weights as they are.
  bool is_up_to_date() const { return kept_.step == run_.glide.step(); }
  const BestModel& best() const { return best_; }
  /// Whether the weights that do best on images held out are kept, beside the last.
  bool keeps_best() const { return run_.data.set.has_val() && run_.config.eval_every != "end"; }
  const Cadence& cadence() const { return cadence_; }
  /// The moments passed so far are past: after a budget was changed they are others.
  void start_anew() { kept_.done = passed(); }

  bool is_due(RunView&) override;
  void act(RunView&) override;
  void at_end(RunView&) override;
  /// Called after one that was due, for whoever saves a state to go back to.
  void set_after(std::function<void()> after) { after_ = std::move(after); }
  /// Whether the end has a look of its own, where nothing is held out.
  void set_needed_at_end(std::function<bool()> is_needed) { is_needed_at_end_ = std::move(is_needed); }

  /// What a whole one takes in seconds, measured by a few batches for each rank.
  double time();
  /// Of any split, by all ranks, with the statistics that rank 0's model has.
  Evaluation evaluate_all(const Split& split, const std::function<void()>& between_batches,
                          TestViews views = TestViews::kOne) const;
  /// The curve's last point, where nothing was tested there with running statistics.
  void record_final(const Evaluation& tested);

  struct Kept {
    std::int64_t done = 0;   ///< of the cadence's moments
    std::int64_t step = -1;  ///< update of the last one; -1 before the first
    Evaluation last{0, -1, {}};

    void fields(StateFields& fields);
  };
  void save(Saved& saved) const override;
  void load(const Saved& saved) override;

 private:
  std::int64_t passed() const { return cadence_.passed(run_.glide.step(), run_.glide.progress()); }
  void evaluate_now();
  std::vector<double> last_metrics(const Saved& saved) const;

  Run& run_;
  EndingCost& ending_;
  Stopper& stopper_;
  Cadence cadence_;
  std::function<void()> after_;
  std::function<bool()> is_needed_at_end_;
  Kept kept_;
  BestModel best_;  // of what was seen on held out images
};

}  // namespace glidepath
