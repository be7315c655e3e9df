// src/study/store/run_lock.h - one process at a time in a run's folder, whatever the claims in the store say.
#pragma once
#include <filesystem>
#include <optional>
#include <string>
#include <utility>

namespace glidepath {

/// Held by a study and by the process that does the run, until both are gone. A claim can be free before
/// that: its study was killed and the run has not died yet, or the study slept past its lease while the run
/// went on.
class RunLock {
 public:
  /// The lock of a run of the study in `dir`; empty when another process holds it. Throws RunError when the
  /// file cannot be used.
  static std::optional<RunLock> take(const std::filesystem::path& dir, const std::string& run_id);
  ~RunLock();
  RunLock(RunLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  RunLock& operator=(RunLock&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  /// A process that inherits it holds the lock as well.
  int descriptor() const { return descriptor_; }

 private:
  explicit RunLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

}  // namespace glidepath
