// src/system/folder_lock.cpp - one process at a time writes a folder.
#include "system/folder_lock.h"

#include <ctime>
#include <utility>

#include <fmt/format.h>

#include "glidepath/error.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

fs::path lock_in(const fs::path& folder) { return folder / "run.lock"; }

double seconds_since_boot() {
  timespec time{};
  ::clock_gettime(CLOCK_BOOTTIME, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

std::string told(const LockFile::Holder& holder) {
  return fmt::format("process {} on {}, since {}", holder.owner.pid, holder.host,
                     holder.since.empty() ? "an unknown time" : holder.since);
}

/// A Slurm job's tasks may be two processes that are alive: what is of the same job is nobody's for all that.
LockFile::Holder this_writer() {
  LockFile::Holder holder = LockFile::this_holder();
  holder.slurm_job.clear();
  return holder;
}

}  // namespace

std::unique_ptr<FolderLock> FolderLock::take(const fs::path& folder, const std::string& what,
                                             const std::function<void(const std::string&)>& on_wait) {
  const fs::path file = lock_in(folder);
  std::optional<LockFile::Holder> holder;
  const auto give_up = [&, asked = 0]() mutable {
    holder = LockFile::holder_of(file);
    if (holder && LockFile::is_seen_alive(*holder)) return true;
    if (holder && asked++ == 0 && on_wait) {
      on_wait(fmt::format("{}: held by {}; waiting for a sign of life of it, for {:.0f} s at most",
                          file.string(), told(*holder), LockFile::kStaleSeconds));
    }
    return false;
  };
  auto lock = LockFile::take(file, this_writer(), give_up);
  if (lock) return std::unique_ptr<FolderLock>(new FolderLock(folder, std::move(*lock)));
  throw InputError(
      fmt::format("{}: another process is writing there ({}); wait for its end, or stop it first", what,
                  holder ? told(*holder) : "unknown"));
}

FolderLock::FolderLock(fs::path folder, LockFile lock)
    : folder_(std::move(folder)), lock_(std::move(lock)), renewed_(seconds_since_boot()) {
  thread_ = std::thread([this] { work(); });
}

FolderLock::~FolderLock() {
  {
    const std::lock_guard<std::mutex> hold(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void FolderLock::work() {
  std::unique_lock<std::mutex> hold(mutex_);
  while (!changed_.wait_for(hold, std::chrono::duration<double>(LockFile::kRenewSeconds),
                            [this] { return stopping_; }))
    renew();
}

// A disk that refuses is no other process: it may take the sign of life the next time.
void FolderLock::renew() {
  try {
    if (lock_.keep()) {
      renewed_ = seconds_since_boot();
    } else {
      is_lost_ = true;
    }
  } catch (const RunError&) {
  }
}

void FolderLock::require() {
  if (!is_lost_ && seconds_since_boot() - renewed_ > LockFile::kStaleSeconds / 2) {
    const std::lock_guard<std::mutex> hold(mutex_);
    renew();
  }
  if (!is_lost_) return;
  const auto holder = LockFile::holder_of(lock_in(folder_));
  throw RunError(fmt::format(
      "{}: taken over by {} while this process stood still; stopped without writing there any more",
      folder_.string(), holder ? told(*holder) : "another process"));
}

void FolderLock::clear(const fs::path& folder) {
  const auto holder = LockFile::holder_of(lock_in(folder));
  if (!holder) return;
  if (LockFile::is_seen_alive(*holder))
    throw RunError(fmt::format("{}: another process is writing there ({})", folder.string(), told(*holder)));
  std::error_code error;  // what cannot be removed is waited for
  fs::remove(lock_in(folder), error);
}

}  // namespace glidepath
