// src/model/in_mode.h - a module in training or evaluation mode for a while.
#pragma once
#include <torch/nn/module.h>

namespace glidepath {

/// While it lives, the module is in the mode asked for; afterwards in the one that it was in.
class InMode {
 public:
  InMode(torch::nn::Module& module, bool training) : module_(module), before_(module.is_training()) {
    module.train(training);
  }
  ~InMode() { module_.train(before_); }
  InMode(const InMode&) = delete;
  InMode& operator=(const InMode&) = delete;

 private:
  torch::nn::Module& module_;
  bool before_;
};

}  // namespace glidepath
