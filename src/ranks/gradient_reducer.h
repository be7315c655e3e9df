// src/ranks/gradient_reducer.h - gradients summed over the ranks while backward still computes others.
#pragma once
#include <cstdint>
#include <vector>

#include <torch/types.h>

#include "glidepath/process_group.h"

namespace glidepath {

/// Gradients are gathered in buckets, in the reverse order of the parameters, which is about the order in
/// which backward makes them; a full bucket is reduced at once, in the background. Buckets are reduced in the
/// same order on every rank. Between begin() and finish() only; other backward passes are left alone.
class GradientReducer {
 public:
  /// As PyTorch's DistributedDataParallel: a small first bucket, so that reducing begins early.
  static constexpr std::int64_t kFirstBucketBytes = 1 << 20, kBucketBytes = 25 << 20;

  GradientReducer(ProcessGroup& group, const std::vector<torch::Tensor>& parameters,
                  std::int64_t first_bucket_bytes = kFirstBucketBytes,
                  std::int64_t bucket_bytes = kBucketBytes);
  ~GradientReducer();
  GradientReducer(const GradientReducer&) = delete;
  GradientReducer& operator=(const GradientReducer&) = delete;

  /// Before backward. `adds`: to the gradients that are there, of earlier backward passes; else there are
  /// none.
  void begin(bool adds = false);
  /// After it: what had no gradient here counts as zeros. Then every parameter's gradient is the sum over the
  /// ranks, in the memory format of the parameter; it is valid until the next begin().
  void finish();
  /// After an exception in between.
  void abandon();

  std::size_t buckets() const { return buckets_.size(); }

 private:
  struct Entry {
    torch::Tensor parameter, view;
    std::size_t bucket;
    unsigned hook;
    bool ready = false;
  };
  struct Bucket {
    torch::Tensor flat;
    std::size_t entries = 0, ready = 0;
    ProcessGroup::Pending pending;
  };

  void take(std::size_t entry, const torch::Tensor& gradient);
  void start_full_buckets();

  ProcessGroup& group_;
  std::vector<Entry> entries_;
  std::vector<Bucket> buckets_;
  std::size_t next_bucket_ = 0;  // to be reduced
  bool active_ = false, adds_ = false;
};

}  // namespace glidepath
