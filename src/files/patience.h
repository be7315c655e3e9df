// src/files/patience.h - what is done where data cannot be read: wait, and try again.
#pragma once
#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "files/read_failed.h"

namespace glidepath {

/// Data that could not be read for as long as one would wait.
class DataLost : public RunError {
 public:
  using RunError::RunError;
};

/// Shared by all that read one data set, on many threads. A disk, a network or a machine short of memory may
/// be well in a moment: a read that failed is tried again, after pauses that grow from 20 ms to 2 s.
class Patience {
 public:
  explicit Patience(double seconds = 60) : seconds_(seconds) {}
  Patience(const Patience&) = delete;
  Patience& operator=(const Patience&) = delete;

  void set_seconds(double seconds) { seconds_ = seconds; }
  /// Called by the reader that makes news, at once; for one that reads alone.
  void set_on_news(std::function<void()> on_news) { on_news_ = std::move(on_news); }
  /// Called now and then by the thread that takes batches, while it waits for one. It may throw.
  void set_while_waiting(std::function<void()> look) { while_waiting_ = std::move(look); }
  void look_up() const {
    if (while_waiting_) while_waiting_();
  }

  /// Calls `read` until it throws no ReadFailed. Throws DataLost when that went on for longer than
  /// set_seconds(), or did for another reader before; the ReadFailed itself when `stopping` was set
  /// meanwhile.
  template <typename Read>
  auto read(const Read& read, const std::atomic<bool>& stopping) {
    Trouble trouble;
    for (;;) {
      try {
        auto result = read();
        if (trouble.tries > 0) over();
        return result;
      } catch (const ReadFailed& failure) {
        if (!wait(trouble, failure, stopping)) throw;
      } catch (...) {
        if (trouble.tries > 0) over();
        throw;
      }
    }
  }

  /// What is to be told the user since the last call: that data are waited for, and that they are there
  /// again; once a minute at most.
  std::vector<std::string> take_news();

 private:
  struct Trouble {
    int tries = 0;
    std::chrono::steady_clock::time_point since = {};
  };

  bool wait(Trouble& trouble, const ReadFailed& failure, const std::atomic<bool>& stopping);
  void over();

  std::atomic<double> seconds_;
  std::function<void()> while_waiting_, on_news_;
  std::mutex mutex_;
  int waiting_ = 0;  // readers
  bool told_ = false;
  std::chrono::steady_clock::time_point told_at_ = {};
  std::string lost_;
  std::vector<std::string> news_;
};

}  // namespace glidepath
