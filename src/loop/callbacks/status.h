// src/loop/callbacks/status.h - what people watch: where a run is, and whether it has landed.
#pragma once
#include <string>

#include "glidepath/callback.h"
#include "loop/callbacks/evaluator.h"
#include "loop/run.h"

namespace glidepath {

/// Tells TrainOptions::on_status, at most ten times a second; warns of a budget that buys few updates, and of
/// one that was over too soon.
class Status : public Callback {
 public:
  Status(Run& run, const EndingCost& ending, const Evaluator& evaluator)
      : run_(run), ending_(ending), evaluator_(evaluator) {}

  void on_start(RunView&) override;
  void after_update(RunView&) override;
  void at_end(RunView&) override;
  void tell();

 private:
  void warn(const std::string& what) const;
  void warn_if_not_landed() const;

  Run& run_;
  const EndingCost& ending_;
  const Evaluator& evaluator_;
  double last_ = 0;  // by the clock
};

}  // namespace glidepath
