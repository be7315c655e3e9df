// src/ranks/meeting/sockets.h - what can be said of an address before it is used.
#pragma once
#include <chrono>
#include <string>

namespace glidepath {

/// Why no connection is taken at `address` and `port`; empty where one was. `reached` is then the number of
/// the address that took it.
std::string why_unreachable(const std::string& address, int port, std::chrono::milliseconds patience,
                            std::string* reached = nullptr);

/// The number of `name` where it is an address of this machine; empty where it is not, or means nothing.
std::string own_address_of(const std::string& name);

/// Whether it reaches this machine alone.
bool is_loopback(const std::string& address);

}  // namespace glidepath
