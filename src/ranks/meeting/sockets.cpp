// src/ranks/meeting/sockets.cpp - tries an address and leaves it again.
#include "ranks/meeting/sockets.h"

#include <algorithm>
#include <array>
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

class TcpSocket {
 public:
  TcpSocket(int family, int flags) : descriptor_(::socket(family, SOCK_STREAM | SOCK_CLOEXEC | flags, 0)) {}
  ~TcpSocket() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  TcpSocket(const TcpSocket&) = delete;
  TcpSocket& operator=(const TcpSocket&) = delete;
  int descriptor() const { return descriptor_; }

 private:
  int descriptor_;
};

/// 0, or the error.
int connect_to(const addrinfo& target, std::chrono::milliseconds patience) {
  const TcpSocket socket(target.ai_family, SOCK_NONBLOCK);
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

std::string number_of(const addrinfo& address) {
  std::array<char, NI_MAXHOST> text{};
  const int failed = ::getnameinfo(address.ai_addr, address.ai_addrlen, text.data(), text.size(), nullptr, 0,
                                   NI_NUMERICHOST);
  return failed == 0 ? text.data() : "";
}

}  // namespace

std::string why_unreachable(const std::string& address, int port, std::chrono::milliseconds patience,
                            std::string* reached) {
  addrinfo hints{}, *found = nullptr;
  hints.ai_socktype = SOCK_STREAM;
  const int failed = ::getaddrinfo(address.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (failed != 0) return ::gai_strerror(failed);
  // The first address is the preferred one, and what is wrong with it says more than that there is no IPv6.
  std::optional<int> first;
  bool is_reached = false;
  for (const addrinfo* each = found; each != nullptr && !is_reached; each = each->ai_next) {
    const int error = connect_to(*each, patience);
    is_reached = error == 0;
    if (is_reached && reached != nullptr) *reached = number_of(*each);
    if (!first) first = error;
  }
  ::freeaddrinfo(found);
  return is_reached ? "" : std::strerror(first.value_or(EADDRNOTAVAIL));
}

std::string own_address_of(const std::string& name) {
  addrinfo hints{}, *found = nullptr;
  hints.ai_socktype = SOCK_STREAM;
  if (::getaddrinfo(name.c_str(), "0", &hints, &found) != 0) return {};
  std::string own;
  for (const addrinfo* each = found; each != nullptr && own.empty(); each = each->ai_next) {
    const TcpSocket socket(each->ai_family, 0);
    if (socket.descriptor() >= 0 && ::bind(socket.descriptor(), each->ai_addr, each->ai_addrlen) == 0)
      own = number_of(*each);
  }
  ::freeaddrinfo(found);
  return own;
}

bool is_loopback(const std::string& address) {
  return address == "localhost" || address == "::1" || address.compare(0, 4, "127.") == 0;
}

}  // namespace glidepath
