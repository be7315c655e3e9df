// src/loop/callbacks/recorder.h - a line of the metrics now and then, about a hundred in a run.
#pragma once
#include <cstdint>

#include "glidepath/callback.h"
#include "loop/run.h"
#include "loop/stateful.h"

namespace glidepath {

/// Looks whether losses are finite, and tells them to the schedule that follows them.
class Recorder : public Callback, public Stateful {
 public:
  explicit Recorder(Run& run) : run_(run) {}

  /// How long the run is to be is known.
  void plan();
  void after_update(RunView&) override;
  void at_end(RunView&) override;
  /// Throws Diverged where the last update's loss is not finite.
  void require_finite_loss() const;

  struct Kept {
    std::int64_t last = 0;  ///< update of the last line

    void fields(StateFields& fields) { fields.count("last_record", last); }
  };
  void save(Saved& saved) const override { saved.state.put(kept_); }
  void load(const Saved& saved) override { kept_ = saved.state.get<Kept>(); }

 private:
  void record();

  Run& run_;
  std::int64_t every_ = 1;  // updates
  Kept kept_;
};

}  // namespace glidepath
