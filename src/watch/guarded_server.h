// src/watch/guarded_server.h - cpp-httplib's server, with bounds on what strangers can take of it.
#pragma once
#include <chrono>
#include <condition_variable>
#include <functional>
#include <httplib.h>
#include <list>
#include <mutex>
#include <string>

namespace glidepath {

/// The library gives each connection a thread of a pool and waits for every byte anew: two dozen clients that
/// send one now and then keep everybody else out. Here a request must have come whole within `head_seconds`
/// and `kMostHeadBytes`, each connection has a thread of its own and one request, and of connections that
/// have not shown the page's address yet there are no more than kMostStrangers: for a new one the oldest is
/// closed.
class GuardedServer : public httplib::Server {
 public:
  static constexpr std::size_t kMostStrangers = 16, kMostKnown = 64, kMostHeadBytes = 8192;

  /// `is_known` says whether a path is one that only those who have the page's address ask for.
  GuardedServer(std::function<bool(const std::string& path)> is_known, double head_seconds);
  /// Ends every connection; call it before stop().
  void close_all();

 private:
  using Clock = std::chrono::steady_clock;
  struct Connection {
    int socket;
    bool is_known = false;
  };
  class Registered;
  class Threads;

  bool process_and_close_socket(socket_t socket) override;
  void answer(int socket, const std::string& head, Clock::time_point until);
  bool make_known(std::list<Connection>::iterator connection);

  std::function<bool(const std::string&)> is_known_;
  double head_seconds_;
  std::mutex mutex_;
  std::list<Connection> connections_;  // the oldest first
  bool is_closing_ = false;
};

}  // namespace glidepath
