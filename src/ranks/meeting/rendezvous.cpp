// src/ranks/meeting/rendezvous.cpp - the key-value store of a job is opened, and its ranks come together
// there.
#include <algorithm>
#include <chrono>
#include <future>
#include <stdexcept>
#include <thread>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/steady_seconds.h"
#include "glidepath/error.h"
#include "ranks/meeting/store_server.h"

namespace glidepath {

void refuse_several_processes() {
  throw InputError(
      "this build trains in one process only: when it was made, LibTorch had no c10d with Gloo or Gloo's "
      "headers (Debian's libgloo-dev) were missing");
}

}  // namespace glidepath

#if GLIDEPATH_HAS_GLOO
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include "core/words.h"
#include "ranks/meeting/job_secret.h"
#include "ranks/meeting/rendezvous.h"
#include "ranks/meeting/sockets.h"

namespace glidepath {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kPoll{20}, kTry{1000}, kTryAddress{5000};
// Between attempts to reach the store: short at first, as rank 0 may be a moment late; then a job of
// thousands must not flood it.
constexpr milliseconds kFirstPause{20}, kLongestPause{1000};
// More than its own time for a thread that waits for the others, before it counts as stuck.
constexpr double kAnswerSeconds = 10;
constexpr double kTellSeconds = 5, kFarewellSeconds = 3;
constexpr const char* kGivenUp = "given-up";

std::string rank_key(int rank) { return fmt::format("rank/{}", rank); }

milliseconds as_milliseconds(double seconds) {
  return milliseconds(static_cast<std::int64_t>(1000 * seconds));
}

// c10d would try as well, and logs every failure.
c10::intrusive_ptr<c10d::TCPStore> open_agents_store(const Place& place, double seconds) {
  const double until = steady_seconds() + seconds;
  std::string why = why_unreachable(place.master_address, place.master_port, kTry);
  for (auto pause = kFirstPause; !why.empty() && steady_seconds() < until;
       pause = std::min(2 * pause, kLongestPause)) {
    std::this_thread::sleep_for(std::min(pause, as_milliseconds(until - steady_seconds()) + milliseconds(1)));
    why = why_unreachable(place.master_address, place.master_port, kTry);
  }
  if (!why.empty()) throw std::runtime_error(why);
  c10d::TCPStoreOptions options;
  options.port = static_cast<std::uint16_t>(place.master_port);
  options.isServer = false;
  options.waitWorkers = false;
  options.timeout = as_milliseconds(seconds);
  return c10::make_intrusive<c10d::TCPStore>(place.master_address, options);
}

/// Where the store of a job on several machines listens: there alone where the others look for rank 0's. A
/// name that means another address here than there (Debian gives a machine's own name 127.0.1.1) says
/// nothing.
std::string address_to_serve(const std::string& master) {
  const std::string address = own_address_of(master);
  return is_loopback(address) && !is_loopback(master) ? "" : address;
}

StoreAddress store_address(const Place& place) {
  return {place.master_address, place.master_port, place.secret};
}

bool serves_store(const Place& place) { return place.rank == 0 && !place.store_is_served; }

// Of the processes of one machine, which all see the same, one speaks; where none of them knows its place on
// it (without LOCAL_RANK), all do.
[[noreturn]] void refuse_store(const Place& place, const std::string& what) {
  const std::string message = fmt::format("rank {}: the job's store at {}:{} (MASTER_ADDR, MASTER_PORT) {}",
                                          place.rank, place.master_address, place.master_port, what);
  throw RankFailed(place.local_rank > 0 ? "" : message, kExitRunFailed);
}

class Meeting {
 public:
  Meeting(const Place& place, double seconds) : patience_(seconds), until_(steady_seconds() + seconds) {
    met_.place = place;
  }

  Rendezvous run() {
    try {
      open();
      come();
      wait_for_all();
    } catch (const Error&) {
      throw;
    } catch (const std::exception& error) {
      refuse_store(met_.place,
                   fmt::format("cannot be {}: {}", serves_store(met_.place) ? "served" : "reached",
                               first_line_of(error)));
    }
    return std::move(met_);
  }

