// src/ranks/meeting/job_store.cpp - the key-value store of a job, which nobody but its own processes can ask.
#include "ranks/meeting/job_store.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <map>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <sys/eventfd.h>
#include <thread>
#include <unistd.h>
#include <zmq.h>

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "core/words.h"
#include "ranks/meeting/sockets.h"

namespace glidepath {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;
using Frames = std::vector<std::string>;
using Bytes = std::vector<std::uint8_t>;

constexpr int kHandshakeMilliseconds = 10'000;
constexpr std::int64_t kLongestFrame = 16 << 20;
constexpr int kBacklog = 4096;  // all ranks come at once
constexpr milliseconds kLookAgain{1000}, kTry{1000}, kFirstPause{20}, kLongestPause{1000};
constexpr std::size_t kKeyBytes = 32, kKeyText = 41;  // of CurveZMQ; as Z85, with a zero at the end

[[noreturn]] void fail(const std::string& what) { throw std::runtime_error(what); }
[[noreturn]] void fail_zmq(const char* what) {
  fail(fmt::format("{}: {}", what, ::zmq_strerror(::zmq_errno())));
}

/// One for the process, and left to its end: sockets may still be in use by threads that nobody waits for.
void* context() {
  static void* const context = ::zmq_ctx_new();
  return context;
}

class MessageSocket {
 public:
  explicit MessageSocket(int type) : socket_(::zmq_socket(context(), type)) {
    if (socket_ == nullptr) fail_zmq("a socket");
    set(ZMQ_LINGER, 0);
  }
  ~MessageSocket() { ::zmq_close(socket_); }
  MessageSocket(const MessageSocket&) = delete;
  MessageSocket& operator=(const MessageSocket&) = delete;

  void* get() const { return socket_; }
  void set(int option, int value) {
    if (::zmq_setsockopt(socket_, option, &value, sizeof value) != 0) fail_zmq("a socket's option");
  }
  void set(int option, std::int64_t value) {
    if (::zmq_setsockopt(socket_, option, &value, sizeof value) != 0) fail_zmq("a socket's option");
  }
  void set(int option, const std::array<char, kKeyText>& key) {
    if (::zmq_setsockopt(socket_, option, key.data(), key.size()) != 0) fail_zmq("a socket's key");
  }
  void send(const Frames& frames) {
    for (std::size_t i = 0; i < frames.size(); ++i) {
      const int more = i + 1 < frames.size() ? ZMQ_SNDMORE : 0;
      while (::zmq_send(socket_, frames[i].data(), frames[i].size(), more | ZMQ_DONTWAIT) < 0) {
        if (::zmq_errno() == EINTR) continue;
        if (::zmq_errno() == EHOSTUNREACH || ::zmq_errno() == EAGAIN) return;  // who asked is gone
        fail_zmq("send");
      }
    }
  }
  /// Nothing where there is none now.
  std::optional<Frames> receive() {
    Frames frames;
    for (bool more = true; more;) {
      zmq_msg_t part;
      ::zmq_msg_init(&part);
      int got;
      while ((got = ::zmq_msg_recv(&part, socket_, ZMQ_DONTWAIT)) < 0 && ::zmq_errno() == EINTR) {
      }
      if (got >= 0)
        frames.emplace_back(static_cast<const char*>(::zmq_msg_data(&part)), ::zmq_msg_size(&part));
      more = got >= 0 && ::zmq_msg_more(&part) != 0;
      ::zmq_msg_close(&part);
      if (got < 0) return std::nullopt;
    }
    return frames;
  }

