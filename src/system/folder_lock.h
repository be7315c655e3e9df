// src/system/folder_lock.h - one process at a time writes a folder.
#pragma once
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "system/lock_file.h"

namespace glidepath {

/// Holds FOLDER/run.lock, a LockFile, for as long as it lives, and tells of itself from a thread of its own.
class FolderLock {
 public:
  /// Where another machine's process has it, waits until that has given a sign of life, or none for two
  /// minutes; `on_wait` is told so at once. Throws InputError `WHAT: ...` that names who has it and since
  /// when; RunError where no file can be made in the folder.
  static std::unique_ptr<FolderLock> take(const std::filesystem::path& folder, const std::string& what,
                                          const std::function<void(const std::string&)>& on_wait);
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

  /// For before something is written. Throws RunError when another process took this one for dead, as it had
  /// stood still for so long.
  void require();

  /// Makes way for a process that is about to be started in the folder: removes a lock that is left there by
  /// one of another machine, which the caller knows to be gone. Throws RunError where a process of this
  /// machine has it.
  static void clear(const std::filesystem::path& folder);

 private:
  FolderLock(std::filesystem::path folder, LockFile lock);
  void work();
  void renew();

  std::filesystem::path folder_;
  std::mutex mutex_;  // of the lock
  LockFile lock_;
  std::atomic<bool> is_lost_{false};
  std::atomic<double> renewed_;  // seconds of a clock that goes on while the machine sleeps
  std::condition_variable changed_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace glidepath