 private:
  void open();
  void find_store_by_file();
  void serve_store();
  void ask_agent(bool tell);
  void come();
  void wait_for_all();
  double seconds_left() const { return std::max(1.0, until_ - steady_seconds()); }
  [[noreturn]] void give_up();
  [[noreturn]] void leave_to_another() const;

  double patience_, until_;
  int agent_port_ = 0;
  Rendezvous met_;
  c10::intrusive_ptr<c10d::Store> notes_;
};

void Meeting::open() {
  Place& place = met_.place;
  if (place.secret.empty() && place.meeting_file.empty()) place.secret = secret_of_user();
  if (serves_store(place)) {
    serve_store();
  } else if (!place.meeting_file.empty()) {
    find_store_by_file();
  } else if (place.agent_serves) {
    ask_agent(false);
  }
  const auto connect = [&] {
    return c10::make_intrusive<JobStore>(store_address(place), as_milliseconds(seconds_left()));
  };
  if (!met_.collective) met_.collective = connect();
  met_.watch = connect();
  notes_ = c10::make_intrusive<c10d::PrefixStore>(place.store_prefix + "group", met_.collective);
}

void Meeting::serve_store() {
  Place& place = met_.place;
  if (place.secret.empty()) place.secret = random_secret();
  const bool is_one_machine = !place.meeting_file.empty();
  agent_port_ = place.master_port;
  met_.server = std::make_shared<JobStoreServer>(
      StoreAddress{is_one_machine ? place.master_address : address_to_serve(place.master_address),
                   place.agent_serves ? 0 : place.master_port, place.secret});
  place.master_port = met_.server->port();
  if (is_one_machine) MeetingFile(place.meeting_file).write({place.master_port, place.secret});
  if (place.agent_serves) ask_agent(true);
}

// What an earlier job has left in the file leads to nobody, or to somebody else: rank 0 writes another.
void Meeting::find_store_by_file() {
  Place& place = met_.place;
  const MeetingFile file(place.meeting_file);
  while (true) {
    const auto told = file.read();
    if (told && why_unreachable(place.master_address, told->port, kTry).empty()) {
      place.master_port = told->port;
      place.secret = told->secret;
      try {
        met_.collective = c10::make_intrusive<JobStore>(store_address(place), kTryAddress);
        return;
      } catch (const std::runtime_error&) {
      }
    }
    if (steady_seconds() > until_) {
      throw RunError(
          fmt::format("{}: rank 0 has not written its port; it has not come", file.path().string()));
    }
    std::this_thread::sleep_for(kPoll);
  }
}

// Whoever it is that answers at the address has to know the secret.
void Meeting::ask_agent(bool tell) {
  Place& place = met_.place;
  Place agents = place;
  if (tell) agents.master_port = agent_port_;
  const auto agent = open_agents_store(agents, seconds_left());
  const std::string key = place.store_prefix + "port";
  if (tell) return agent->set(key, note_bytes(std::to_string(place.master_port)));
  while (!agent->check({key})) {
    if (steady_seconds() > until_) throw std::runtime_error("rank 0 has not come");
    std::this_thread::sleep_for(kPoll);
  }
  place.master_port = static_cast<int>(words::whole(note_text(agent->get(key))).value_or(0));
}

// Everyone leaves a note of who it is. Where there is one already, the store is that of another job, which is
// not to be disturbed, or this rank was started twice.
void Meeting::come() {
  const std::string key = rank_key(met_.place.rank);
  if (notes_->add(key + "/count", 1) > 1) {
    throw RunError(fmt::format(
        "rank {}: {}:{} (MASTER_ADDR, MASTER_PORT) has a process of this rank already; give each job its own "
        "port, and each process its own rank",
        met_.place.rank, met_.place.master_address, met_.place.master_port));
  }
  notes_->set(key, note_bytes(RankInfo::of_this_process().text()));
}

// And reads the others'.
void Meeting::wait_for_all() {
  while (static_cast<int>(met_.ranks.size()) < met_.place.world_size) {
    const std::string next = rank_key(static_cast<int>(met_.ranks.size()));
    if (notes_->check({next})) {
      met_.ranks.push_back(RankInfo::from(note_text(notes_->get(next))));
      continue;
    }
    if (notes_->check({kGivenUp})) leave_to_another();
    if (steady_seconds() > until_) give_up();
    std::this_thread::sleep_for(kPoll);
  }
}

void Meeting::leave_to_another() const {
  stay_for_farewell(met_.place);
  throw RankFailed("", kExitRunFailed);
}

// The first whose patience ends speaks for all that have come.
void Meeting::give_up() {
  std::vector<int> missing;
  for (int rank = 0; rank < met_.place.world_size; ++rank) {
    if (!notes_->check({rank_key(rank)})) missing.push_back(rank);
  }
  if (notes_->add(kGivenUp, 1) > 1) leave_to_another();
  stay_for_farewell(met_.place);
  throw RunError(fmt::format("rank {} waited {:.0f} s for rank(s) {} of {}, which have not come",
                             met_.place.rank, patience_, fmt::join(missing, ", "), met_.place.world_size));
}

}  // namespace

