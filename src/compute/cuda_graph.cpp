// src/compute/cuda_graph.cpp - a CUDA graph, where this build has them.
#include "compute/cuda_graph.h"

#include "glidepath/error.h"

#ifdef GLIDEPATH_CUDA_GRAPHS
#include <ATen/cuda/CUDAGraph.h>

namespace glidepath {

struct CudaGraph::Impl {
  at::cuda::CUDAGraph graph;
};

bool CudaGraph::is_built() { return true; }

void CudaGraph::record(const std::function<void()>& work) {
  // The loader's thread may allocate pinned memory meanwhile, which a global capture would not survive.
  impl_->graph.capture_begin({0, 0}, cudaStreamCaptureModeThreadLocal);
  try {
    work();
  } catch (...) {
    try {
      impl_->graph.capture_end();
    } catch (const std::exception&) {  // what made `work` throw has broken the capture: that error is told
    }
    throw;
  }
  impl_->graph.capture_end();
}

void CudaGraph::launch() { impl_->graph.replay(); }

}  // namespace glidepath

#else

namespace glidepath {

struct CudaGraph::Impl {};

bool CudaGraph::is_built() { return false; }

void CudaGraph::record(const std::function<void()>&) {
  throw InternalError("CUDA graphs: this build has none");
}

void CudaGraph::launch() { throw InternalError("CUDA graphs: this build has none"); }

}  // namespace glidepath

#endif

namespace glidepath {

CudaGraph::CudaGraph() : impl_(std::make_unique<Impl>()) {}
CudaGraph::~CudaGraph() = default;

}  // namespace glidepath
