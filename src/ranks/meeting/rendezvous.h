// src/ranks/meeting/rendezvous.h - how the ranks of a job find each other, by way of its key-value store.
#pragma once
#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <vector>

#include "glidepath/process_group.h"
#include "ranks/meeting/job_store.h"
#include "ranks/rank_watch.h"

namespace glidepath {

/// What a rank holds and knows once all have come.
struct Rendezvous {
  Place place;                                     ///< with the port that was taken
  std::shared_ptr<JobStoreServer> server;          ///< where this process serves the store
  c10::intrusive_ptr<JobStore> collective, watch;  ///< connections: one that waits would hold up the other
  std::vector<RankInfo> ranks;
};

/// Waits until all ranks have come. Throws RunError when some are missing after join_seconds, RankFailed when
/// the store cannot be served or reached; without a message where another rank says so.
Rendezvous meet(const Place& place, double join_seconds);

/// As rank_watch.h asks.
WatchStore watch_store(const c10::intrusive_ptr<c10d::Store>& store);

/// Before a process stops: where it serves the store, it stays for the others to read there why.
void stay_for_farewell(const Place& place);

/// Notes in the store.
inline std::string note_text(const std::vector<std::uint8_t>& bytes) { return {bytes.begin(), bytes.end()}; }
inline std::vector<std::uint8_t> note_bytes(const std::string& text) { return {text.begin(), text.end()}; }

inline std::string first_line_of(const std::exception& error) {
  const std::string what = error.what();
  return what.substr(0, what.find('\n'));
}

}  // namespace glidepath