void stay_for_farewell(const Place& place) {
  if (serves_store(place)) std::this_thread::sleep_for(std::chrono::duration<double>(kFarewellSeconds));
}

Rendezvous meet(const Place& place, double join_seconds) {
  // In a thread of its own: what takes connections and never answers is no store, and c10d would wait for
  // ever.
  std::packaged_task<Rendezvous()> meeting([=] { return Meeting(place, join_seconds).run(); });
  std::future<Rendezvous> met = meeting.get_future();
  std::thread(std::move(meeting)).detach();
  if (met.wait_for(std::chrono::duration<double>(join_seconds + kAnswerSeconds)) != std::future_status::ready)
    refuse_store(place, "does not answer: the machine is gone, or the port is another program's");
  Rendezvous all = met.get();
  if (!place.meeting_file.empty() && serves_store(place)) MeetingFile(place.meeting_file).remove();
  return all;
}

WatchStore watch_store(const c10::intrusive_ptr<c10d::Store>& store) {
  const auto get = [store](const std::string& key) {
    return store->check({key}) ? note_text(store->get(key)) : std::string();
  };
  return {[store](const std::string& key, const std::string& value) { store->set(key, note_bytes(value)); },
          get,
          [store, get](const std::string& key, const std::string& value) {
            // The first to count is the one to write; the others wait for what it writes.
            if (store->add(key + "/count", 1) == 1) store->set(key, note_bytes(value));
            return note_text(store->get(key));
          }};
}

std::future<void> tell_of_loss(const Place& place, const std::string& message) {
  std::packaged_task<void()> telling([place, message] {
    const auto store = c10::make_intrusive<JobStore>(store_address(place), as_milliseconds(kTellSeconds));
    watch_store(c10::make_intrusive<c10d::PrefixStore>(place.store_prefix + "watch", store))
        .set_first(kFailure, JobFailure{place.rank, kExitRunFailed, message, true}.text());
  });
  std::future<void> told = telling.get_future();
  std::thread(std::move(telling)).detach();
  return told;
}

struct StoreServer::Impl {
  JobStoreServer server;
};

StoreServer::StoreServer(const std::string& address, int port, const std::string& secret) {
  try {
    impl_ = std::unique_ptr<Impl>(new Impl{JobStoreServer({address_to_serve(address), port, secret})});
    // Who is not at home there is told so before others wait for it.
    if (const std::string why = why_unreachable(address, impl_->server.port(), kTry); !why.empty())
      throw std::runtime_error(why);
  } catch (const std::exception& error) {
    throw RunError(fmt::format("{}:{}: the job's store cannot be served there: {}", address, port,
                               first_line_of(error)));
  }
}
StoreServer::~StoreServer() = default;
int StoreServer::port() const { return impl_->server.port(); }

}  // namespace glidepath

#else

namespace glidepath {

std::future<void> tell_of_loss(const Place&, const std::string&) { return {}; }
struct StoreServer::Impl {};
StoreServer::StoreServer(const std::string&, int, const std::string&) { refuse_several_processes(); }
StoreServer::~StoreServer() = default;
int StoreServer::port() const { return 0; }

}  // namespace glidepath
#endif
