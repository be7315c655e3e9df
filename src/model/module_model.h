// src/model/module_model.h - a torch module behind the handle.
#pragma once
#include <functional>
#include <memory>
#include <utility>

#include <torch/nn/module.h>

#include "glidepath/model.h"

namespace glidepath {

class ModuleModel : public Model {
 public:
  using Forward = std::function<Values(const Values&)>;

  ModuleModel(std::shared_ptr<torch::nn::Module> module, Forward forward)
      : module_(std::move(module)), forward_(std::move(forward)) {}

  Values forward(const Values& inputs) override { return forward_(inputs); }
  NamedTensors named_parameters() const override;
  NamedTensors named_buffers() const override;
  void train(bool on) override;
  bool is_training() const override { return module_->is_training(); }
  void to(const torch::Device& device) override { module_->to(device); }
  std::vector<RunningStatistics> running_statistics() override;
  void hold_frozen_norms() override;

 private:
  std::shared_ptr<torch::nn::Module> module_;
  Forward forward_;
  std::vector<std::shared_ptr<torch::nn::Module>> held_;  // in evaluation mode
};

}  // namespace glidepath
