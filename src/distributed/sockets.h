// src/distributed/sockets.h - what can be said of an address before c10d tries it, which logs as it fails.
#pragma once
#include <chrono>
#include <string>

namespace glidepath {

/// Why no connection is taken at `address` and `port`; empty where one was.
std::string why_unreachable(const std::string& address, int port, std::chrono::milliseconds patience);

/// Why this process cannot listen at `port`; empty where it can, or for port 0.
std::string why_not_listening(int port);

}  // namespace glidepath
