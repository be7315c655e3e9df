// src/model/in_mode.h - a model in training or evaluation mode for a while.
#pragma once

namespace glidepath {

/// While it lives, the model or module is in the mode asked for; afterwards in the one that it was in.
template <typename Trained>
class InMode {
 public:
  InMode(Trained& model, bool training) : model_(model), before_(model.is_training()) {
    model.train(training);
  }
  ~InMode() { model_.train(before_); }
  InMode(const InMode&) = delete;
  InMode& operator=(const InMode&) = delete;

 private:
  Trained& model_;
  bool before_;
};

}  // namespace glidepath
