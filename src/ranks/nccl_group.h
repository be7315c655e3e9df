// src/ranks/nccl_group.h - collectives of tensors that lie on GPUs, by c10d's NCCL.
#pragma once
#include <memory>

#include <torch/csrc/distributed/c10d/Store.hpp>
#include <torch/csrc/distributed/c10d/Work.hpp>
#include <torch/types.h>

namespace glidepath {

/// A collective is queued on the device after what the current stream does; Work::synchronize() makes the
/// current stream wait for it.
class NcclGroup {
 public:
  /// Whether this build has it: a LibTorch 2 with CUDA, and the headers of NCCL and the CUDA runtime.
  static bool is_available();
  /// On the first tensor of a GPU, as LibTorch refuses it where there is none. Throws InternalError where it
  /// is not available.
  static std::unique_ptr<NcclGroup> make(const c10::intrusive_ptr<c10d::Store>& store, int rank, int size);
  virtual ~NcclGroup() = default;

  virtual c10::intrusive_ptr<c10d::Work> all_reduce(torch::Tensor tensor) = 0;
  /// From rank 0.
  virtual c10::intrusive_ptr<c10d::Work> broadcast(torch::Tensor tensor) = 0;
  /// Ends collectives that wait for a rank that is gone: until then the device does nothing else.
  virtual void abort() = 0;
  /// At the end of a job that went well.
  virtual void shutdown() = 0;
};

}  // namespace glidepath
