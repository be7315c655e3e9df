// src/ranks/meeting/store_server.h - the key-value store of a job, served by a process that is no rank.
#pragma once
#include <future>
#include <memory>
#include <string>

#include "glidepath/process_group.h"

namespace glidepath {

/// What a build without c10d says to a job of several: throws InputError.
[[noreturn]] void refuse_several_processes();

/// Tells the ranks of a job, by its store, that the one of `place` is gone, in a thread of its own: the store
/// may not answer. Ready when they know, or the store cannot be reached.
std::future<void> tell_of_loss(const Place& place, const std::string& message);

/// Serves until it is destroyed. Throws InputError where this build has no c10d, RunError for a port that is
/// taken.
class StoreServer {
 public:
  /// `port` 0: a free one. `secret`: what those who ask have to know.
  StoreServer(const std::string& address, int port, const std::string& secret);
  ~StoreServer();
  int port() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace glidepath
