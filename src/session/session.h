// src/session/session.h - a run from its configuration to its result.
#pragma once
#include <string>

#include "glidepath/experiment.h"
#include "glidepath/train.h"
#include "loop/callbacks/callbacks.h"
#include "loop/divergence.h"
#include "loop/loop.h"
#include "loop/run.h"
#include "loop/updater.h"
#include "session/kept_parts.h"

namespace glidepath {

/// One process's stay in a run: what it begins with, and how it ends.
class Session {
 public:
  /// Input is checked before the run directory is touched.
  Session(const Experiment& experiment, const TrainOptions& options);
  TrainResult run();
  /// What run() would do, from a few updates; the run directory stays untouched.
  DryRun estimate();

 private:
  void list_kept_parts();
  void tell_of_data();
  TrainResult run_and_recover();
  TrainResult finish();

  // A run that is gone on with: session_resume.cpp.
  void resume();
  std::string change_budget(Saved& saved);
  std::string re_anneal(StateMap& state, const TrainConfig& before) const;
  std::string rewind(Saved& saved, const TrainConfig& before);
  Saved branch_or_start(std::int64_t latest) const;
  void restore(const Saved& saved);
  void share_state();
  TensorMap start_tensors() const;
  std::string saved_for_later();

  // One that has diverged: session_recovery.cpp.
  void recover_from(const Diverged& divergence);
  void go_back(const Diverged& divergence);
  [[noreturn]] void give_up(const Diverged& divergence);
  void keep_state_to_go_back_to();

  const Experiment experiment_;
  const TensorMap given_;  // a copy of what a model of one's own began with, where a run may go back to it
  Run run_;
  Updater updater_;
  Callbacks callbacks_;
  Loop loop_;
  KeptModel kept_model_;
  KeptGenerators kept_generators_;
  KeptGlide kept_glide_;
  Rewinds rewinds_;
  bool has_begun_ = false;  // what there is may be saved
};

}  // namespace glidepath
