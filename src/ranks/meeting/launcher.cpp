// src/ranks/meeting/launcher.cpp - starts the processes of a job on this machine and looks after them.
#include "ranks/meeting/launcher.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <future>
#include <map>
#include <memory>
#include <optional>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include <fmt/format.h>

#include "glidepath/error.h"
#include "ranks/meeting/environment.h"
#include "ranks/meeting/job_secret.h"
#include "ranks/meeting/store_server.h"
#include "system/cores.h"
#include "system/owner.h"

extern char** environ;

namespace glidepath {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kPoll = std::chrono::milliseconds(20);
// The ranks find out by themselves, within 20 s, and save what they have; this is for those that do not.
constexpr auto kGrace = std::chrono::seconds(26);
constexpr auto kLast = std::chrono::seconds(2);
constexpr auto kLongestTelling = std::chrono::seconds(5);    // otherwise they find out by themselves
constexpr auto kFarewell = std::chrono::milliseconds(1500);  // ranks look at the store twice a second
constexpr const char* kRestarts = "0";
constexpr int kPassedOn[] = {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2};

std::atomic<int> caught{0};
void on_signal(int number) { caught = number; }

/// While alive, signals are noted instead of ending this process.
class SignalsNoted {
 public:
  SignalsNoted() {
    for (const int number : kPassedOn) {
      struct sigaction action {};
      action.sa_handler = on_signal;
      action.sa_flags = SA_RESTART;
      ::sigaction(number, &action, &before_[number]);
      // What nohup ignores stays ignored.
      if (before_[number].sa_handler == SIG_IGN) ::sigaction(number, &before_[number], nullptr);
    }
  }
  ~SignalsNoted() {
    for (const auto& [number, action] : before_) ::sigaction(number, &action, nullptr);
  }
  const struct sigaction& before(int number) const { return before_.at(number); }

 private:
  std::map<int, struct sigaction> before_;
};

struct Child {
  int rank;
  pid_t pid;
  bool ended = false;
  int status = 0;  // of waitpid
  bool was_killed() const { return ended && WIFSIGNALED(status); }
  bool failed() const { return ended && status != 0; }
};

/// Made up for a job of this machine; the launchers of several are started by somebody who gives them one, or
/// share that of their user.
std::string secret_of(const LaunchOptions& options) {
  const char* given = std::getenv(kJobSecret);
  if (given != nullptr && *given != '\0') return given;
  return options.nodes == 1 ? random_secret() : secret_of_user();
}

/// The job's store, as the ranks reach it.
struct Store {
  int port;
  std::string secret;
};

std::vector<std::string> environment_of(const LaunchOptions& options, int local_rank, const Store& store) {
  const int threads =
      options.threads_per_rank > 0 ? options.threads_per_rank : std::max(1, usable_cores() / options.ranks);
  std::map<std::string, std::string> own = {
      {"RANK", std::to_string(options.node * options.ranks + local_rank)},
      {"WORLD_SIZE", std::to_string(options.nodes * options.ranks)},
      {"LOCAL_RANK", std::to_string(local_rank)},
      {"LOCAL_WORLD_SIZE", std::to_string(options.ranks)},
      {"MASTER_ADDR", options.master_address},
      {"MASTER_PORT", std::to_string(store.port)},
      {kJobSecret, store.secret},
      {kStoreIsServed, "1"},
      {"OMP_NUM_THREADS", std::to_string(threads)},
      {"TORCHELASTIC_RESTART_COUNT", kRestarts},
  };
  if (options.join_seconds > 0) own["GLIDEPATH_JOIN_SECONDS"] = std::to_string(options.join_seconds);
  std::vector<std::string> all;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    if (own.count(text.substr(0, text.find('='))) == 0) all.push_back(text);
  }
  for (const auto& [name, value] : own) all.push_back(name + "=" + value);
  return all;
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

// Between fork and exec only what may be called there: other threads serve the store.
pid_t start(const std::string& program, std::vector<std::string> arguments,
            std::vector<std::string> environment, const SignalsNoted& signals) {
  arguments.insert(arguments.begin(), program);
  const std::vector<char*> argv = pointers_to(arguments), envp = pointers_to(environment);
  const pid_t parent = ::getpid(), pid = ::fork();
  if (pid < 0) throw RunError(fmt::format("cannot start a process: {}", std::strerror(errno)));
  if (pid > 0) return pid;
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != parent) ::_exit(1);
  for (const int number : kPassedOn) ::sigaction(number, &signals.before(number), nullptr);
  ::execve(program.c_str(), argv.data(), envp.data());
  ::_exit(127);
}

