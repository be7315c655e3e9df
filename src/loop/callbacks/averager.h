// src/loop/callbacks/averager.h - an average of the weights on the way, beside the weights themselves.
#pragma once
#include <memory>

#include "glidepath/callback.h"
#include "glidepath/weight_average.h"
#include "loop/run.h"
#include "loop/stateful.h"

namespace glidepath {

class Averager : public Callback, public Stateful {
 public:
  explicit Averager(Run& run);

  bool is_on() const { return average_ != nullptr; }
  void after_update(RunView&) override;
  /// Averaged parameters; nothing before the first update.
  TensorMap weights() const;

  void save(Saved& saved) const override;
  void load(const Saved& saved) override;

 private:
  Run& run_;
  std::unique_ptr<WeightAverage> average_;  // none where none is asked for
};

}  // namespace glidepath
