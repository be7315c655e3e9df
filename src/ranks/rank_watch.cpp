// src/ranks/rank_watch.cpp - signs of life between the ranks of a job.
#include "ranks/rank_watch.h"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "core/steady_seconds.h"
#include "files/json_text.h"

namespace glidepath {
namespace {

constexpr auto kEvery = std::chrono::milliseconds(500);
constexpr std::chrono::duration<double> kStallEvery{1};
// A process that was itself stopped has seen nothing meanwhile: no more than this counts at once.
constexpr double kMostAtOnce = 2;

std::string beat_key(int rank) { return fmt::format("beat/{}", rank); }

}  // namespace

RankInfo RankInfo::of_this_process() { return {host_name(), this_process(), core_limits()}; }

std::string RankInfo::text() const {
  return json_text(nlohmann::json{{"host", host},
                                  {"machine", owner.host},
                                  {"pid", owner.pid},
                                  {"start", owner.start},
                                  {"mask", limits.mask},
                                  {"quota", limits.quota.value_or(0)},
                                  {"quota_group", limits.quota_group},
                                  {"of_process", limits.of_process.value_or(0)}});
}

RankInfo RankInfo::from(const std::string& text) {
  const auto json = parse_json(text);
  RankInfo info{json.at("host"), {json.at("machine"), json.at("pid"), json.at("start")}, {}};
  info.limits.mask = json.at("mask").get<std::vector<int>>();
  if (const double quota = json.at("quota"); quota > 0) info.limits.quota = quota;
  info.limits.quota_group = json.at("quota_group");
  if (const int own = json.at("of_process"); own > 0) info.limits.of_process = own;
  return info;
}

bool RankInfo::has_ended() const {
  static const Owner here = this_process();
  return is_gone(owner, here);
}

std::string JobFailure::text() const {
  return json_text(
      nlohmann::json{{"rank", rank}, {"exit_status", exit_status}, {"message", message}, {"gone", gone}});
}

JobFailure JobFailure::from(const std::string& text) {
  const auto json = parse_json(text);
  return {json.at("rank"), json.at("exit_status"), json.at("message"), json.at("gone")};
}

RankWatch::RankWatch(WatchStore store, int rank, std::vector<RankInfo> ranks, std::string keeper,
                     double silent_seconds)
    : store_(std::move(store)),
      rank_(rank),
      ranks_(std::move(ranks)),
      keeper_(std::move(keeper)),
      silent_seconds_(silent_seconds),
      seen_(ranks_.size()),
      looked_(steady_seconds()) {
  rounds_.asked_at = looked_;
  thread_ = std::thread([this] { work(); });
}

RankWatch::~RankWatch() { stop(); }

void RankWatch::stop() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

std::string RankWatch::name_of(int rank) const {
  const RankInfo& info = ranks_[static_cast<std::size_t>(rank)];
  return fmt::format("rank {} (host {}, pid {})", rank, info.host, info.owner.pid);
}

std::optional<JobFailure> RankWatch::failure() {
  const std::lock_guard<std::mutex> lock(mutex_);
  look_for_stall();
  return failure_;
}

// The thread cannot say that it waits for an answer: who waits for the thread counts how long it has not come
// round.
void RankWatch::look_for_stall() {
  const double now = steady_seconds();
  rounds_.stalled =
      rounds_.done == rounds_.asked ? rounds_.stalled + std::min(now - rounds_.asked_at, kMostAtOnce) : 0;
  rounds_.asked = rounds_.done;
  rounds_.asked_at = now;
  if (failure_ || stopping_ || rounds_.stalled <= silent_seconds_) return;
  const int whose = keeper_.rfind("rank 0", 0) == 0 ? 0 : -1;
  failure_ =
      JobFailure{whose, 1,
                 fmt::format("{} has given no sign of life for {:.0f} s: stopped, or its machine is gone",
                             keeper_, rounds_.stalled),
                 true};
}

std::optional<JobFailure> RankWatch::wait_for_failure(double seconds) {
  std::unique_lock<std::mutex> lock(mutex_);
  const double until = steady_seconds() + seconds;
  while (true) {
    look_for_stall();
    const std::chrono::duration<double> left(until - steady_seconds());
    if (failure_ || stopping_ || left.count() <= 0) return failure_;
    changed_.wait_for(lock, std::min(left, kStallEvery));
  }
}

void RankWatch::conclude(const JobFailure& failure) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!failure_) failure_ = failure;
  }
  changed_.notify_all();
}

void RankWatch::tell(const JobFailure& failure) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (failure_) return;
  }
  try {
    conclude(JobFailure::from(store_.set_first(kFailure, failure.text())));
  } catch (const std::exception&) {  // the store is gone, and with it who could be told
    conclude(failure);
  }
}

void RankWatch::work() {
  while (true) {
    try {
      look();
    } catch (const std::exception&) {
      conclude({ranks_.size() > 1 && keeper_.rfind("rank 0", 0) == 0 ? 0 : -1, 1,
                fmt::format("{} is gone: it no longer answers", keeper_), true});
    }
    std::unique_lock<std::mutex> lock(mutex_);
    ++rounds_.done;
    if (failure_ || stopping_) return;
    changed_.wait_for(lock, kEvery, [this] { return stopping_; });
    if (stopping_) return;
  }
}

void RankWatch::look() {
  const double now = steady_seconds(), passed = std::min(now - looked_, kMostAtOnce);
  looked_ = now;
  store_.set(beat_key(rank_), std::to_string(++beats_));
  const std::string told = store_.get(kFailure);
  if (!told.empty()) return conclude(JobFailure::from(told));
  for (int rank = 0; rank < static_cast<int>(ranks_.size()); ++rank) {
    if (rank == rank_) continue;
    if (rank_ == 0 || rank == 0) {
      look_after(rank, passed);
    } else {
      look_for_end(rank);
    }
  }
}

void RankWatch::look_for_end(int rank) {
  if (!ranks_[static_cast<std::size_t>(rank)].has_ended()) return;
  // It may have told why before it ended.
  const std::string told = store_.get(kFailure);
  if (!told.empty()) return conclude(JobFailure::from(told));
  tell({rank, 1, fmt::format("{} has ended without a word: killed, or out of memory", name_of(rank)), true});
}

void RankWatch::look_after(int rank, double passed) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (stopping_ || failure_) return;
  }
  const auto place = static_cast<std::size_t>(rank);
  Seen& seen = seen_[place];
  const std::string beat = store_.get(beat_key(rank));
  seen.silent = beat == seen.beat ? seen.silent + passed : 0;
  seen.beat = beat;
  look_for_end(rank);
  if (seen.silent > silent_seconds_) {
    tell({rank, 1,
          fmt::format("{} has given no sign of life for {:.0f} s: stopped, or its machine is gone",
                      name_of(rank), seen.silent),
          true});
  }
}

}  // namespace glidepath
