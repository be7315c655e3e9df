// src/session/kept_parts.h - what checkpoints keep of things that know nothing of checkpoints.
#pragma once
#include <cstdint>

#include "glidepath/budget_state.h"
#include "glidepath/models.h"
#include "glidepath/optimizer.h"
#include "glidepath/plateau.h"
#include "loop/callbacks/evaluator.h"
#include "loop/callbacks/measures.h"
#include "loop/callbacks/recorder.h"
#include "loop/loop.h"
#include "loop/run.h"
#include "loop/stateful.h"

namespace glidepath {

/// Weights, buffers and the optimizer's state.
class KeptModel : public Stateful {
 public:
  KeptModel(Model& model, Optimizer& optimizer) : model_(model), optimizer_(optimizer) {}
  void save(Saved& saved) const override;
  void load(const Saved& saved) override;

 private:
  Model& model_;
  Optimizer& optimizer_;
};

/// Torch's generators.
class KeptGenerators : public Stateful {
 public:
  explicit KeptGenerators(const torch::Device& device) : device_(device) {}
  void save(Saved& saved) const override;
  void load(const Saved& saved) override;

 private:
  torch::Device device_;
};

/// How often a run went back after it had diverged, base_lr halved at each, and where it would go back to.
struct Rewinds : public Stateful {
  std::int64_t count = 0;
  std::int64_t step = -1;  ///< the update, 0 the start; -1: none, as it is not asked for

  void fields(StateFields& fields) {
    fields.count("rewinds", count);
    fields.count_or_none("rewind_step", step);
  }
  void save(Saved& saved) const override { saved.state.put(*this); }
  void load(const Saved& saved) override { *this = saved.state.get<Rewinds>(); }
};

/// The place in the budget and the schedule.
struct GlidePlace {
  std::int64_t step = 0;  ///< updates done
  double seconds = 0;     ///< spent
  BudgetState budget;
  Plateau::State plateau;

  void fields(StateFields& fields);
};

/// The place in the budget and the schedule, and the sizes of images, which follow it.
class KeptGlide : public Stateful {
 public:
  explicit KeptGlide(Run& run) : run_(run) {}
  /// Of a run that has not begun, under another budget than it was made for.
  void begin(const std::string& budget);
  void save(Saved& saved) const override;
  void load(const Saved& saved) override;

 private:
  void follow();

  Run& run_;
};

/// Calls `look` with one of every struct that a run state is made of, as it is in a run that has not begun.
template <typename Look>
void for_each_kept(Look look) {
  look(GlidePlace());
  look(Rewinds());
  look(Tally::Kept());
  look(Evaluator::Kept());
  look(Recorder::Kept());
  look(Measures::Kept());
  look(Loop::Kept());
  look(ImageSizes::Kept());
  look(DataWatch::Kept());
  look(DirectoryState());
}

/// Of a run that has not begun.
StateMap start_state();
/// Throws InputError for a state that no run has: what passes here, every part can load.
void check_state(const StateMap& state);

}  // namespace glidepath
