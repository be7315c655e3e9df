// src/ranks/rank_watch.h - signs of life between the ranks of a job.
#pragma once
#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "system/cores.h"
#include "system/owner.h"

namespace glidepath {

/// A process of the job, as it describes itself to the others.
struct RankInfo {
  std::string host;  ///< for people
  Owner owner;
  CoreLimits limits;

  static RankInfo of_this_process();
  std::string text() const;
  static RankInfo from(const std::string& text);
  /// Whether the process is seen to have ended; false where it cannot be seen from here.
  bool has_ended() const;
};

/// Why the job stops.
struct JobFailure {
  int rank = -1;  ///< whose failure it is; -1: of the store's keeper
  int exit_status = 1;
  std::string message;
  bool gone = false;  ///< the rank cannot say so itself

  std::string text() const;
  static JobFailure from(const std::string& text);
};

/// Under which a watch finds the text of a JobFailure.
constexpr const char* kFailure = "failure";

/// What a watch needs of the key-value store of the job; its calls throw when the store cannot be reached.
struct WatchStore {
  std::function<void(const std::string& key, const std::string& value)> set;
  std::function<std::string(const std::string& key)> get;  ///< "" for a key that is not there
  /// Sets a key unless it is there, and gives what is there then.
  std::function<std::string(const std::string& key, const std::string& value)> set_first;
};

/// A thread that beats for this rank, and that watches the others: rank 0 all of them, the others rank 0 and
/// whether those of their own machine have ended, and each whether a failure was told. So the store is asked
/// a few times a second by each rank, and twice a second for each rank by rank 0.
class RankWatch {
 public:
  RankWatch(WatchStore store, int rank, std::vector<RankInfo> ranks, std::string keeper,
            double silent_seconds);
  ~RankWatch();
  RankWatch(const RankWatch&) = delete;
  RankWatch& operator=(const RankWatch&) = delete;

  /// Also finds a store that neither answers nor breaks off, as when its process is stopped.
  std::optional<JobFailure> failure();
  /// Tells the others; the first failure told is everyone's.
  void tell(const JobFailure& failure);
  /// Waits until a failure is known, at most so long; finds what failure() does.
  std::optional<JobFailure> wait_for_failure(double seconds);
  void stop();
  std::string name_of(int rank) const;

 private:
  void work();
  void look();
  void look_for_stall();
  void look_after(int rank, double passed);
  void look_for_end(int rank);
  void conclude(const JobFailure& failure);

  struct Seen {
    std::string beat;
    double silent = 0;
  };
  /// Whether the thread comes round.
  struct Rounds {
    long done = 0, asked = 0;          // when it was last asked whether it stalls
    double asked_at = 0, stalled = 0;  // seconds
  };

  WatchStore store_;
  int rank_;
  std::vector<RankInfo> ranks_;
  std::string keeper_;  // whose end it is when the store is gone
  double silent_seconds_;
  std::vector<Seen> seen_;
  long beats_ = 0;
  double looked_ = 0;

  mutable std::mutex mutex_;  // of what follows
  Rounds rounds_;
  std::condition_variable changed_;
  std::optional<JobFailure> failure_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace glidepath
