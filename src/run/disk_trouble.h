// src/run/disk_trouble.h - a disk that refuses: told now and then, and no reason to stop training.
#pragma once
#include <functional>
#include <set>
#include <string>

namespace glidepath {

/// Turns RunErrors of writing into warnings, at most one a minute, and one more when all is well again.
class DiskTrouble {
 public:
  using Warn = std::function<void(const std::string&)>;
  using Clock = std::function<double()>;

  DiskTrouble() = default;
  DiskTrouble(Warn warn, Clock clock);

  /// Runs `write`, which writes `what` (a name for us). False when it threw a RunError.
  bool attempt(const std::string& what, const std::function<void()>& write);
  /// The last refusal, as its error said it.
  const std::string& last_problem() const { return last_problem_; }
  /// Says something at once, whatever was said before.
  void tell(const std::string& message) const;

 private:
  Warn warn_;
  Clock clock_;
  double told_at_ = -1e300;
  std::set<std::string> refused_;  // what the disk owes us
  bool told_ = false;
  std::string last_problem_;
};

}  // namespace glidepath
