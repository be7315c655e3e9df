// include/glidepath/callback.h - what happens in a run beside its updates.
#pragma once
#include <cstdint>
#include <map>
#include <string>

#include "glidepath/model.h"
#include "glidepath/train_config.h"

namespace glidepath {

/// A run as callbacks see it.
class RunView {
 public:
  virtual ~RunView() = default;
  virtual const TrainConfig& config() const = 0;
  virtual std::int64_t step() const = 0;     ///< updates done
  virtual double progress() const = 0;       ///< spent / budget, in [0, 1]
  virtual double lr() const = 0;             ///< of the last update
  virtual double loss() = 0;                 ///< of the last update; a GPU is waited for
  virtual double seconds_spent() const = 0;  ///< of the budget's clock
  virtual bool is_first_rank() const = 0;    ///< the one that writes
  virtual Model& model() = 0;                ///< what changes it changes the run
  /// A line of kind "measure" in metrics.jsonl, which studies keep and figures show. Of the first rank alone.
  virtual void record(const std::map<std::string, double>& values) = 0;
};

/// Something that happens now and then. Every rank has the same callbacks in the same order, and calls them
/// in it; collectives are allowed in all but is_due(). What it throws ends the run.
class Callback {
 public:
  virtual ~Callback() = default;

  /// Before the first update of a session.
  virtual void on_start(RunView& /*run*/) {}
  /// Asked once between two updates, of rank 0 alone: whether act() is to follow. May look at clock and disk.
  virtual bool is_due(RunView& /*run*/) { return false; }
  virtual void act(RunView& /*run*/) {}
  /// After every update.
  virtual void after_update(RunView& /*run*/) {}
  /// After the last one.
  virtual void at_end(RunView& /*run*/) {}
};

}  // namespace glidepath
