// src/compute/step_graphs.h - forward and backward passes on a GPU as CUDA graphs, one for each shape of
// batch.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <c10/core/Stream.h>
#include <torch/types.h>

#include "compute/cuda_graph.h"
#include "glidepath/loader.h"

namespace glidepath {

/// What the passes over a batch leave beside gradients, on the device.
struct Passed {
  torch::Tensor loss;     ///< 0-dim, of the batch's images in the mean; not scaled, no gradient
  torch::Tensor correct;  ///< 0-dim, right answers
};

/// Launching some hundred kernels takes a host longer than a GPU needs for those of a small network; a graph
/// is one launch. A shape's first few batches are computed as usual, which warms up what LibTorch keeps by
/// stream; the next one is recorded, and launched from then on. Where recording fails, everything is computed
/// as usual from there on, with a warning.
class StepGraphs {
 public:
  /// Forward and backward: writes gradients anew, and reads nothing of the host that may differ at the next
  /// batch of the shape.
  using Passes = std::function<Passed(const Batch&)>;

  /// Makes a stream of its own the current one of this thread, as long as it lives: what is recorded must not
  /// be on the default stream. `parameters` are those that get gradients.
  StepGraphs(const torch::Device& device, std::vector<torch::Tensor> parameters,
             std::function<void(const std::string&)> on_warning);
  ~StepGraphs();
  StepGraphs(const StepGraphs&) = delete;
  StepGraphs& operator=(const StepGraphs&) = delete;

  /// passes(batch), or the same by a graph: the results are copies, gradients are overwritten by the next
  /// one.
  Passed run(const Batch& batch, const Passes& passes);

  /// Graphs there are, for tests.
  std::int64_t recorded() const;

 private:
  struct Step {
    std::int64_t seen = 0;
    std::unique_ptr<CudaGraph> graph;  // none before it is recorded
    Batch inputs;
    Passed outputs;
    std::vector<torch::Tensor> gradients;
  };
  bool record(Step& step, const Batch& batch, const Passes& passes);
  Passed launch(Step& step, const Batch& batch);

  torch::Device device_;
  std::vector<torch::Tensor> parameters_;
  std::function<void(const std::string&)> on_warning_;
  c10::Stream before_;  // the current stream that was
  std::map<std::vector<std::int64_t>, Step> steps_;
  bool works_ = true;
};

}  // namespace glidepath
