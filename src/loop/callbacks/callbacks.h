// src/loop/callbacks/callbacks.h - the one list of what happens in a run beside its updates.
#pragma once
#include <memory>
#include <vector>

#include "glidepath/callback.h"
#include "loop/callbacks/averager.h"
#include "loop/callbacks/cost_timer.h"
#include "loop/callbacks/evaluator.h"
#include "loop/callbacks/measures.h"
#include "loop/callbacks/recorder.h"
#include "loop/callbacks/saver.h"
#include "loop/callbacks/status.h"
#include "loop/callbacks/stopper.h"
#include "loop/ending_cost.h"
#include "loop/final_tests.h"

namespace glidepath {

struct Callbacks {
  /// `own`: of who trains; they outlive this.
  explicit Callbacks(Run& run, const std::vector<std::shared_ptr<Callback>>& own = {})
      : ending(run.glide),
        stopper(run),
        recorder(run),
        branch(run),
        averager(run),
        evaluator(run, ending, stopper),
        measures(run, ending, stopper),
        status(run, ending, evaluator),
        saver(run, ending),
        tester(run, ending, evaluator, averager, stopper),
        timer(run, tester, measures, saver),
        in_order{&recorder, &averager, &branch, &evaluator, &measures, &status, &stopper, &saver, &timer} {
    for (const auto& each : own) in_order.push_back(each.get());
    evaluator.set_needed_at_end([this] { return tester.tests_running(); });
  }
  Callbacks(const Callbacks&) = delete;
  Callbacks& operator=(const Callbacks&) = delete;

  EndingCost ending;
  Stopper stopper;
  Recorder recorder;
  BranchKeeper branch;
  Averager averager;
  Evaluator evaluator;
  Measures measures;
  Status status;
  Saver saver;
  FinalTester tester;
  CostTimer timer;
  /// As they are asked and called.
  std::vector<Callback*> in_order;
};

}  // namespace glidepath
