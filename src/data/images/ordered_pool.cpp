// src/data/images/ordered_pool.cpp - work in batches, done by several threads ahead of who takes it, in
// order.
#include "data/images/ordered_pool.h"

#include <algorithm>
#include <chrono>
#include <system_error>

#include <fmt/format.h>

#include "glidepath/error.h"

namespace glidepath {

OrderedPool::OrderedPool(int threads, int ahead, Begin begin)
    : ahead_(std::max(1, ahead)), begin_(std::move(begin)) {
  try {
    for (int i = 0; i < std::max(1, threads); ++i) threads_.emplace_back([this, i] { work(i); });
  } catch (const std::system_error& error) {
    stop();
    throw RunError(fmt::format("{} threads to decode images cannot be started, only {}: {}; ask for fewer",
                               threads, threads_.size(), error.code().message()));
  }
}

OrderedPool::~OrderedPool() { stop(); }

void OrderedPool::stop() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  work_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

// Only the last one can have items that nobody has taken: a batch is begun when all of those before are.
OrderedPool::Slot* OrderedPool::slot_with_work() {
  if (!slots_.empty() && slots_.back()->taken < slots_.back()->items) return slots_.back().get();
  while (!ended_ && static_cast<int>(slots_.size()) < ahead_) {
    begin_slot();
    if (!ended_ && slots_.back()->items > 0) return slots_.back().get();
  }
  return nullptr;
}

void OrderedPool::begin_slot() {
  auto slot = std::make_shared<Slot>();
  try {
    slot->batch = begin_();
    if (slot->batch) slot->items = slot->batch->items();
  } catch (...) {
    slot->failure = std::current_exception();
  }
  ended_ = !slot->batch;
  if (slot->batch || slot->failure) slots_.push_back(std::move(slot));
  if (ended_) work_.notify_all();
  if (ended_ || slots_.back()->items == 0) whole_.notify_all();
}

void OrderedPool::work(int thread) {
  std::unique_lock<std::mutex> lock(mutex_);
  while (true) {
    Slot* found = nullptr;
    work_.wait(lock, [&] { return stopping_ || (found = slot_with_work()) != nullptr; });
    if (stopping_) return;
    const std::shared_ptr<Slot> slot = slots_.back();
    const std::int64_t item = slot->taken++;
    lock.unlock();
    std::exception_ptr failure;
    try {
      slot->batch->make(item, thread);
    } catch (...) {
      failure = std::current_exception();
    }
    lock.lock();
    if (failure && (slot->failed_item < 0 || item < slot->failed_item)) {
      slot->failed_item = item;
      slot->failure = failure;
    }
    if (++slot->done == slot->items) whole_.notify_all();
  }
}

std::shared_ptr<PoolBatch> OrderedPool::next(const std::function<void()>& look_up) {
  constexpr std::chrono::milliseconds kBetweenLooks{200};
  std::unique_lock<std::mutex> lock(mutex_);
  const auto is_ready = [this] { return slots_.empty() ? ended_ : slots_.front()->is_whole(); };
  while (!whole_.wait_for(lock, kBetweenLooks, is_ready)) {
    if (!look_up) continue;
    lock.unlock();
    look_up();
    lock.lock();
  }
  if (slots_.empty()) return nullptr;
  const std::shared_ptr<Slot> slot = slots_.front();
  if (slot->failure) {  // stays, so that the next call throws again
    ended_ = true;
    std::rethrow_exception(slot->failure);
  }
  slots_.pop_front();
  work_.notify_all();
  return slot->batch;
}

}  // namespace glidepath
