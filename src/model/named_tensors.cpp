// src/model/named_tensors.cpp - the parameters of a module by name.
#include "glidepath/named_tensors.h"

#include <torch/nn/module.h>

#include "glidepath/model.h"

namespace glidepath {

NamedTensors named_parameters(const torch::nn::Module& module) {
  NamedTensors list;
  for (const auto& item : module.named_parameters()) {
    if (item.value().requires_grad()) list.emplace_back(item.key(), item.value());
  }
  return list;
}

NamedTensors named_parameters(const Model& model) {
  NamedTensors list;
  for (auto& item : model.named_parameters()) {
    if (item.second.requires_grad()) list.push_back(std::move(item));
  }
  return list;
}

}  // namespace glidepath
