// src/distributed/rank_watch.cpp - signs of life between the ranks of a job.
#include "distributed/rank_watch.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <fstream>
#include <sstream>
#include <unistd.h>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "files/json_text.h"

namespace glidepath {
namespace {

constexpr auto kEvery = std::chrono::milliseconds(500);
// A process that was itself stopped has seen nothing meanwhile: no more than this counts at once.
constexpr double kMostAtOnce = 2;

std::string beat_key(int rank) { return fmt::format("beat/{}", rank); }

double steady_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::string first_line(const std::string& file) {
  std::string line;
  std::getline(std::ifstream(file) >> std::ws, line);
  return line;
}

std::string link_target(const char* path) {
  std::array<char, 256> target{};
  const ssize_t length = ::readlink(path, target.data(), target.size() - 1);
  return length < 0 ? "" : std::string(target.data(), static_cast<std::size_t>(length));
}

struct ProcessState {
  char state = 0;
  std::string started;
};

// The name, in brackets, may hold spaces and brackets.
ProcessState process_state(long pid) {
  const std::string line = first_line(fmt::format("/proc/{}/stat", pid));
  const auto end = line.rfind(')');
  if (end == std::string::npos) return {};
  std::istringstream fields(line.substr(end + 1));
  ProcessState found;
  fields >> found.state;
  constexpr int kBetween = 18;  // from the state, field 3, to the start time, field 22
  for (int i = 0; i <= kBetween; ++i) fields >> found.started;
  return found;
}

}  // namespace

RankInfo RankInfo::of_this_process() {
  RankInfo info;
  std::array<char, 256> host{};
  ::gethostname(host.data(), host.size() - 1);
  info.host = host.data();
  info.machine = first_line("/proc/sys/kernel/random/boot_id") + link_target("/proc/self/ns/pid") + info.host;
  info.pid = ::getpid();
  info.started = process_state(info.pid).started;
  return info;
}

std::string RankInfo::text() const {
  return json_text(nlohmann::json{{"host", host}, {"machine", machine}, {"pid", pid}, {"started", started}});
}

RankInfo RankInfo::from(const std::string& text) {
  const auto json = nlohmann::json::parse(text);
  return {json.at("host"), json.at("machine"), json.at("pid"), json.at("started")};
}

bool RankInfo::has_ended() const {
  static const std::string here = of_this_process().machine;
  if (machine != here) return false;
  if (::kill(static_cast<pid_t>(pid), 0) != 0 && errno == ESRCH) return true;
  const ProcessState now = process_state(pid);
  return now.state == 'Z' || now.state == 'X' || (!now.started.empty() && now.started != started);
}

std::string JobFailure::text() const {
  return json_text(
      nlohmann::json{{"rank", rank}, {"exit_status", exit_status}, {"message", message}, {"gone", gone}});
}

JobFailure JobFailure::from(const std::string& text) {
  const auto json = nlohmann::json::parse(text);
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
  return fmt::format("rank {} (host {}, pid {})", rank, info.host, info.pid);
}

std::optional<JobFailure> RankWatch::failure() {
  const std::lock_guard<std::mutex> lock(mutex_);
  const double now = steady_seconds();
  stalled_ = looks_ == looks_asked_ ? stalled_ + std::min(now - asked_, kMostAtOnce) : 0;
  looks_asked_ = looks_;
  asked_ = now;
  if (!failure_ && !stopping_ && stalled_ > silent_seconds_) {
    const int whose = keeper_.rfind("rank 0", 0) == 0 ? 0 : -1;
    failure_ =
        JobFailure{whose, 1,
                   fmt::format("{} has given no sign of life for {:.0f} s: stopped, or its machine is gone",
                               keeper_, stalled_),
                   true};
  }
  return failure_;
}

std::optional<JobFailure> RankWatch::wait_for_failure(double seconds) {
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait_for(lock, std::chrono::duration<double>(seconds),
                    [this] { return failure_.has_value() || stopping_; });
  return failure_;
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
    ++looks_;
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
