// src/distributed/sockets.cpp - tries a port and leaves it again.
#include "distributed/sockets.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <netdb.h>
#include <netinet/in.h>
#include <optional>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace glidepath {
namespace {

class Socket {
 public:
  Socket(int family, int flags) : descriptor_(::socket(family, SOCK_STREAM | SOCK_CLOEXEC | flags, 0)) {}
  ~Socket() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  int descriptor() const { return descriptor_; }

 private:
  int descriptor_;
};

/// 0, or the error.
int connect_to(const addrinfo& target, std::chrono::milliseconds patience) {
  const Socket socket(target.ai_family, SOCK_NONBLOCK);
  if (socket.descriptor() < 0) return errno;
  if (::connect(socket.descriptor(), target.ai_addr, target.ai_addrlen) == 0) return 0;
  if (errno != EINPROGRESS) return errno;
  pollfd waiting{socket.descriptor(), POLLOUT, 0};
  const auto until = std::chrono::steady_clock::now() + patience;
  int ready;
  do {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
    ready = ::poll(&waiting, 1, std::max(0, static_cast<int>(left.count())));
  } while (ready < 0 && errno == EINTR);
  if (ready <= 0) return ETIMEDOUT;
  int error = 0;
  socklen_t length = sizeof error;
  ::getsockopt(socket.descriptor(), SOL_SOCKET, SO_ERROR, &error, &length);
  return error;
}

}  // namespace

std::string why_unreachable(const std::string& address, int port, std::chrono::milliseconds patience) {
  addrinfo hints{}, *found = nullptr;
  hints.ai_socktype = SOCK_STREAM;
  const int failed = ::getaddrinfo(address.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (failed != 0) return ::gai_strerror(failed);
  // The first address is the preferred one, and what is wrong with it says more than that there is no IPv6.
  std::optional<int> first;
  bool reached = false;
  for (const addrinfo* each = found; each != nullptr && !reached; each = each->ai_next) {
    const int error = connect_to(*each, patience);
    reached = error == 0;
    if (!first) first = error;
  }
  ::freeaddrinfo(found);
  return reached ? "" : std::strerror(first.value_or(EADDRNOTAVAIL));
}

std::string why_not_listening(int port) {
  if (port == 0) return {};
  const Socket socket(AF_INET, 0);
  const int yes = 1;
  ::setsockopt(socket.descriptor(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in any{};
  any.sin_family = AF_INET;
  any.sin_port = htons(static_cast<std::uint16_t>(port));
  const bool taken = ::bind(socket.descriptor(), reinterpret_cast<sockaddr*>(&any), sizeof any) != 0 ||
                     ::listen(socket.descriptor(), 1) != 0;
  return taken ? std::strerror(errno) : "";
}

}  // namespace glidepath
