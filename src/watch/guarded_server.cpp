// src/watch/guarded_server.cpp - cpp-httplib's server, with bounds on what strangers can take of it.
#include "watch/guarded_server.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <poll.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <utility>

namespace glidepath {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kWriteMilliseconds = 5000;
constexpr std::size_t kMostThreads = 128;

/// Whether the socket is ready before the time is over.
bool is_ready(int socket, short what, Clock::time_point until) {
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now()).count();
    pollfd waiting{socket, what, 0};
    const int count = ::poll(&waiting, 1, static_cast<int>(std::max<std::int64_t>(0, left)));
    if (count < 0 && errno == EINTR) continue;
    return count > 0 && (waiting.revents & (POLLERR | POLLNVAL)) == 0;
  }
}

/// All up to the empty line, and what came with it; nothing when it does not come in time, or is too long.
std::optional<std::string> read_head(int socket, Clock::time_point until) {
  std::string head;
  while (head.find("\r\n\r\n") == std::string::npos) {
    char buffer[2048];
    if (head.size() >= GuardedServer::kMostHeadBytes || !is_ready(socket, POLLIN, until)) return std::nullopt;
    const ssize_t count = ::recv(socket, buffer, sizeof buffer, 0);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return std::nullopt;
    head.append(buffer, static_cast<std::size_t>(count));
  }
  return head;
}

/// What the library reads a request from, and writes the answer to. Its virtual functions differ between the
/// library's versions, so none says "override".
class RequestStream : public httplib::Stream {
 public:
  RequestStream(int socket, std::string head, Clock::time_point until)
      : socket_(socket), head_(std::move(head)), until_(until) {}

  virtual bool is_readable() const { return at_ < head_.size() || is_ready(socket_, POLLIN, until_); }
  virtual bool wait_readable() const { return is_readable(); }
  virtual bool is_writable() const { return is_ready(socket_, POLLOUT, write_end()); }
  virtual bool wait_writable() const { return is_writable(); }
  virtual ssize_t read(char* to, std::size_t bytes) {
    if (at_ < head_.size()) {
      const std::size_t count = std::min(bytes, head_.size() - at_);
      std::memcpy(to, head_.data() + at_, count);
      at_ += count;
      return static_cast<ssize_t>(count);
    }
    return is_ready(socket_, POLLIN, until_) ? ::recv(socket_, to, bytes, 0) : -1;
  }
  virtual ssize_t write(const char* data, std::size_t bytes) {
    return is_writable() ? ::send(socket_, data, bytes, MSG_NOSIGNAL) : -1;
  }
  virtual void get_remote_ip_and_port(std::string& ip, int& port) const { ip.clear(), port = 0; }
  virtual void get_local_ip_and_port(std::string& ip, int& port) const { ip.clear(), port = 0; }
  virtual socket_t socket() const { return socket_; }
  virtual time_t duration() const { return 0; }

 private:
  static Clock::time_point write_end() {
    return Clock::now() + std::chrono::milliseconds(kWriteMilliseconds);
  }

  int socket_;
  std::string head_;
  std::size_t at_ = 0;
  Clock::time_point until_;
};

/// "/TOKEN/events" of "GET /TOKEN/events HTTP/1.1".
std::string path_in(const std::string& head) {
  const std::string line = head.substr(0, head.find("\r\n"));
  const std::size_t begin = std::min(line.find(' '), line.size());
  const std::size_t end = line.find(' ', begin + 1);
  return begin < line.size() ? line.substr(begin + 1, end - begin - 1) : "";
}

}  // namespace

/// A thread for each connection.
class GuardedServer::Threads : public httplib::TaskQueue {
  // Newer versions ask whether it was taken.
  using Enqueued = decltype(std::declval<httplib::TaskQueue&>().enqueue(nullptr));

