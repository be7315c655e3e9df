// src/model/module_model.cpp - a torch module behind the handle.
#include "model/module_model.h"

#include <algorithm>

#include <torch/nn/modules/batchnorm.h>

namespace glidepath {
namespace {

template <typename Items>
NamedTensors listed(const Items& items) {
  NamedTensors list;
  list.reserve(items.size());
  for (const auto& item : items) list.emplace_back(item.key(), item.value());
  return list;
}

/// Nothing for another kind of module, or a norm that keeps none or averages all batches alike.
template <typename Norm>
bool add_if(const std::shared_ptr<torch::nn::Module>& module, std::vector<RunningStatistics>& list) {
  const auto norm = std::dynamic_pointer_cast<Norm>(module);
  if (!norm || !norm->running_mean.defined() || !norm->options.momentum().has_value()) return false;
  list.push_back({norm->running_mean, norm->running_var, norm->num_batches_tracked, *norm->options.momentum(),
                  [norm](double momentum) { norm->options.momentum(momentum); }});
  return true;
}

}  // namespace

NamedTensors ModuleModel::named_parameters() const { return listed(module_->named_parameters()); }

NamedTensors ModuleModel::named_buffers() const { return listed(module_->named_buffers()); }

std::vector<RunningStatistics> ModuleModel::running_statistics() {
  using namespace torch::nn;
  std::vector<RunningStatistics> list;
  for (const auto& module : module_->modules()) {
    if (std::find(held_.begin(), held_.end(), module) != held_.end()) continue;
    add_if<BatchNorm2dImpl>(module, list) || add_if<BatchNorm1dImpl>(module, list) ||
        add_if<BatchNorm3dImpl>(module, list);
  }
  return list;
}

void ModuleModel::train(bool on) {
  module_->train(on);
  for (const auto& norm : held_) norm->eval();
}

void ModuleModel::hold_frozen_norms() {
  held_.clear();
  for (const auto& module : module_->modules()) {
    const auto parameters = module->parameters(false);
    const bool is_norm = module->named_buffers(false).contains("running_mean");
    const bool is_frozen =
        !parameters.empty() &&
        std::none_of(parameters.begin(), parameters.end(), [](const auto& p) { return p.requires_grad(); });
    if (is_norm && is_frozen) held_.push_back(module);
  }
  train(is_training());
}

std::shared_ptr<Model> module_model(std::shared_ptr<torch::nn::Module> module,
                                    std::function<Values(const Values& inputs)> forward) {
  return std::make_shared<ModuleModel>(std::move(module), std::move(forward));
}

}  // namespace glidepath
