// src/loop/callbacks/cost_timer.h - what a budget in time keeps back for a run's end, measured.
#pragma once
#include "glidepath/callback.h"
#include "loop/callbacks/measures.h"
#include "loop/callbacks/saver.h"
#include "loop/final_tests.h"
#include "loop/run.h"

namespace glidepath {

/// Measures before the first update, and again once the machine's pace is another.
class CostTimer : public Callback {
 public:
  CostTimer(Run& run, FinalTester& tester, Measures& measures, Saver& saver)
      : run_(run), tester_(tester), measures_(measures), saver_(saver) {}

  void on_start(RunView&) override;
  bool is_due(RunView&) override { return run_.glide.kept_back_is_old(); }
  void act(RunView&) override { tester_.time(); }

 private:
  Run& run_;
  FinalTester& tester_;
  Measures& measures_;
  Saver& saver_;
};

}  // namespace glidepath
