// src/core/optimizer_names.h - what optimizers are called; without torch, for configurations too.
#pragma once
#include <string>
#include <vector>

namespace glidepath {

inline const std::vector<std::string>& known_optimizers() {
  static const std::vector<std::string> names = {"sgd",  "adagrad",           "rmsprop",
                                                 "adam", "amsgrad",           "adamw",
                                                 "muon", "schedule-free-sgd", "schedule-free-adamw"};
  return names;
}

}  // namespace glidepath
