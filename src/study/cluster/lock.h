// src/study/cluster/lock.h - one task at a time in a run's folder, on any machine that sees it.
#pragma once
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "study/store.h"

namespace glidepath {

/// A file made by link(2), which is atomic on NFS too, where locks of bytes need a service that is often not
/// there. The holder renews it; one that is not renewed for kStaleSeconds is taken over, and at once when its
/// holder is known to be gone: a process of this machine, or an earlier start of the same Slurm job.
class ClusterLock {
 public:
  static constexpr double kRenewSeconds = 10;
  static constexpr double kStaleSeconds = 120;

  struct Holder {
    Owner owner;
    std::string host;       ///< for people
    std::string slurm_job;  ///< $SLURM_JOB_ID; empty: none
  };
  static Holder this_holder();

  /// Waits while the lock's holder may be gone. Empty when it is alive, or `give_up` says true. Throws
  /// RunError when the file cannot be made.
  static std::optional<ClusterLock> take(const std::filesystem::path& file, const Holder& self,
                                         const std::function<bool()>& give_up,
                                         double stale_seconds = kStaleSeconds);
  ~ClusterLock();
  ClusterLock(ClusterLock&& other) noexcept : file_(std::move(other.file_)), text_(std::move(other.text_)) {
    other.file_.clear();
  }
  ClusterLock& operator=(ClusterLock&&) = delete;
  /// Tells the others that we are there. False when the lock was taken over: somebody took us for dead.
  bool renew();

 private:
  ClusterLock(std::filesystem::path file, std::string text)
      : file_(std::move(file)), text_(std::move(text)) {}
  std::filesystem::path file_;
  std::string text_;  ///< unlike that of any other lock
};

}  // namespace glidepath
