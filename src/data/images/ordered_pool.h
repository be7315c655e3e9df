// src/data/images/ordered_pool.h - work in batches, done by several threads ahead of who takes it, in order.
#pragma once
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace glidepath {

/// A batch: items that are made one by one, by any thread, in any order.
class PoolBatch {
 public:
  PoolBatch() = default;
  PoolBatch(const PoolBatch&) = delete;
  PoolBatch& operator=(const PoolBatch&) = delete;
  virtual ~PoolBatch() = default;
  virtual std::int64_t items() const = 0;  ///< at least 1
  /// `thread` is the number of the one that calls; it has no other item meanwhile.
  virtual void make(std::int64_t item, int thread) = 0;
};

/// Batch after batch, at most `ahead` of them begun and not yet taken, so memory is bounded. An item's thread
/// and moment are left to chance; what it makes must not depend on them.
class OrderedPool {
 public:
  /// Begins the next batch; nothing when there are no more. Called by one thread at a time, in order.
  using Begin = std::function<std::shared_ptr<PoolBatch>()>;

  /// Throws RunError where the system does not start that many threads.
  OrderedPool(int threads, int ahead, Begin begin);
  /// Waits for the items that are being made; the others are not.
  ~OrderedPool();
  OrderedPool(const OrderedPool&) = delete;
  OrderedPool& operator=(const OrderedPool&) = delete;

  /// The next batch, whole; nothing after the last. Throws what beginning it threw, or the first of its
  /// items, in their order, that threw; then it is over. While it waits, `look_up` is called five times a
  /// second; it may throw.
  std::shared_ptr<PoolBatch> next(const std::function<void()>& look_up = {});

 private:
  struct Slot {
    std::shared_ptr<PoolBatch> batch;
    std::int64_t items = 0, taken = 0, done = 0;
    std::int64_t failed_item = -1;
    std::exception_ptr failure;
    bool is_whole() const { return done == items; }
  };

  void work(int thread);
  void stop();
  Slot* slot_with_work();
  void begin_slot();

  const int ahead_;
  const Begin begin_;
  std::mutex mutex_;
  std::condition_variable work_, whole_;
  std::deque<std::shared_ptr<Slot>> slots_;
  bool ended_ = false, stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace glidepath
