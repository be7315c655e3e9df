// src/loop/loop.h - the training loop.
#pragma once
#include <cstddef>
#include <vector>

#include "glidepath/callback.h"
#include "loop/run.h"
#include "loop/updater.h"
#include "loop/view_of_run.h"

namespace glidepath {

/// The updates of a run, and what happens between them.
class Loop : public Stateful {
 public:
  /// `callbacks` are asked and called in their order.
  Loop(Run& run, Updater& updater, std::vector<Callback*> callbacks)
      : run_(run), view_(run), updater_(updater), callbacks_(std::move(callbacks)) {}

  /// Trains, from where the parts of the run are, until the budget is spent. Throws Diverged.
  void run();
  /// One update.
  void update();

  struct Kept {
    bool trained = false;  ///< every update of the budget is done: only the result is to be written

    void fields(StateFields& fields) { fields.flag("trained", trained); }
  };
  void save(Saved& saved) const override { saved.state.put(kept_); }
  void load(const Saved& saved) override { kept_ = saved.state.get<Kept>(); }

 private:
  Callback* next_due();

  Run& run_;
  ViewOfRun view_;
  Updater& updater_;
  std::vector<Callback*> callbacks_;
  std::size_t asked_ = 0;  // of them, since the last update
  Kept kept_;
};

}  // namespace glidepath