 private:
  void* socket_;
};

using KeyText = std::array<char, kKeyText>;

KeyText secret_key_of(const std::string& secret) {
  constexpr std::string_view kPurpose = "glidepath: the key of a job's store";
  std::array<unsigned char, EVP_MAX_MD_SIZE> sum{};
  unsigned size = 0;
  ::HMAC(::EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
         reinterpret_cast<const unsigned char*>(kPurpose.data()), kPurpose.size(), sum.data(), &size);
  KeyText text{};
  if (size < kKeyBytes || ::zmq_z85_encode(text.data(), sum.data(), kKeyBytes) == nullptr) fail("no SHA-256");
  return text;
}

KeyText public_key_of(const KeyText& secret) {
  KeyText text{};
  if (::zmq_curve_public(text.data(), secret.data()) != 0) fail("this libzmq was built without CURVE");
  return text;
}

std::string endpoint(const std::string& host, int port) {
  const std::string name = host.empty() ? "*" : host.find(':') == std::string::npos ? host : "[" + host + "]";
  return fmt::format("tcp://{}:{}", name, port == 0 ? "*" : std::to_string(port));
}

std::string text_of(const Bytes& bytes) { return {bytes.begin(), bytes.end()}; }
Bytes bytes_of(const std::string& text) { return {text.begin(), text.end()}; }

/// What the server answers with. A question is a number of its own, a word, and what the word wants.
class Table {
 public:
  /// Nothing where the answer has to wait for keys.
  std::optional<std::string> answer(const Frames& question) {
    const std::string& word = question.at(1);
    if (word == "set") return set(question.at(2), question.at(3));
    if (word == "swap") return swap(question.at(2), question.at(3), question.at(4));
    if (word == "add") return add(question.at(2), question.at(3));
    if (word == "delete") return values_.erase(question.at(2)) > 0 ? "1" : "0";
    if (word == "count") return std::to_string(values_.size());
    if (word == "check") return has_all(question) ? "1" : "0";
    if (word == "get" && has_all(question)) return values_.at(question.at(2));
    if (word == "wait" && has_all(question)) return "1";
    return std::nullopt;
  }

 private:
  std::string set(const std::string& key, const std::string& value) { return values_[key] = value; }
  std::string swap(const std::string& key, const std::string& expected, const std::string& desired) {
    const auto found = values_.find(key);
    if (found == values_.end() ? expected.empty() : found->second == expected) values_[key] = desired;
    return found == values_.end() && !expected.empty() ? expected : values_[key];
  }
  std::string add(const std::string& key, const std::string& number) {
    const std::int64_t before = words::whole(values_[key]).value_or(0);
    return values_[key] = std::to_string(before + words::whole(number).value_or(0));
  }
  bool has_all(const Frames& question) const {
    return std::all_of(question.begin() + 2, question.end(),
                       [this](const std::string& key) { return values_.count(key) > 0; });
  }

  std::map<std::string, std::string> values_;
};

}  // namespace

struct JobStoreServer::Impl {
  explicit Impl(const StoreAddress& address);
  ~Impl();
  void serve();
  void take(const Frames& message);
  void answer_those_that_wait();

  MessageSocket socket{ZMQ_ROUTER};
  int port = 0;
  int stop = -1;
  Table table;
  std::vector<Frames> waiting;  // whole messages: who asks, and what
  std::thread thread;
};

JobStoreServer::Impl::Impl(const StoreAddress& address) {
  const KeyText key = secret_key_of(address.secret);
  socket.set(ZMQ_CURVE_SERVER, 1);
  socket.set(ZMQ_CURVE_SECRETKEY, key);
  socket.set(ZMQ_HANDSHAKE_IVL, kHandshakeMilliseconds);
  socket.set(ZMQ_MAXMSGSIZE, kLongestFrame);
  socket.set(ZMQ_BACKLOG, kBacklog);
  socket.set(ZMQ_IPV6, address.host.empty() || address.host.find(':') != std::string::npos ? 1 : 0);
  if (::zmq_bind(socket.get(), endpoint(address.host, address.port).c_str()) != 0)
    fail(::zmq_strerror(::zmq_errno()));
  std::array<char, 256> bound{};
  std::size_t length = bound.size();
  ::zmq_getsockopt(socket.get(), ZMQ_LAST_ENDPOINT, bound.data(), &length);
  const std::string where = bound.data();
  port = static_cast<int>(words::whole(where.substr(where.rfind(':') + 1)).value_or(0));
  stop = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (stop < 0) fail("eventfd");
  thread = std::thread([this] { serve(); });
}

JobStoreServer::Impl::~Impl() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(stop, &one, sizeof one);
  thread.join();
  ::close(stop);
}

void JobStoreServer::Impl::serve() {
  std::array<zmq_pollitem_t, 2> watched{};
  watched[0] = {socket.get(), 0, ZMQ_POLLIN, 0};
  watched[1] = {nullptr, stop, ZMQ_POLLIN, 0};
  while (true) {
    if (::zmq_poll(watched.data(), watched.size(), -1) < 0 && ::zmq_errno() != EINTR) return;
    if (watched[1].revents != 0) return;
    while (const auto message = socket.receive()) take(*message);
  }
}

