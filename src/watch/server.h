// src/watch/server.h - the live page: a small HTTP server for one reader and this machine.
#pragma once
#include <memory>
#include <string>

namespace glidepath {

struct WatchServerOptions {
  std::string host = "127.0.0.1";  ///< a name or an address of this machine
  int port = 0;                    ///< 0: any that is free
  std::string title;               ///< of the page
  /// In the page's address; whoever has it sees the study. Empty: a random one of 128 bits.
  std::string token;
  double head_seconds = 5;  ///< within which a request must have come whole
};

/// Slow and many connections of strangers keep nobody out (guarded_server.h).
///
/// Serves HOST:PORT/TOKEN/ until it is destroyed. Every other address is answered with 403, and so is a
/// request whose Host header names another machine: a web page somewhere else that makes a browser ask here
/// (DNS rebinding) has its own name there.
class WatchServer {
 public:
  /// Throws InputError when the address cannot be listened on.
  explicit WatchServer(const WatchServerOptions& options);
  ~WatchServer();
  /// "http://127.0.0.1:40123/TOKEN/".
  std::string address() const;
  /// Sends one line of JSON to every open page, and to those that open later.
  void publish(const std::string& json);

 private:
  struct Implementation;
  std::unique_ptr<Implementation> implementation_;
};

/// Whether a Host header may be answered: an address, localhost, or one of the names. Its port does not
/// matter, as a tunnel has its own.
bool is_allowed_host(const std::string& header, const std::string& own_name, const std::string& given_name);

}  // namespace glidepath
