// src/ranks/meeting/job_store.h - the key-value store of a job, which nobody but its own processes can ask.
#pragma once
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <torch/csrc/distributed/c10d/Store.hpp>

namespace glidepath {

/// Where a store is, and what its job knows and nobody else: the server's key is derived from it, so that
/// without it no connection gets as far as a first question (CurveZMQ, which encrypts as well).
struct StoreAddress {
  std::string host;  ///< to listen at: "" is every interface
  int port = 0;      ///< to listen at: 0 is a free one
  std::string secret;
};

/// Serves until it is destroyed, from a thread of its own. A connection that does not come to its end of the
/// handshake within seconds, or sends half a question, holds up nobody.
class JobStoreServer {
 public:
  /// Throws std::runtime_error where it cannot listen.
  explicit JobStoreServer(const StoreAddress& address);
  ~JobStoreServer();
  JobStoreServer(const JobStoreServer&) = delete;
  JobStoreServer& operator=(const JobStoreServer&) = delete;
  int port() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// A connection to a server, for one question at a time. Throws std::runtime_error when there is no
/// connection, or no more, or no answer within the timeout, of which waiting for one's turn is a part.
class JobStore : public c10d::Store {
 public:
  /// Waits so long for a server that is not there yet, or serves another job.
  JobStore(const StoreAddress& address, std::chrono::milliseconds patience);
  ~JobStore() override;

  void set(const std::string& key, const std::vector<std::uint8_t>& value) override;
  std::vector<std::uint8_t> compareSet(const std::string& key, const std::vector<std::uint8_t>& expected,
                                       const std::vector<std::uint8_t>& desired) override;
  /// Waits for the key.
  std::vector<std::uint8_t> get(const std::string& key) override;
  std::int64_t add(const std::string& key, std::int64_t value) override;
  bool deleteKey(const std::string& key) override;
  bool check(const std::vector<std::string>& keys) override;
  std::int64_t getNumKeys() override;
  void wait(const std::vector<std::string>& keys) override;
  void wait(const std::vector<std::string>& keys, const std::chrono::milliseconds& timeout) override;
  // Later versions of LibTorch ask for it; earlier ones have nothing to override.
#if defined(__clang__)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Winconsistent-missing-override"
#endif
  virtual c10::intrusive_ptr<c10d::Store> clone();
#if defined(__clang__)
#pragma clang diagnostic pop
#endif

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace glidepath