// Those who ask know the job's secret; what they send may still be anything.
void JobStoreServer::Impl::take(const Frames& message) {
  if (message.size() < 3) return;
  try {
    const auto answer = table.answer({message.begin() + 1, message.end()});
    if (!answer) return waiting.push_back(message);
    socket.send({message[0], message[1], *answer});
  } catch (const std::out_of_range&) {
    return;  // a word without what it wants
  }
  answer_those_that_wait();
}

void JobStoreServer::Impl::answer_those_that_wait() {
  const auto is_answered = [this](const Frames& message) {
    const auto answer = table.answer({message.begin() + 1, message.end()});
    if (answer) socket.send({message[0], message[1], *answer});
    return answer.has_value();
  };
  waiting.erase(std::remove_if(waiting.begin(), waiting.end(), is_answered), waiting.end());
}

JobStoreServer::JobStoreServer(const StoreAddress& address) : impl_(std::make_unique<Impl>(address)) {}
JobStoreServer::~JobStoreServer() = default;
int JobStoreServer::port() const { return impl_->port; }

struct JobStore::Impl {
  explicit Impl(StoreAddress where) : address(std::move(where)) {}
  ~Impl() { close(); }
  void connect(milliseconds patience);
  std::string ask(Frames question, milliseconds timeout);

  StoreAddress address;
  std::timed_mutex mutex;
  std::unique_ptr<MessageSocket> socket, events;
  std::int64_t asked = 0;
  std::string broken;  // why nothing is answered any more

 private:
  void close();
  bool try_to_connect(const std::string& reachable, Clock::time_point until);
  int next_event();
};

// The library's own thread would wait for ever to tell of a socket's end to who has gone before it.
void JobStore::Impl::close() {
  if (socket) ::zmq_socket_monitor(socket->get(), nullptr, 0);
  events.reset();
  socket.reset();
}

/// The kind of what became of the connection; 0 where nothing did.
int JobStore::Impl::next_event() {
  const auto event = events->receive();
  std::uint16_t kind = 0;
  if (event && event->front().size() >= sizeof kind)
    std::copy_n(event->front().data(), sizeof kind, reinterpret_cast<char*>(&kind));
  return kind;
}

bool JobStore::Impl::try_to_connect(const std::string& reachable, Clock::time_point until) {
  static std::atomic<std::int64_t> connections{0};
  KeyText own_public{}, own_secret{};
  if (::zmq_curve_keypair(own_public.data(), own_secret.data()) != 0)
    fail("this libzmq was built without CURVE");
  close();
  socket = std::make_unique<MessageSocket>(ZMQ_DEALER);
  socket->set(ZMQ_CURVE_SERVERKEY, public_key_of(secret_key_of(address.secret)));
  socket->set(ZMQ_CURVE_PUBLICKEY, own_public);
  socket->set(ZMQ_CURVE_SECRETKEY, own_secret);
  socket->set(ZMQ_HANDSHAKE_IVL, kHandshakeMilliseconds);
  socket->set(ZMQ_RECONNECT_IVL, -1);  // what is lost is lost: the watch has to know
  socket->set(ZMQ_MAXMSGSIZE, kLongestFrame);
  socket->set(ZMQ_IPV6, reachable.find(':') == std::string::npos ? 0 : 1);
  const std::string monitor = fmt::format("inproc://job-store-{}", connections++);
  ::zmq_socket_monitor(socket->get(), monitor.c_str(), ZMQ_EVENT_ALL);
  events = std::make_unique<MessageSocket>(ZMQ_PAIR);
  if (::zmq_connect(events->get(), monitor.c_str()) != 0 ||
      ::zmq_connect(socket->get(), endpoint(reachable, address.port).c_str()) != 0)
    fail_zmq("connect");
  while (Clock::now() < until) {
    zmq_pollitem_t watched{events->get(), 0, ZMQ_POLLIN, 0};
    ::zmq_poll(&watched, 1, kLookAgain.count());
    switch (next_event()) {
      case ZMQ_EVENT_HANDSHAKE_SUCCEEDED:
        return true;
      case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL:
      case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL:
      case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH:
      case ZMQ_EVENT_DISCONNECTED:
      case ZMQ_EVENT_CLOSED:
        return false;
      default:
        break;
    }
  }
  return false;
}

