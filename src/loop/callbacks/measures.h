// src/loop/callbacks/measures.h - the moments at which a run asks its instruments.
#pragma once
#include <cstdint>
#include <memory>
#include <vector>

#include "budget/cadence.h"
#include "glidepath/callback.h"
#include "loop/callbacks/stopper.h"
#include "loop/ending_cost.h"
#include "loop/measurer.h"
#include "loop/run.h"
#include "loop/stateful.h"

namespace glidepath {

/// What the names of the instruments' tensors begin with in a checkpoint.
inline constexpr const char* kMeasurePrefix = "measure.";

/// Rank 0 measures, the others wait for it.
class Measures : public Callback, public Stateful {
 public:
  /// Throws InputError where measures are asked for and there are no instruments.
  Measures(Run& run, EndingCost& ending, Stopper& stopper);

  /// None where nothing is measured, or not by this rank.
  Measurer* instruments() const { return measurer_.get(); }
  /// Tells the ending's cost what measuring once will take, from a few batches.
  void estimate();
  /// Seconds of all measures of a run of so many updates.
  double seconds_of(std::int64_t updates) const;
  /// After a budget was changed the moments are others: those before this one are past.
  void start_anew();

  bool is_due(RunView&) override;
  void act(RunView&) override;
  void at_end(RunView&) override;

  void save(Saved& saved) const override;
  void load(const Saved& saved) override;

 private:
  std::int64_t moments_passed(std::size_t measure) const;
  std::vector<bool> due() const;
  void pass(const std::vector<bool>& which);
  void take(const std::vector<bool>& which);

  Run& run_;
  EndingCost& ending_;
  Stopper& stopper_;
  std::vector<Cadence> cadences_;     // by place in the configuration's list
  std::vector<MeasureState> states_;  // likewise
  std::shared_ptr<Measurer> measurer_;
};

}  // namespace glidepath
