// src/data/fetch/fetch_lock.cpp - one fetch at a time in a folder, by flock.
#include "data/fetch/fetch_lock.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "data/fetch/part_file.h"
#include "glidepath/error.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

constexpr const char *kWork = ".fetch", *kLock = "lock";

}  // namespace

FetchLock::FetchLock(const fs::path& folder, const FetchContext& context) : folder_(folder) {
  constexpr double kPoll = 0.2;
  while (!try_once()) {
    if (!waited_)
      context.note(fmt::format("{}: another fetch is at work there; waiting for it", folder.string()));
    waited_ = true;
    context.wait(kPoll);
  }
}

bool FetchLock::try_once() {
  for (;;) {
    make_folder(folder_);
    target_ = Folder::open(folder_);
    work_ = target_->make_inside(kWork);
    descriptor_ = ::openat(work_->descriptor(), kLock, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (descriptor_ < 0 && errno == ENOENT) continue;  // its holder has just removed the folder
    if (descriptor_ < 0 && errno == ELOOP) {
      work_->remove(kLock);  // a link is no lock of ours
      continue;
    }
    const std::string file = (work_->path() / kLock).string();
    if (descriptor_ < 0) {
      throw RunError(
          fmt::format("{}: cannot write: {}; name a folder that may be written by --data-dir or "
                      "GLIDEPATH_DATA",
                      file, std::strerror(errno)));
    }
    const bool locked = ::flock(descriptor_, LOCK_EX | LOCK_NB) == 0;
    if (!locked && errno != EWOULDBLOCK && errno != EINTR) {
      const int reason = errno;
      ::close(descriptor_);
      throw RunError(
          fmt::format("{}: cannot be locked: {}; name a folder on another file system by --data-dir", file,
                      std::strerror(reason)));
    }
    // A lock on a file that its last holder has removed is worth nothing.
    struct stat held {
    }, there{};
    const bool is_there = ::fstat(descriptor_, &held) == 0 &&
                          ::fstatat(work_->descriptor(), kLock, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
                          held.st_ino == there.st_ino && held.st_dev == there.st_dev;
    if (locked && is_there) return true;
    ::close(descriptor_);
    descriptor_ = -1;
    if (is_there) return false;
  }
}

FetchLock::~FetchLock() {
  work_->remove(kLock);
  target_->remove_folder(kWork);
  ::rmdir(folder_.c_str());
  ::close(descriptor_);
}

}  // namespace glidepath
