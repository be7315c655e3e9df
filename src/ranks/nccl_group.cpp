// src/ranks/nccl_group.cpp - collectives of tensors that lie on GPUs, by c10d's NCCL.
#include "ranks/nccl_group.h"

#include "glidepath/error.h"

#if GLIDEPATH_HAS_NCCL
#include <chrono>
#include <vector>

#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>

namespace glidepath {
namespace {

// The watch over the ranks tells when one is gone; a collective may wait for as long as rank 0 measures.
constexpr auto kTimeout = std::chrono::hours(24 * 7);

class C10dNccl : public NcclGroup {
 public:
  C10dNccl(const c10::intrusive_ptr<c10d::Store>& store, int rank, int size) {
    auto options = c10d::ProcessGroupNCCL::Options::create();
    options->timeout = kTimeout;
    group_ = c10::make_intrusive<c10d::ProcessGroupNCCL>(
        c10::make_intrusive<c10d::PrefixStore>("nccl", store), rank, size, options);
  }
  c10::intrusive_ptr<c10d::Work> all_reduce(torch::Tensor tensor) override {
    std::vector<torch::Tensor> tensors{tensor};
    return group_->allreduce(tensors);
  }
  c10::intrusive_ptr<c10d::Work> broadcast(torch::Tensor tensor) override {
    std::vector<torch::Tensor> tensors{tensor};
    return group_->broadcast(tensors);
  }
  void abort() override { group_->abort(); }
  void shutdown() override { group_->shutdown(); }

 private:
  c10::intrusive_ptr<c10d::ProcessGroupNCCL> group_;
};

}  // namespace

bool NcclGroup::is_available() { return true; }

std::unique_ptr<NcclGroup> NcclGroup::make(const c10::intrusive_ptr<c10d::Store>& store, int rank, int size) {
  return std::make_unique<C10dNccl>(store, rank, size);
}

}  // namespace glidepath

#else

namespace glidepath {

bool NcclGroup::is_available() { return false; }

std::unique_ptr<NcclGroup> NcclGroup::make(const c10::intrusive_ptr<c10d::Store>&, int, int) {
  throw InternalError("this build has no NCCL");
}

}  // namespace glidepath
#endif
