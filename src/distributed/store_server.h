// src/distributed/store_server.h - the key-value store of a job, served by a process that is no rank.
#pragma once
#include <memory>
#include <string>

namespace glidepath {

/// Serves until it is destroyed. Throws InputError where this build has no c10d, RunError for a port that is
/// taken.
class StoreServer {
 public:
  /// `port` 0: a free one.
  StoreServer(const std::string& address, int port);
  ~StoreServer();
  int port() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace glidepath
