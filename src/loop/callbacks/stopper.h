// src/loop/callbacks/stopper.h - a run that a signal stops.
#pragma once
#include <string>

#include "glidepath/callback.h"
#include "loop/run.h"

namespace glidepath {

/// Saves what there is and throws Interrupted.
class Stopper : public Callback {
 public:
  explicit Stopper(Run& run) : run_(run) {}

  void stop_if_asked();
  /// The same between two collectives: a process alone stops, others would be waited for in vain.
  void stop_at_once_if_asked();
  /// The same where ranks may have heard of it at different moments: a collective.
  void agree_and_stop_if_asked();
  [[noreturn]] void stop_for(int signal);

  void on_start(RunView&) override { stop_if_asked(); }
  void after_update(RunView&) override { stop_if_asked(); }

 private:
  Run& run_;
};

}  // namespace glidepath
