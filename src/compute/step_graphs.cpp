// src/compute/step_graphs.cpp - forward and backward passes on a GPU as CUDA graphs, one for each shape of
// batch.
#include "compute/step_graphs.h"

#include <algorithm>

#include <c10/core/impl/VirtualGuardImpl.h>
#include <fmt/format.h>
#include <torch/cuda.h>
#include <torch/types.h>

namespace glidepath {
namespace {

constexpr std::int64_t kWarmUp = 3;      // as torch.cuda.make_graphed_callables
constexpr std::int64_t kMostGraphs = 4;  // each keeps the memory of its activations

// Synchronised on both sides: memory of one stream is used on the other from then on.
c10::Stream exchange_stream(const c10::Stream& stream) {
  torch::cuda::synchronize(stream.device_index());
  return c10::impl::VirtualGuardImpl(stream.device_type()).exchangeStream(stream);
}

/// Of everything that the model is given.
std::vector<std::int64_t> shape_of(const Batch& batch) {
  std::vector<std::int64_t> shape;
  for (const torch::Tensor& tensor : batch.inputs) {
    shape.push_back(tensor.dim());
    shape.insert(shape.end(), tensor.sizes().begin(), tensor.sizes().end());
  }
  return shape;
}

void copy(const Values& from, Values& to) {
  for (std::size_t i = 0; i < from.size(); ++i) to[i].copy_(from[i], /*non_blocking=*/true);
}

}  // namespace

StepGraphs::StepGraphs(const torch::Device& device, std::vector<torch::Tensor> parameters,
                       std::function<void(const std::string&)> on_warning)
    : device_(device),
      parameters_(std::move(parameters)),
      on_warning_(std::move(on_warning)),
      before_(exchange_stream(c10::impl::VirtualGuardImpl(device.type()).getStreamFromGlobalPool(device))) {}

StepGraphs::~StepGraphs() {
  try {
    torch::cuda::synchronize(device_.index());  // a graph must not go while it runs
    steps_.clear();
    exchange_stream(before_);
  } catch (const std::exception&) {  // a GPU that has failed has told so before
  }
}

std::int64_t StepGraphs::recorded() const {
  return std::count_if(steps_.begin(), steps_.end(),
                       [](const auto& step) { return step.second.graph != nullptr; });
}

Passed StepGraphs::run(const Batch& batch, const Passes& passes) {
  if (!works_) return passes(batch);
  Step& step = steps_[shape_of(batch)];
  if (!step.graph) {
    if (++step.seen <= kWarmUp || recorded() == kMostGraphs) return passes(batch);
    if (!record(step, batch, passes)) return passes(batch);
  }
  return launch(step, batch);
}

bool StepGraphs::record(Step& step, const Batch& batch, const Passes& passes) {
  auto graph = std::make_unique<CudaGraph>();
  step.inputs = batch;
  for (Values* values : {&step.inputs.inputs, &step.inputs.targets}) {
    for (torch::Tensor& tensor : *values) tensor = tensor.clone();
  }
  torch::cuda::synchronize(device_.index());
  try {
    graph->record([&] { step.outputs = passes(step.inputs); });
  } catch (const std::exception& error) {
    const std::string what = error.what();
    if (on_warning_) {
      on_warning_(
          fmt::format("cuda_graphs: not possible here, so every kernel is launched alone from now on: {}",
                      what.substr(0, what.find('\n'))));
    }
    works_ = false;
    for (torch::Tensor& parameter : parameters_) parameter.mutable_grad().reset();
    steps_.clear();
    return false;
  }
  step.graph = std::move(graph);
  for (const torch::Tensor& parameter : parameters_) step.gradients.push_back(parameter.grad());
  return true;
}

Passed StepGraphs::launch(Step& step, const Batch& batch) {
  copy(batch.inputs, step.inputs.inputs);
  copy(batch.targets, step.inputs.targets);
  step.graph->launch();
  // Another shape, or a measurement, may have put other gradients in their place.
  for (std::size_t i = 0; i < parameters_.size(); ++i) parameters_[i].mutable_grad() = step.gradients[i];
  return {step.outputs.loss.clone(), step.outputs.correct.clone()};
}

}  // namespace glidepath
