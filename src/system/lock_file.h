// src/system/lock_file.h - one process at a time, on any machine that sees a folder.
#pragma once
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "system/owner.h"

namespace glidepath {

/// A file made by link(2), which is atomic on NFS too, where locks of bytes need a service that is often not
/// there; where a file system has no links, by O_EXCL. The holder renews it; one that is not renewed for
/// kStaleSeconds is taken over, and at once when its holder is known to be gone: a process of this machine,
/// or an earlier start of the same Slurm job on another.
class LockFile {
 public:
  static constexpr double kRenewSeconds = 10;
  static constexpr double kStaleSeconds = 120;

  struct Holder {
    Owner owner;
    std::string host;       ///< for people
    std::string slurm_job;  ///< $SLURM_JOB_ID; empty: none
    std::string since;      ///< when it took the lock, by its own clock, for people
  };
  static Holder this_holder();
  /// Who has the lock; nothing where nobody has.
  static std::optional<Holder> holder_of(const std::filesystem::path& file);
  /// Whether a holder is seen to be alive, which it can be from its own machine alone.
  static bool is_seen_alive(const Holder& holder);

  /// Waits while the lock's holder may be gone. Empty when it is alive, or `give_up`, asked again and again,
  /// says true. Throws RunError when the file cannot be made.
  static std::optional<LockFile> take(const std::filesystem::path& file, const Holder& self,
                                      const std::function<bool()>& give_up,
                                      double stale_seconds = kStaleSeconds);
  ~LockFile();
  LockFile(LockFile&& other) noexcept : file_(std::move(other.file_)), text_(std::move(other.text_)) {
    other.file_.clear();
  }
  LockFile& operator=(LockFile&&) = delete;
  /// Tells the others that we are there. False when the lock was taken over: somebody took us for dead.
  bool renew();
  /// As renew(), and makes a lock again that is gone with its folder, or was removed.
  bool keep();

 private:
  LockFile(std::filesystem::path file, std::string text) : file_(std::move(file)), text_(std::move(text)) {}
  std::filesystem::path file_;
  std::string text_;  ///< unlike that of any other lock
};

}  // namespace glidepath
