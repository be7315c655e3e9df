// src/data/batches/made_ahead.h - batches by number, made by a thread ahead of who takes them.
#pragma once
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>

#include "glidepath/batch.h"

namespace glidepath {

class MadeAhead {
 public:
  /// `stopping` becomes true where nobody wants the batch any more.
  using Make = std::function<Batch(std::int64_t step, const std::atomic<bool>& stopping)>;

  /// `prefetch` batches ahead; 0: each is made by who takes it, and there is no thread.
  MadeAhead(Make make, std::int64_t prefetch) : make_(std::move(make)), prefetch_(prefetch) {}
  ~MadeAhead() { stop(); }
  MadeAhead(const MadeAhead&) = delete;
  MadeAhead& operator=(const MadeAhead&) = delete;

  /// Throws what `make` threw. While it waits, `look_up` is called five times a second; it may throw.
  Batch next(const std::function<void()>& look_up = {});
  /// next() gives batch `step`.
  void seek(std::int64_t step);

 private:
  void work();
  void stop();

  Make make_;
  std::int64_t prefetch_;
  std::int64_t next_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Batch> ready_;
  std::exception_ptr failure_;
  std::atomic<bool> stopping_{false};
  std::thread worker_;
};

}  // namespace glidepath
