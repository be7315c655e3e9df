// src/files/patience.cpp - what is done where data cannot be read: wait, and try again.
#include "files/patience.h"

#include <algorithm>
#include <thread>
#include <utility>

#include <fmt/format.h>

namespace glidepath {

bool Patience::wait(Trouble& trouble, const ReadFailed& failure, const std::atomic<bool>& stopping) {
  using Clock = std::chrono::steady_clock;
  using std::chrono::duration;
  using std::chrono::milliseconds;
  const auto now = Clock::now();
  if (trouble.tries++ == 0) trouble.since = now;
  const double limit = seconds_;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (trouble.tries == 1) ++waiting_;
    if (lost_.empty() && duration<double>(now - trouble.since).count() >= limit)
      lost_ = fmt::format("{}, for {:g} s", failure.what(), limit);
    if (!lost_.empty()) {
      --waiting_;
      throw DataLost(lost_);
    }
    constexpr std::chrono::minutes kBetween{1};
    const bool is_news = told_at_ == Clock::time_point() || now - told_at_ >= kBetween;
    if (!told_ && is_news) {
      told_ = true;
      told_at_ = now;
      news_.push_back(fmt::format("{}; waiting for the data, for up to {:g} s", failure.what(), limit));
    }
  }
  if (trouble.tries == 1 && on_news_) on_news_();
  const double pause = std::min({0.02 * (1 << std::min(trouble.tries - 1, 7)), 2.0,
                                 limit - duration<double>(now - trouble.since).count()});
  const auto until = now + std::chrono::duration_cast<Clock::duration>(duration<double>(pause));
  while (Clock::now() < until) {
    if (stopping) {
      const std::lock_guard<std::mutex> lock(mutex_);
      --waiting_;
      return false;
    }
    std::this_thread::sleep_for(std::min<Clock::duration>(milliseconds(20), until - Clock::now()));
  }
  return true;
}

void Patience::over() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (--waiting_ > 0 || !std::exchange(told_, false)) return;
    news_.push_back("the data can be read again");
  }
  if (on_news_) on_news_();
}

std::vector<std::string> Patience::take_news() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return std::exchange(news_, {});
}

}  // namespace glidepath
