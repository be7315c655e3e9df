// src/data/own/side_by_side.h - a number of pieces of work, done by several threads.
#pragma once
#include <algorithm>
#include <atomic>
#include <cstddef>
#include <exception>
#include <limits>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

namespace glidepath {

/// Calls do_one(0) to do_one(count - 1), each once, from up to `threads` threads, this one among them; which
/// is left to chance. Throws what the first in order threw, of those that threw; later ones may then not have
/// been called.
template <typename DoOne>
void side_by_side(std::size_t count, int threads, const DoOne& do_one) {
  std::atomic<std::size_t> next{0}, failed{std::numeric_limits<std::size_t>::max()};
  std::mutex mutex;
  std::exception_ptr failure;
  const auto work = [&] {
    for (std::size_t i = next++; i < count && i < failed; i = next++) {
      try {
        do_one(i);
      } catch (...) {
        const std::lock_guard<std::mutex> lock(mutex);
        if (i >= failed) continue;
        failed = i;
        failure = std::current_exception();
      }
    }
  };
  std::vector<std::thread> others;
  try {
    for (std::size_t i = 1; i < std::min(count, static_cast<std::size_t>(std::max(1, threads))); ++i)
      others.emplace_back(work);
  } catch (const std::system_error&) {  // those that there are do it
  }
  work();
  for (std::thread& thread : others) thread.join();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace glidepath
