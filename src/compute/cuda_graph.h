// src/compute/cuda_graph.h - a CUDA graph, where this build has them.
#pragma once
#include <functional>
#include <memory>

namespace glidepath {

/// Work of a GPU, recorded once and launched many times as one. Memory that is allocated while recording is
/// the graph's, and every launch writes there.
class CudaGraph {
 public:
  /// Whether this build has them: LibTorch 2.1 or later with CUDA, and the headers of the CUDA runtime.
  static bool is_built();

  CudaGraph();
  ~CudaGraph();
  CudaGraph(const CudaGraph&) = delete;
  CudaGraph& operator=(const CudaGraph&) = delete;

  /// Records what `work` queues on the current stream, which must not be the default one; nothing of it is
  /// done. Throws what `work` throws, and LibTorch's error where something cannot be recorded.
  void record(const std::function<void()>& work);
  /// Queues the recorded work on the current stream.
  void launch();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace glidepath
