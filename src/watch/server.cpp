// src/watch/server.cpp - the live page: a small HTTP server for one reader and this machine.
#include "watch/server.h"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <httplib.h>
#include <mutex>
#include <random>
#include <thread>
#include <unistd.h>

#include <fmt/format.h>

#include "core/letters.h"
#include "core/safe_text.h"
#include "glidepath/error.h"
#include "report/page/page.h"
#include "watch/guarded_server.h"

namespace glidepath {
namespace {

constexpr auto kHeartbeat = std::chrono::seconds(10);

std::string random_token() {
  std::random_device device;  // the kernel's generator
  std::string token;
  for (int i = 0; i < 4; ++i) token += fmt::format("{:08x}", device() & 0xffffffffU);
  return token;
}

/// Takes as long whatever the difference is.
bool equal(const std::string& a, const std::string& b) {
  if (a.size() != b.size()) return false;
  unsigned difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    difference |= static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(b[i]);
  }
  return difference == 0;
}

bool is_numeric_address(const std::string& host) {
  std::array<unsigned char, sizeof(in6_addr)> address{};
  return ::inet_pton(AF_INET, host.c_str(), address.data()) == 1 ||
         ::inet_pton(AF_INET6, host.c_str(), address.data()) == 1;
}

std::string machine_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "localhost";
}

}  // namespace

bool is_allowed_host(const std::string& header, const std::string& own_name, const std::string& given_name) {
  std::string host = lower(header);
  if (!host.empty() && host.front() == '[') {
    const std::size_t end = host.find(']');
    if (end == std::string::npos) return false;
    host = host.substr(1, end - 1);
  } else {
    host = host.substr(0, host.find(':'));
  }
  return is_numeric_address(host) || host == "localhost" || (!host.empty() && host == lower(own_name)) ||
         (!host.empty() && host == lower(given_name));
}

struct WatchServer::Implementation {
  explicit Implementation(const WatchServerOptions& options)
      : host(options.host),
        token(options.token.empty() ? random_token() : options.token),
        server([this](const std::string& path) { return has_token(path); }, options.head_seconds) {}

  std::string host, token;
  GuardedServer server;
  std::thread thread;
  int port = 0;
  std::mutex mutex;
  std::condition_variable changed;
  std::string latest;
  std::uint64_t number = 0;  // of the latest
  bool stopping = false;

  bool has_token(const std::string& path) const {
    return equal(path.substr(0, std::min(path.size(), token.size() + 2)), "/" + token + "/");
  }

  void allow_only_known(const std::string& given_name) {
    server.set_pre_routing_handler([this, given_name, own = machine_name()](const httplib::Request& request,
                                                                            httplib::Response& response) {
      const bool is_known =
          has_token(request.path) && is_allowed_host(request.get_header_value("Host"), own, given_name);
      if (is_known) return httplib::Server::HandlerResponse::Unhandled;
      response.status = 403;
      response.set_content("403: use the whole address that glidepath watch printed\n", "text/plain");
      return httplib::Server::HandlerResponse::Handled;
    });
  }

  void serve_pages(const std::string& title) {
    const std::string escaped = html_text(title);
    const std::string page = fill_template(asset("watch.html"), {{"title", escaped}});
    server.Get("/" + token + "/", [page](const httplib::Request&, httplib::Response& response) {
      response.set_content(page, "text/html; charset=utf-8");
    });
    for (const char* name : {"echarts.min.js", "charts.js", "panel.js", "watch.js", "style.css"}) {
      const bool is_script = std::string(name).find(".js") != std::string::npos;
      server.Get("/" + token + "/" + name,
                 [name, is_script](const httplib::Request&, httplib::Response& response) {
                   const std::string_view text = asset(name);
                   // From memory, by a provider: what set_content() gets is compressed, a megabyte for some
                   // seconds.
                   response.set_content_provider(
                       text.size(), is_script ? "text/javascript; charset=utf-8" : "text/css; charset=utf-8",
                       [text](std::size_t offset, std::size_t length, httplib::DataSink& sink) {
                         return sink.write(text.data() + offset, length);
                       });
                 });
    }
    server.Get("/" + token + "/events", [this](const httplib::Request&, httplib::Response& response) {
      response.set_chunked_content_provider(
          "text/event-stream", [this, seen = std::uint64_t{0}](std::size_t, httplib::DataSink& sink) mutable {
            return send_next(seen, sink);
          });
    });
  }

  /// One server-sent event once there is a new one, or else a comment, which finds out who has gone.
  bool send_next(std::uint64_t& seen, httplib::DataSink& sink) {
    std::string message = ": still here\n\n";
    {
      std::unique_lock<std::mutex> lock(mutex);
      changed.wait_for(lock, kHeartbeat, [&] { return stopping || number != seen; });
      if (stopping) {
        sink.done();
        return true;
      }
      if (number != seen) message = fmt::format("id: {}\nevent: snapshot\ndata: {}\n\n", number, latest);
      seen = number;
    }
    return sink.write(message.data(), message.size());
  }
};

WatchServer::WatchServer(const WatchServerOptions& options)
    : implementation_(std::make_unique<Implementation>(options)) {
  Implementation& self = *implementation_;
  self.server.set_payload_max_length(1024);
  // The library's own options would let a second program listen on the same port.
  self.server.set_socket_options([](socket_t socket) {
    const int yes = 1;
    ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  });
  self.server.set_default_headers({{"Content-Security-Policy",
                                    "default-src 'none'; script-src 'self'; style-src 'self' "
                                    "'unsafe-inline'; connect-src 'self'; img-src data:"},
                                   {"X-Content-Type-Options", "nosniff"},
                                   {"X-Frame-Options", "DENY"},
                                   {"Referrer-Policy", "no-referrer"},
                                   {"Cache-Control", "no-store"}});
  self.allow_only_known(options.host);
  self.serve_pages(options.title);
  if (options.port == 0) {
    self.port = self.server.bind_to_any_port(options.host);
  } else {
    self.port = self.server.bind_to_port(options.host, options.port) ? options.port : -1;
  }
  if (self.port <= 0) {
    throw InputError(
        options.port == 0
            ? fmt::format("--host \"{}\": cannot listen there; give an address of this machine, for example "
                          "127.0.0.1",
                          options.host)
            : fmt::format(
                  "--port {}: cannot listen on {} there; give another port, or 0 for any that is free",
                  options.port, options.host));
  }
  self.thread = std::thread([&self] { self.server.listen_after_bind(); });
}

WatchServer::~WatchServer() {
  Implementation& self = *implementation_;
  {
    const std::lock_guard<std::mutex> lock(self.mutex);
    self.stopping = true;
  }
  self.changed.notify_all();
  // Stopping a server that has not begun to listen would be forgotten.
  while (!self.server.is_running()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  self.server.close_all();
  self.server.stop();
  self.thread.join();
}

std::string WatchServer::address() const {
  const Implementation& self = *implementation_;
  const bool is_any = self.host == "0.0.0.0" || self.host == "::";
  std::string host = is_any ? machine_name() : self.host;
  if (host.find(':') != std::string::npos) host = "[" + host + "]";
  return fmt::format("http://{}:{}/{}/", host, self.port, self.token);
}

void WatchServer::publish(const std::string& json) {
  Implementation& self = *implementation_;
  {
    const std::lock_guard<std::mutex> lock(self.mutex);
    if (self.number > 0 && json == self.latest) return;
    self.latest = json;
    ++self.number;
  }
  self.changed.notify_all();
}

}  // namespace glidepath
