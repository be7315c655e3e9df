// src/model/named_tensors.cpp - the parameters of a module by name.
#include "glidepath/named_tensors.h"

#include <torch/nn/module.h>

namespace glidepath {

NamedTensors named_parameters(const torch::nn::Module& module) {
  NamedTensors list;
  for (const auto& item : module.named_parameters()) {
    if (item.value().requires_grad()) list.emplace_back(item.key(), item.value());
  }
  return list;
}

}  // namespace glidepath
