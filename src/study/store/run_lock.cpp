// src/study/store/run_lock.cpp - locks of single bytes of one file: a byte a run.
#include "study/store/run_lock.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

#include <fmt/format.h>

#include "files/folder.h"

namespace glidepath {

std::optional<RunLock> RunLock::take(const std::filesystem::path& dir, const std::string& run_id) {
  const auto file = dir / "study.lock";
  // Nothing is ever written to it, so it may be anybody's; but a link to nothing would make a file elsewhere.
  RunLock lock(::open(file.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0644));
  if (lock.descriptor_ < 0 && errno == ELOOP)
    throw LinkInTheWay(
        fmt::format("{}: is a link, where a study keeps its own lock; take it away", file.string()));
  struct flock byte = {};
  byte.l_type = F_WRLCK;
  byte.l_whence = SEEK_SET;
  // The file stays empty: locks reach beyond its end. 60 bits of the identity are always an offset.
  byte.l_start = static_cast<off_t>(std::stoull(run_id.substr(0, 15), nullptr, 16));
  byte.l_len = 1;
  // Unlike the older locks of a process, those of an open file pass on to children.
  if (lock.descriptor_ >= 0 && ::fcntl(lock.descriptor_, F_OFD_SETLK, &byte) == 0) return lock;
  if (lock.descriptor_ >= 0 && (errno == EAGAIN || errno == EACCES)) return std::nullopt;
  throw RunError(fmt::format("{}: cannot lock: {}", file.string(), std::strerror(errno)));
}

RunLock::~RunLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace glidepath
