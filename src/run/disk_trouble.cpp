// src/run/disk_trouble.cpp - a disk that refuses: told now and then, and no reason to stop training.
#include "run/disk_trouble.h"

#include <utility>

#include "glidepath/error.h"

namespace glidepath {
namespace {

constexpr double kTellEverySeconds = 60;

}  // namespace

DiskTrouble::DiskTrouble(Warn warn, Clock clock) : warn_(std::move(warn)), clock_(std::move(clock)) {}

bool DiskTrouble::attempt(const std::string& what, const std::function<void()>& write) {
  try {
    write();
  } catch (const RunError& error) {
    last_problem_ = error.what();
    refused_.insert(what);
    const double now = clock_ ? clock_() : 0;
    if (now - told_at_ >= kTellEverySeconds) {
      told_at_ = now;
      told_ = true;
      tell(last_problem_ + "; training goes on, and it is tried again");
    }
    return false;
  }
  if (refused_.erase(what) > 0 && refused_.empty() && std::exchange(told_, false)) {
    tell("the disk takes files again; what it refused is written");
  }
  return true;
}

void DiskTrouble::tell(const std::string& message) const {
  if (warn_) warn_(message);
}

}  // namespace glidepath