void JobStore::Impl::connect(milliseconds patience) {
  const auto until = Clock::now() + patience;
  for (auto pause = kFirstPause;; pause = std::min(2 * pause, kLongestPause)) {
    std::string reachable;
    const std::string why = why_unreachable(address.host, address.port, kTry, &reachable);
    if (why.empty() && try_to_connect(reachable, until)) return;
    broken = !why.empty()
                 ? why
                 : "who answers there is no store of this job: another program, or a job with another "
                   "secret (GLIDEPATH_JOB_SECRET)";
    if (Clock::now() + pause > until) fail(broken);
    std::this_thread::sleep_for(pause);
  }
}

std::string JobStore::Impl::ask(Frames question, milliseconds timeout) {
  const auto until = Clock::now() + timeout;
  const auto no_answer = [&] {
    fail(fmt::format("no answer from the job's store within {} ms", timeout.count()));
  };
  // Who asked before may wait for a store that is gone.
  const std::unique_lock<std::timed_mutex> lock(mutex, until);
  if (!lock) no_answer();
  if (!broken.empty()) fail(broken);
  const std::string number = std::to_string(++asked);
  question.insert(question.begin(), number);
  socket->send(question);
  while (true) {
    // An answer that came before the end counts.
    while (const auto answer = socket->receive()) {
      if (answer->size() == 2 && answer->front() == number) return answer->back();
    }
    for (int event = next_event(); event != 0; event = next_event()) {
      if (event == ZMQ_EVENT_DISCONNECTED || event == ZMQ_EVENT_CLOSED) broken = "the job's store is gone";
    }
    if (!broken.empty()) fail(broken);
    const auto left = std::chrono::duration_cast<milliseconds>(until - Clock::now());
    if (left.count() <= 0) no_answer();
    std::array<zmq_pollitem_t, 2> watched{};
    watched[0] = {socket->get(), 0, ZMQ_POLLIN, 0};
    watched[1] = {events->get(), 0, ZMQ_POLLIN, 0};
    ::zmq_poll(watched.data(), watched.size(), std::min(left, kLookAgain).count());
  }
}

JobStore::JobStore(const StoreAddress& address, milliseconds patience)
    : impl_(std::make_unique<Impl>(address)) {
  impl_->connect(patience);
  impl_->broken.clear();
}
JobStore::~JobStore() = default;

void JobStore::set(const std::string& key, const Bytes& value) {
  impl_->ask({"set", key, text_of(value)}, timeout_);
}

Bytes JobStore::compareSet(const std::string& key, const Bytes& expected, const Bytes& desired) {
  return bytes_of(impl_->ask({"swap", key, text_of(expected), text_of(desired)}, timeout_));
}

Bytes JobStore::get(const std::string& key) { return bytes_of(impl_->ask({"get", key}, timeout_)); }

std::int64_t JobStore::add(const std::string& key, std::int64_t value) {
  return words::whole(impl_->ask({"add", key, std::to_string(value)}, timeout_)).value_or(0);
}

bool JobStore::deleteKey(const std::string& key) { return impl_->ask({"delete", key}, timeout_) == "1"; }

bool JobStore::check(const std::vector<std::string>& keys) {
  Frames question = {"check"};
  question.insert(question.end(), keys.begin(), keys.end());
  return impl_->ask(question, timeout_) == "1";
}

std::int64_t JobStore::getNumKeys() { return words::whole(impl_->ask({"count"}, timeout_)).value_or(0); }

void JobStore::wait(const std::vector<std::string>& keys) { wait(keys, timeout_); }

void JobStore::wait(const std::vector<std::string>& keys, const milliseconds& timeout) {
  Frames question = {"wait"};
  question.insert(question.end(), keys.begin(), keys.end());
  impl_->ask(question, timeout);
}

c10::intrusive_ptr<c10d::Store> JobStore::clone() {
  return c10::make_intrusive<JobStore>(impl_->address, timeout_);
}

}  // namespace glidepath
