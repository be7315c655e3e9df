// tests/watch/server_test.cpp - the live page's server, through real sockets.
#include "watch/server.h"

#include <arpa/inet.h>
#include <chrono>
#include <httplib.h>
#include <memory>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "glidepath/error.h"

namespace glidepath {
namespace {

using testing::HasSubstr;

/// The port and the path of "http://127.0.0.1:PORT/TOKEN/".
struct Address {
  explicit Address(const std::string& text) {
    const std::size_t colon = text.rfind(':'), slash = text.find('/', colon);
    port = std::stoi(text.substr(colon + 1, slash - colon - 1));
    path = text.substr(slash);
  }
  int port;
  std::string path;
};

class WatchServerTest : public testing::Test {
 protected:
  httplib::Result get(const std::string& path, const httplib::Headers& headers = {}) {
    return httplib::Client("127.0.0.1", address_.port).Get(path.c_str(), headers);
  }
  /// What arrives at /events until it holds `wanted`.
  std::string events_until(const std::string& wanted) {
    std::string text;
    httplib::Client client("127.0.0.1", address_.port);
    client.set_read_timeout(20);
    client.Get((address_.path + "events").c_str(), [&](const char* data, std::size_t size) {
      text.append(data, size);
      return text.find(wanted) == std::string::npos;  // false ends the request
    });
    return text;
  }
  WatchServer server_{{"127.0.0.1", 0, "a <study>", ""}};
  Address address_{server_.address()};
};

TEST_F(WatchServerTest, ServesThePageAndItsParts) {
  const auto page = get(address_.path);
  ASSERT_TRUE(page);
  EXPECT_EQ(page->status, 200);
  EXPECT_THAT(page->body, HasSubstr("<title>a &lt;study&gt;</title>"));
  EXPECT_THAT(page->get_header_value("Content-Security-Policy"), HasSubstr("default-src 'none'"));
  EXPECT_EQ(page->get_header_value("Referrer-Policy"), "no-referrer");
  for (const char* part : {"echarts.min.js", "charts.js", "panel.js", "watch.js", "style.css"}) {
    const auto answer = get(address_.path + part);
    ASSERT_TRUE(answer) << part;
    EXPECT_EQ(answer->status, 200) << part;
    EXPECT_GT(answer->body.size(), 1000U) << part;
    EXPECT_THAT(page->body, HasSubstr(std::string("\"") + part + "\""));
  }
}

TEST_F(WatchServerTest, WastesNoTimeOnCompression) {
  // A browser asks for it; the library would take seconds for the chart library, which travels no distance.
  for (const char* part : {"echarts.min.js", "charts.js", "style.css"}) {
    const auto answer = get(address_.path + part, {{"Accept-Encoding", "gzip, deflate, br"}});
    ASSERT_TRUE(answer) << part;
    EXPECT_EQ(answer->get_header_value("Content-Encoding"), "") << part;
    EXPECT_GT(answer->body.size(), 1000U) << part;
  }
}

TEST_F(WatchServerTest, RefusesWithoutTheToken) {
  std::string other = address_.path;
  other[5] = other[5] == '0' ? '1' : '0';
  for (const std::string& path :
       {std::string("/"), std::string("/events"), std::string("/echarts.min.js"), other, other + "events",
        address_.path.substr(0, address_.path.size() - 2) + "/", "/x" + address_.path,
        std::string("/?") + address_.path}) {
    const auto answer = get(path);
    ASSERT_TRUE(answer) << path;
    EXPECT_EQ(answer->status, 403) << path;
    EXPECT_THAT(answer->body, testing::Not(HasSubstr(address_.path)));
  }
  EXPECT_EQ(get(address_.path + "nothing")->status, 404);
  EXPECT_EQ(httplib::Client("127.0.0.1", address_.port).Post("/", "a", "text/plain")->status, 403);
}

TEST_F(WatchServerTest, RefusesAnotherMachinesName) {
  for (const char* host :
       {"evil.example", "evil.example:80", "127.0.0.1.evil.example", "localhost.evil.example"}) {
    EXPECT_EQ(get(address_.path, {{"Host", host}})->status, 403) << host;
  }
  for (const char* host : {"localhost", "LocalHost:8080", "127.0.0.1:1", "[::1]:8080"}) {
    EXPECT_EQ(get(address_.path, {{"Host", host}})->status, 200) << host;
  }
}

TEST(AllowedHost, IsAnAddressThisMachineOrTheGivenName) {
  EXPECT_TRUE(is_allowed_host("10.1.2.3:80", "box", "0.0.0.0"));
  EXPECT_TRUE(is_allowed_host("BOX:80", "box", "0.0.0.0"));
  EXPECT_TRUE(is_allowed_host("box.lan", "box", "box.lan"));
  for (const char* host : {"", ":80", "[", "[::1", "[x]:80", "10.1.2", "1.2.3.4.5", "box.evil", "evil"}) {
    EXPECT_FALSE(is_allowed_host(host, "box", "")) << host;
  }
}

TEST_F(WatchServerTest, SendsTheLatestAtOnceAndEachChangeAfterIt) {
  server_.publish("{\"n\":0}");
  server_.publish("{\"n\":1}");
  std::thread later([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    server_.publish("{\"n\":1}");  // no change, no event
    server_.publish("{\"n\":2}");
  });
  const std::string text = events_until("{\"n\":2}\n\n");
  later.join();
  EXPECT_EQ(text, "id: 2\nevent: snapshot\ndata: {\"n\":1}\n\nid: 3\nevent: snapshot\ndata: {\"n\":2}\n\n");
}

TEST_F(WatchServerTest, AnswersAsAnEventStreamThatNobodyKeeps) {
  server_.publish("{}");
  httplib::Headers seen;
  httplib::Client("127.0.0.1", address_.port)
      .Get((address_.path + "events").c_str(),
           [&](const httplib::Response& response) {
             seen = response.headers;
             return false;
           },
           [](const char*, std::size_t) { return false; });
  EXPECT_EQ(seen.find("Content-Type")->second, "text/event-stream");
  EXPECT_EQ(seen.find("Cache-Control")->second, "no-store");
}

/// A connection that somebody opened by hand.
class Connection {
 public:
  explicit Connection(int port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  ~Connection() { ::close(socket_); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  bool send(const std::string& text) const {
    return ::send(socket_, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
  }
  /// All that comes until the other side ends it; empty, and `ended` false, when it does not in time.
  std::string rest(double seconds, bool* ended = nullptr) const {
    std::string text;
    const auto until = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
    if (ended != nullptr) *ended = false;
    while (std::chrono::steady_clock::now() < until) {
      pollfd waiting{socket_, POLLIN, 0};
      if (::poll(&waiting, 1, 50) <= 0) continue;
      char buffer[4096];
      const ssize_t count = ::recv(socket_, buffer, sizeof buffer, 0);
      if (count <= 0) {
        if (ended != nullptr) *ended = true;
        return text;
      }
      text.append(buffer, static_cast<std::size_t>(count));
    }
    return text;
  }

 private:
  int socket_;
};

// Each byte comes before the library's own limit, which begins anew with every byte; there were 24 threads.
TEST(WatchServerGuard, ManySlowConnectionsKeepNobodyOut) {
  WatchServer server({"127.0.0.1", 0, "a", "", 1.0});
  const Address address(server.address());
  std::vector<std::unique_ptr<Connection>> slow;
  for (int i = 0; i < 60; ++i) {
    slow.push_back(std::make_unique<Connection>(address.port));
    slow.back()->send("GET / HTTP/1.1\r\nX: ");
  }
  const auto begun = std::chrono::steady_clock::now();
  for (int i = 0; i < 5; ++i) {
    for (const auto& connection : slow) connection->send("x");
    const auto page = httplib::Client("127.0.0.1", address.port).Get(address.path.c_str());
    ASSERT_TRUE(page);
    EXPECT_EQ(page->status, 200);
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(4));
  // A head that has not come whole in time ends the connection, whatever still comes.
  for (const auto& connection : slow) {
    bool ended = false;
    for (int i = 0; i < 30 && !ended; ++i) {
      connection->send("x");
      connection->rest(0.1, &ended);
    }
    EXPECT_TRUE(ended);
  }
}

TEST_F(WatchServerTest, AHeadThatIsTooLongEndsTheConnection) {
  const Connection connection(address_.port);
  connection.send("GET " + address_.path + " HTTP/1.1\r\n");
  for (int i = 0;
       i < 100 && connection.send("X-" + std::to_string(i) + ": " + std::string(100, 'x') + "\r\n"); ++i) {
  }
  bool ended = false;
  EXPECT_EQ(connection.rest(3, &ended), "");
  EXPECT_TRUE(ended);
}

TEST_F(WatchServerTest, ARequestMayComeInPieces) {
  const Connection connection(address_.port);
  for (const std::string& piece : {std::string("GET "), address_.path + " HTTP/1.1\r\nHo",
                                   std::string("st: localhost\r\n\r"), std::string("\n")}) {
    connection.send(piece);
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  EXPECT_THAT(connection.rest(3), testing::StartsWith("HTTP/1.1 200"));
}

// Whoever has the address may open more pages than strangers connections.
TEST_F(WatchServerTest, ServesDozensOfOpenPages) {
  server_.publish("{\"n\":7}");
  std::vector<std::unique_ptr<Connection>> pages;
  for (int i = 0; i < 40; ++i) {
    pages.push_back(std::make_unique<Connection>(address_.port));
    pages.back()->send("GET " + address_.path + "events HTTP/1.1\r\nHost: localhost\r\n\r\n");
  }
  for (const auto& page : pages) EXPECT_THAT(page->rest(0.3), HasSubstr("{\"n\":7}"));
}

TEST_F(WatchServerTest, TokensDiffer) {
  const WatchServer other({"127.0.0.1", 0, "", ""});
  EXPECT_NE(Address(other.address()).path, address_.path);
  EXPECT_EQ(address_.path.size(), 34U);  // 128 bits in hex, and two slashes
}

TEST_F(WatchServerTest, PortThatIsTakenIsRefused) {
  try {
    const WatchServer second({"127.0.0.1", address_.port, "", ""});
    FAIL();
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("cannot listen on 127.0.0.1 there; give another port, or 0"));
  }
  EXPECT_THROW(WatchServer({"192.0.2.1", 0, "", ""}), InputError);  // an address no machine has (RFC 5737)
}

TEST(WatchServer, EndsWhileAPageIsOpen) {
  auto server = std::make_unique<WatchServer>(WatchServerOptions{"127.0.0.1", 0, "", ""});
  const Address address(server->address());
  server->publish("{}");
  std::thread reader(
      [&] { httplib::Client("127.0.0.1", address.port).Get((address.path + "events").c_str()); });
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  const auto began = std::chrono::steady_clock::now();
  server.reset();
  reader.join();
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(8))
      << "it waited for the next heartbeat";
}

}  // namespace
}  // namespace glidepath
