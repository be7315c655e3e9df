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

/// How far the moments of one measure are.
struct MeasureState {
  std::int64_t done = 0;   ///< of the moments, in order
  std::int64_t step = -1;  ///< update of the last one; -1 before the first

  void fields(StateFields& fields) {
    fields.count("done", done);
    fields.count_or_none("step", step);
  }
};

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

  struct Kept {
    std::vector<MeasureState> of;  ///< the measures, by place in the configuration's list

    void fields(StateFields& fields) {
      if (fields.has("measures")) fields.list("measures", of);
    }
  };
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
