// src/data/fetch/fetch_lock.h - one fetch at a time in a folder.
#pragma once
#include <filesystem>
#include <optional>

#include "data/fetch/fetch_context.h"
#include "files/folder.h"

namespace glidepath {

/// The folder FOLDER/.fetch, held by this process. Its lock file goes with the process, however that ends.
/// FOLDER is where the user keeps data, and may be a link; .fetch and all in it is ours.
class FetchLock {
 public:
  /// Makes the folder and waits for whoever holds it, saying so. Throws RunError when it cannot be made,
  /// LinkInTheWay where .fetch is no folder, Interrupted when stopped.
  FetchLock(const std::filesystem::path& folder, const FetchContext& context);
  /// Removes the lock file, and the folders where nothing is left in them.
  ~FetchLock();
  FetchLock(const FetchLock&) = delete;
  FetchLock& operator=(const FetchLock&) = delete;

  const Folder& target() const { return *target_; }
  const Folder& work() const { return *work_; }
  bool waited() const { return waited_; }

 private:
  bool try_once();

  std::filesystem::path folder_;
  std::optional<Folder> target_, work_;
  int descriptor_ = -1;
  bool waited_ = false;
};

}  // namespace glidepath