 public:
  Enqueued enqueue(std::function<void()> serve) override {
    {
      std::unique_lock<std::mutex> lock(mutex_);
      ended_.wait(lock, [this] { return running_ < kMostThreads; });
      ++running_;
    }
    const auto run = [this, serve = std::move(serve)] {
      serve();
      const std::lock_guard<std::mutex> lock(mutex_);
      --running_;
      ended_.notify_all();
    };
    try {
      std::thread(run).detach();
    } catch (const std::system_error&) {
      run();
    }
    return Enqueued(true);
  }
  void shutdown() override {
    std::unique_lock<std::mutex> lock(mutex_);
    ended_.wait(lock, [this] { return running_ == 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable ended_;
  std::size_t running_ = 0;
};

/// A connection that is in the list as long as this lives.
class GuardedServer::Registered {
 public:
  Registered(GuardedServer& server, int socket) : server_(server) {
    const std::lock_guard<std::mutex> lock(server.mutex_);
    auto& all = server.connections_;
    place_ = all.insert(all.end(), {socket, false});
    if (server.is_closing_) ::shutdown(socket, SHUT_RDWR);
    const auto is_stranger = [](const Connection& connection) { return !connection.is_known; };
    if (static_cast<std::size_t>(std::count_if(all.begin(), all.end(), is_stranger)) <= kMostStrangers)
      return;
    const auto oldest = std::find_if(all.begin(), all.end(), is_stranger);
    ::shutdown(oldest->socket, SHUT_RDWR);  // its own thread then ends it
    oldest->is_known = true;                // no longer to be counted
  }
  ~Registered() {
    const std::lock_guard<std::mutex> lock(server_.mutex_);
    server_.connections_.erase(place_);
  }
  Registered(const Registered&) = delete;
  Registered& operator=(const Registered&) = delete;
  std::list<Connection>::iterator place() const { return place_; }

 private:
  GuardedServer& server_;
  std::list<Connection>::iterator place_;
};

GuardedServer::GuardedServer(std::function<bool(const std::string&)> is_known, double head_seconds)
    : is_known_(std::move(is_known)), head_seconds_(head_seconds) {
  new_task_queue = [] { return new Threads; };
}

void GuardedServer::close_all() {
  const std::lock_guard<std::mutex> lock(mutex_);
  is_closing_ = true;
  for (const Connection& connection : connections_) ::shutdown(connection.socket, SHUT_RDWR);
}

bool GuardedServer::make_known(std::list<Connection>::iterator connection) {
  const std::lock_guard<std::mutex> lock(mutex_);
  connection->is_known = true;
  return static_cast<std::size_t>(std::count_if(connections_.begin(), connections_.end(),
                                                [](const Connection& other) { return other.is_known; })) <=
         kMostKnown;
}

bool GuardedServer::process_and_close_socket(socket_t socket) {
  {
    const Registered registered(*this, socket);
    const auto until = Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                          std::chrono::duration<double>(head_seconds_));
    const auto head = read_head(socket, until);
    const bool is_stranger = head && !is_known_(path_in(*head));
    if (head && (is_stranger || make_known(registered.place()))) answer(socket, *head, until);
    ::shutdown(socket, SHUT_RDWR);
  }
  ::close(socket);
  return true;
}

namespace {

// As it is up to version 0.18, and as it is from then on.
template <typename Process>
auto process(const Process& process, httplib::Stream& stream, bool& closed, int)
    -> decltype(process(stream, true, closed, nullptr)) {
  return process(stream, true, closed, nullptr);
}
template <typename Process>
auto process(const Process& process, httplib::Stream& stream, bool& closed, long)
    -> decltype(process(stream, "", 0, "", 0, true, closed, nullptr)) {
  return process(stream, "", 0, "", 0, true, closed, nullptr);
}

}  // namespace

void GuardedServer::answer(int socket, const std::string& head, Clock::time_point until) {
  RequestStream stream(socket, head, until);
  bool closed = false;
  const auto call = [this](auto&&... arguments) -> decltype(this->process_request(
                                                    std::forward<decltype(arguments)>(arguments)...)) {
    return this->process_request(std::forward<decltype(arguments)>(arguments)...);
  };
  process(call, stream, closed, 0);
}

}  // namespace glidepath
