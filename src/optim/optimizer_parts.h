// src/optim/optimizer_parts.h - what an optimizer is made of.
#pragma once
#include <memory>
#include <vector>

#include "glidepath/optimizer.h"
#include "optim/update_rule.h"

namespace glidepath {

/// Parameters in their order, each with the rule of its updates.
struct Optimizer::Parts {
  struct Updated : Slot {
    const UpdateRule* rule = nullptr;
  };
  std::vector<std::unique_ptr<UpdateRule>> rules;  ///< each once, in the order of their first parameters
  std::vector<Updated> slots;
  torch::Tensor steps;  ///< int64 [slots], updates of each

  /// Whether any rule asks for the number of an update.
  bool counts_updates() const;
};

}  // namespace glidepath
