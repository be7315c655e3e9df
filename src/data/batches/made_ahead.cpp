// src/data/batches/made_ahead.cpp - batches by number, made by a thread ahead of who takes them.
#include "data/batches/made_ahead.h"

#include <chrono>
#include <utility>

namespace glidepath {

Batch MadeAhead::next(const std::function<void()>& look_up) {
  constexpr std::chrono::milliseconds kBetweenLooks{200};
  if (prefetch_ <= 0) return make_(next_++, stopping_);
  if (!worker_.joinable()) {
    stopping_ = false;
    worker_ = std::thread([this] { work(); });
  }
  std::unique_lock<std::mutex> lock(mutex_);
  while (!changed_.wait_for(lock, kBetweenLooks, [this] { return !ready_.empty() || failure_; })) {
    if (!look_up) continue;
    lock.unlock();
    look_up();
    lock.lock();
  }
  if (ready_.empty()) std::rethrow_exception(failure_);
  Batch batch = std::move(ready_.front());
  ready_.pop_front();
  ++next_;
  changed_.notify_all();
  return batch;
}

void MadeAhead::seek(std::int64_t step) {
  stop();
  next_ = step;
}

void MadeAhead::work() {
  for (std::int64_t step = next_;; ++step) {
    Batch batch;
    std::exception_ptr thrown;
    try {
      batch = make_(step, stopping_);
    } catch (...) {
      thrown = std::current_exception();
    }
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [this] { return stopping_ || static_cast<std::int64_t>(ready_.size()) < prefetch_; });
    if (stopping_) return;
    failure_ = thrown;
    if (!thrown) ready_.push_back(std::move(batch));
    changed_.notify_all();
    if (thrown) return;
  }
}

void MadeAhead::stop() {
  if (!worker_.joinable()) return;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  worker_.join();
  ready_.clear();
  failure_ = nullptr;
}

}  // namespace glidepath