void send(const std::vector<Child>& children, int number) {
  for (const Child& child : children) {
    if (!child.ended) ::kill(child.pid, number);
  }
}

/// Notes who has ended; true when all have.
bool reap(std::vector<Child>& children) {
  bool all = true;
  for (Child& child : children) {
    if (!child.ended && ::waitpid(child.pid, &child.status, WNOHANG) == child.pid) child.ended = true;
    all = all && child.ended;
  }
  return all;
}

// The others have given it up: it would wait for ever, and takes no other signal.
void kill_stopped(const std::vector<Child>& children) {
  for (const Child& child : children) {
    if (!child.ended && process_state(child.pid) == 'T') ::kill(child.pid, SIGKILL);
  }
}

std::string death_of(const Child& child) {
  const int number = WTERMSIG(child.status);
  return fmt::format("was killed by signal {} ({})", number, ::strsignal(number));
}

/// The other ranks need not wait for its sign of life. Done when the others know, or cannot be told.
std::future<void> tell_of_death(const Child& child, const LaunchOptions& options, const Store& store) {
  Place place;
  place.rank = child.rank;
  place.master_address = options.master_address;
  place.master_port = store.port;
  place.secret = store.secret;
  place.store_prefix = store_prefix(kRestarts);
  return tell_of_loss(place, fmt::format("rank {} (host {}, pid {}) {}", child.rank, host_name(), child.pid,
                                         death_of(child)));
}

void wait_for_all(std::vector<Child>& children, const LaunchOptions& options, const Store& store) {
  std::optional<Clock::time_point> failed_at;
  std::future<void> told_others;
  for (bool all_ended = false; !all_ended;) {
    all_ended = reap(children);
    if (const int number = caught.exchange(0)) send(children, number);
    const bool failed =
        std::any_of(children.begin(), children.end(), [](const Child& c) { return c.failed(); });
    const bool told = std::any_of(children.begin(), children.end(),
                                  [](const Child& c) { return c.failed() && !c.was_killed(); });
    if (told) kill_stopped(children);
    if (failed && !failed_at) {
      failed_at = Clock::now();
      const auto killed =
          std::find_if(children.begin(), children.end(), [](const Child& c) { return c.was_killed(); });
      if (!told && killed != children.end()) told_others = tell_of_death(*killed, options, store);
    }
    if (failed_at && Clock::now() - *failed_at > kGrace + kLast) {
      send(children, SIGKILL);
    } else if (failed_at && Clock::now() - *failed_at > kGrace) {
      send(children, SIGTERM);
    }
    if (!all_ended) std::this_thread::sleep_for(kPoll);
  }
  if (told_others.valid()) told_others.wait_for(kLongestTelling);
}

}  // namespace

int launch(const std::string& program, const std::vector<std::string>& arguments,
           const LaunchOptions& options) {
  if (options.nodes > 1 && (options.master_address == "127.0.0.1" || options.master_port == 0)) {
    throw InputError("--nodes: more than one machine needs --master-addr and --master-port of the first");
  }
  if (options.node >= options.nodes)
    throw InputError(fmt::format("--node-rank {}: must be below --nodes {}", options.node, options.nodes));
  Store store{options.master_port, secret_of(options)};
  std::unique_ptr<StoreServer> server;
  if (options.node == 0) {
    server = std::make_unique<StoreServer>(options.master_address, options.master_port, store.secret);
    store.port = server->port();
  }
  const SignalsNoted signals;
  std::vector<Child> children;
  for (int local = 0; local < options.ranks; ++local) {
    const pid_t pid = start(program, arguments, environment_of(options, local, store), signals);
    children.push_back({options.node * options.ranks + local, pid});
  }
  wait_for_all(children, options, store);
  // The ranks of the other machines hear of it by this store.
  if (server && options.nodes > 1 &&
      std::any_of(children.begin(), children.end(), [](const Child& child) { return child.failed(); }))
    std::this_thread::sleep_for(kFarewell);
  int status = 0;
  const Child* killed = nullptr;
  for (const Child& child : children) {
    if (child.was_killed() && killed == nullptr) killed = &child;
    if (status == 0 && child.failed() && !child.was_killed()) status = WEXITSTATUS(child.status);
  }
  if (status == 0 && killed != nullptr) {
    throw RunError(fmt::format("rank {} (pid {}) {}", killed->rank, killed->pid, death_of(*killed)));
  }
  return status;
}

}  // namespace glidepath
