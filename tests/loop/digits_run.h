// tests/loop/digits_run.h - the short run on the carried digits that tests of whole runs start from.
#pragma once
#include <string>

#include "glidepath/train_config.h"

namespace glidepath {

inline TrainConfig digits_run(const std::string& budget) {
  TrainConfig config;
  config.data = "digits";
  config.model = "mlp";
  config.full = "10ep";
  config.budget = budget;
  config.batch_size = 64;
  config.base_lr = 0.05;
  config.precision = "fp32";
  config.threads = 1;
  config.eval_every = "end";
  return config;
}

}  // namespace glidepath
