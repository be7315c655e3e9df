// src/session/kept_parts.h - what checkpoints keep of things that know nothing of checkpoints.
#pragma once
#include <cstdint>

#include "glidepath/models.h"
#include "glidepath/optimizer.h"
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

  void save(Saved& saved) const override {
    saved.state.rewinds = count;
    saved.state.rewind_step = step;
  }
  void load(const Saved& saved) override {
    count = saved.state.rewinds;
    step = saved.state.rewind_step;
  }
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

}  // namespace glidepath
