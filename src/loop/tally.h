// src/loop/tally.h - what the updates of a run told: losses, right answers, rates, durations.
#pragma once
#include <cstdint>

#include "loop/loss_window.h"
#include "loop/stateful.h"
#include "loop/updater.h"

namespace glidepath {

class Tally : public Stateful {
 public:
  explicit Tally(std::int64_t steps_per_epoch) : window_(steps_per_epoch) {}

  /// An update with this rate begins. It is that of the last one, should it come to nothing.
  void begin(double lr) { kept_.lr = lr; }
  /// It took so many seconds.
  void add(const Applied& update, double seconds);

  double lr() const { return kept_.lr; }  ///< of the last update
  /// See LossWindow.
  LossWindow::Mean mean(std::int64_t updates) { return window_.mean(updates); }
  double last_loss() { return window_.last_loss(); }
  /// Of this session.
  std::int64_t updates_here() const { return updates_here_; }
  double images_per_second() const { return seconds_ > 0 ? images_ / seconds_ : 0; }

  struct Kept {
    double lr = 0;  ///< of the last update

    void fields(StateFields& fields) { fields.number("lr", lr); }
  };
  void save(Saved& saved) const override;
  void load(const Saved& saved) override;

 private:
  mutable LossWindow window_;  // fetches from the device when it is read
  Kept kept_;
  std::int64_t updates_here_ = 0;
  double seconds_ = 0, images_ = 0;  // of this session's updates, the first few left out
};

/// Of a checkpoint's tensors the one that has this name. Throws InputError where it is not there, or `like`
/// is given and has another shape.
const torch::Tensor& stored(const Saved& saved, const std::string& name, const torch::Tensor* like = nullptr);

}  // namespace glidepath
