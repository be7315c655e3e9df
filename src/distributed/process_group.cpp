// src/distributed/process_group.cpp - collectives of c10d's Gloo and NCCL, and a watch over the ranks beside
// them.
#include "glidepath/process_group.h"

#include <algorithm>
#include <arpa/inet.h>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <netdb.h>
#include <numeric>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "distributed/rank_watch.h"
#include "distributed/store_server.h"

#if GLIDEPATH_HAS_GLOO
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include "distributed/nccl_group.h"

namespace glidepath {
namespace {

using std::chrono::milliseconds;
using Bytes = std::vector<std::uint8_t>;

// Between looks at the watch while a collective is waited for. It is told of a rank's end by the watch, so a
// collective itself may take as long as it does: rank 0 may be measuring or writing meanwhile.
constexpr milliseconds kPatience{1000};
constexpr auto kCollectiveTimeout = std::chrono::hours(24 * 7);
// For the watch to find out which rank a broken connection was of.
constexpr double kLongestSearch = 25;
// For the others to read why this rank stops, where it is this one that serves the store.
constexpr double kFarewellSeconds = 3;
constexpr milliseconds kPoll{20};
constexpr std::chrono::microseconds kGpuPoll{50};

std::string text_of(const Bytes& bytes) { return {bytes.begin(), bytes.end()}; }
Bytes bytes_of(const std::string& text) { return {text.begin(), text.end()}; }

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::string first_line_of(const std::exception& error) {
  const std::string what = error.what();
  return what.substr(0, what.find('\n'));
}

c10::intrusive_ptr<c10d::TCPStore> open_store(const std::string& address, int port, bool serves,
                                              double seconds) {
  c10d::TCPStoreOptions options;
  options.port = static_cast<std::uint16_t>(port);
  options.isServer = serves;
  options.waitWorkers = false;
  options.timeout = milliseconds(static_cast<std::int64_t>(1000 * seconds));
  return c10::make_intrusive<c10d::TCPStore>(address, options);
}

/// The address by which this machine reaches rank 0's; others will reach it there too.
std::string address_towards(const std::string& master) {
  addrinfo hints{}, *found = nullptr;
  hints.ai_socktype = SOCK_DGRAM;
  if (::getaddrinfo(master.c_str(), "9", &hints, &found) != 0 || found == nullptr) return {};
  std::string address;
  const int socket = ::socket(found->ai_family, SOCK_DGRAM, 0);
  sockaddr_storage own{};
  socklen_t length = sizeof own;
  if (socket >= 0 && ::connect(socket, found->ai_addr, found->ai_addrlen) == 0 &&
      ::getsockname(socket, reinterpret_cast<sockaddr*>(&own), &length) == 0) {
    char text[NI_MAXHOST];
    if (::getnameinfo(reinterpret_cast<sockaddr*>(&own), length, text, sizeof text, nullptr, 0,
                      NI_NUMERICHOST) == 0)
      address = text;
  }
  if (socket >= 0) ::close(socket);
  ::freeaddrinfo(found);
  return address;
}

std::shared_ptr<::gloo::transport::Device> gloo_device(const std::string& master) {
  const char* interface = std::getenv("GLOO_SOCKET_IFNAME");
  if (interface != nullptr && *interface != '\0')
    return c10d::ProcessGroupGloo::createDeviceForInterface(interface);
  const std::string address = address_towards(master);
  return address.empty() ? c10d::ProcessGroupGloo::createDefaultDevice()
                         : c10d::ProcessGroupGloo::createDeviceForHostname(address);
}

void write_port(const std::string& file, int port) {
  const std::string part = file + ".part";
  std::ofstream(part) << port << "\n";
  if (std::rename(part.c_str(), file.c_str()) != 0)
    throw RunError(fmt::format("{}: cannot be written; set MASTER_ADDR and MASTER_PORT", file));
}

int read_port(const std::string& file, double until) {
  while (true) {
    int port = 0;
    if (std::ifstream(file) >> port && port > 0) return port;
    if (seconds_now() > until)
      throw RunError(fmt::format("{}: rank 0 has not written its port; it has not come", file));
    std::this_thread::sleep_for(kPoll);
  }
}

WatchStore watch_store(const c10::intrusive_ptr<c10d::Store>& store) {
  const auto get = [store](const std::string& key) {
    return store->check({key}) ? text_of(store->get(key)) : std::string();
  };
  return {[store](const std::string& key, const std::string& value) { store->set(key, bytes_of(value)); },
          get,
          [store, get](const std::string& key, const std::string& value) {
            // The first to count is the one to write; the others wait for what it writes.
            if (store->add(key + "/count", 1) == 1) store->set(key, bytes_of(value));
            return text_of(store->get(key));
          }};
}

}  // namespace

/// One that is under way.
struct Collective {
  c10::intrusive_ptr<c10d::Work> work;
  bool is_on_gpu;
};

struct ProcessGroup::Impl {
  Place place;
  c10::intrusive_ptr<c10d::TCPStore> served, watched;
  c10::intrusive_ptr<c10d::Store> store;
  c10::intrusive_ptr<c10d::ProcessGroupGloo> gloo;
  std::unique_ptr<NcclGroup> nccl;  // from the first tensor of a GPU on
  std::unique_ptr<RankWatch> watch;
  bool broken = false;  // a rank is missing: nothing of c10d can be waited for, not even to be destroyed
  bool left = false;

  std::vector<RankInfo> meet(double join_seconds);
  void take_local_place(const std::vector<RankInfo>& ranks);
  [[noreturn]] void stop_for(const std::string& what);
  void wait(const Collective& collective);
  void wait_for_gpu(c10d::Work& work);
  NcclGroup* nccl_for(const torch::Tensor& tensor);

  Collective start_all_reduce(const torch::Tensor& tensor) {
    std::vector<torch::Tensor> tensors{tensor};
    return started([&]() -> Collective {
      if (NcclGroup* group = nccl_for(tensor)) return {group->all_reduce(tensor), true};
      return {gloo->allreduce(tensors), false};
    });
  }
  template <typename Start>
  Collective started(Start start) {
    if (const auto failure = watch->failure()) stop_for("");
    try {
      return start();
    } catch (const std::exception& error) {
      stop_for(first_line_of(error));
    }
  }
};

// Everyone leaves a note of who it is, and reads the others'.
std::vector<RankInfo> ProcessGroup::Impl::meet(double join_seconds) {
  const double until = seconds_now() + join_seconds;
  const auto key = [](int rank) { return fmt::format("rank/{}", rank); };
  store->set(key(place.rank), bytes_of(RankInfo::of_this_process().text()));
  std::vector<RankInfo> ranks;
  while (static_cast<int>(ranks.size()) < place.world_size) {
    const std::string next = key(static_cast<int>(ranks.size()));
    if (store->check({next})) {
      ranks.push_back(RankInfo::from(text_of(store->get(next))));
      continue;
    }
    if (seconds_now() > until) {
      std::vector<int> missing;
      for (int rank = 0; rank < place.world_size; ++rank)
        if (!store->check({key(rank)})) missing.push_back(rank);
      throw RunError(fmt::format("rank {} waited {:.0f} s for rank(s) {} of {}, which have not come",
                                 place.rank, join_seconds, fmt::join(missing, ", "), place.world_size));
    }
    std::this_thread::sleep_for(kPoll);
  }
  return ranks;
}

void ProcessGroup::Impl::take_local_place(const std::vector<RankInfo>& ranks) {
  const auto& own = ranks[static_cast<std::size_t>(place.rank)].machine;
  int here = 0, before = 0;
  for (int rank = 0; rank < place.world_size; ++rank) {
    if (ranks[static_cast<std::size_t>(rank)].machine != own) continue;
    ++here;
    if (rank < place.rank) ++before;
  }
  if (place.local_rank < 0) place.local_rank = before;
  if (place.local_world_size < 1) place.local_world_size = here;
}

// A connection that broke says that some rank is gone; the watch says which.
void ProcessGroup::Impl::stop_for(const std::string& what) {
  broken = true;
  if (nccl) nccl->abort();
  const auto failure = watch->wait_for_failure(kLongestSearch);
  if (failure) throw RankFailed(failure->message, failure->exit_status);
  const JobFailure unknown{place.rank, 1,
                           fmt::format("{}: communication failed while every rank gives signs of life: {}",
                                       watch->name_of(place.rank), what)};
  watch->tell(unknown);
  throw RankFailed(unknown.message, unknown.exit_status);
}

// Nothing on the device ends while a rank is missing, so whatever asked it for a number would wait for ever:
// the host looks at the watch until the collective is done.
void ProcessGroup::Impl::wait_for_gpu(c10d::Work& work) {
  while (!work.isCompleted()) {
    if (watch->failure()) stop_for("");
    std::this_thread::sleep_for(kGpuPoll);
  }
  try {
    if (const auto failure = work.exception()) std::rethrow_exception(failure);
    work.synchronize();  // the current stream with that of the collective
  } catch (const std::exception& error) {
    stop_for(first_line_of(error));
  }
}

// Ranks without NCCL leave tensors of a GPU to Gloo, which takes them where LibTorch was built so.
NcclGroup* ProcessGroup::Impl::nccl_for(const torch::Tensor& tensor) {
  if (!tensor.is_cuda() || !NcclGroup::is_available()) return nullptr;
  if (!nccl) nccl = NcclGroup::make(store, place.rank, place.world_size);
  return nccl.get();
}

void ProcessGroup::Impl::wait(const Collective& collective) {
  const auto& work = collective.work;
  if (collective.is_on_gpu) return wait_for_gpu(*work);
  while (true) {
    try {
      work->wait(kPatience);
      return;
    } catch (const std::exception& error) {
      if (work->isCompleted()) {
        if (work->isSuccess()) return;
        stop_for(first_line_of(error));
      }
    }
    if (watch->failure()) stop_for("");
  }
}

std::shared_ptr<ProcessGroup> ProcessGroup::join(const Place& given, const ProcessGroupOptions& options) {
  auto impl = std::make_unique<Impl>();
  impl->place = given;
  Place& place = impl->place;
  const bool serves = place.rank == 0 && !place.store_is_served;
  const double until = seconds_now() + options.join_seconds;
  try {
    if (!place.port_file.empty() && !serves) place.master_port = read_port(place.port_file, until);
    if (!place.port_file.empty() && serves) std::remove(place.port_file.c_str());
    impl->served = open_store(place.master_address, place.master_port, serves, options.join_seconds);
    place.master_port = impl->served->getPort();
    if (!place.port_file.empty() && serves) write_port(place.port_file, place.master_port);
    impl->watched = open_store(place.master_address, place.master_port, false, options.join_seconds);
    impl->store = c10::make_intrusive<c10d::PrefixStore>(place.store_prefix + "group", impl->served);
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {
    throw RunError(fmt::format(
        "rank {}: the job's store at {}:{} (MASTER_ADDR, MASTER_PORT) cannot be {}: {}", place.rank,
        place.master_address, place.master_port, serves ? "served" : "reached", first_line_of(error)));
  }
  const std::vector<RankInfo> ranks = impl->meet(options.join_seconds);
  if (!place.port_file.empty() && serves) std::remove(place.port_file.c_str());
  impl->take_local_place(ranks);
  const auto beats = c10::make_intrusive<c10d::PrefixStore>(place.store_prefix + "watch", impl->watched);
  const std::string keeper =
      place.store_is_served
          ? fmt::format("the launcher (its store at {}:{})", place.master_address, place.master_port)
          : fmt::format("rank 0 (host {}, pid {})", ranks[0].host, ranks[0].pid);
  impl->watch =
      std::make_unique<RankWatch>(watch_store(beats), place.rank, ranks, keeper, options.silent_seconds);
  try {
    auto gloo_options = c10d::ProcessGroupGloo::Options::create(kCollectiveTimeout);
    gloo_options->devices.push_back(gloo_device(place.master_address));
    gloo_options->threads = 2;
    impl->gloo =
        c10::make_intrusive<c10d::ProcessGroupGloo>(impl->store, place.rank, place.world_size, gloo_options);
  } catch (const std::exception& error) {
    impl->stop_for(first_line_of(error));
  }
  return std::shared_ptr<ProcessGroup>(new ProcessGroup(std::move(impl)));
}

bool ProcessGroup::is_available() { return true; }

ProcessGroup::ProcessGroup(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

// Where a rank is missing, Gloo's threads wait for it: they are left to the end of the process.
ProcessGroup::~ProcessGroup() {
  if (impl_->watch && !impl_->broken) impl_->watch->stop();
  if (impl_->broken || !impl_->left) static_cast<void>(impl_.release());
}

int ProcessGroup::rank() const { return impl_->place.rank; }
int ProcessGroup::size() const { return impl_->place.world_size; }
int ProcessGroup::local_rank() const { return impl_->place.local_rank; }
int ProcessGroup::local_size() const { return impl_->place.local_world_size; }
std::string ProcessGroup::name_of(int rank) const { return impl_->watch->name_of(rank); }

void ProcessGroup::Pending::wait() {
  if (!work_) return;
  group_->impl_->wait(*std::static_pointer_cast<Collective>(work_));
  work_.reset();
}

ProcessGroup::Pending ProcessGroup::all_reduce_later(torch::Tensor tensor) {
  Pending pending;
  pending.work_ = std::make_shared<Collective>(impl_->start_all_reduce(tensor));
  pending.group_ = this;
  return pending;
}

void ProcessGroup::all_reduce(torch::Tensor tensor) { impl_->wait(impl_->start_all_reduce(tensor)); }

void ProcessGroup::broadcast(torch::Tensor tensor) {
  std::vector<torch::Tensor> tensors{tensor};
  impl_->wait(impl_->started([&]() -> Collective {
    if (NcclGroup* group = impl_->nccl_for(tensor)) return {group->broadcast(tensor), true};
    return {impl_->gloo->broadcast(tensors), false};
  }));
}

std::string ProcessGroup::broadcast(std::string bytes) {
  torch::Tensor length = torch::tensor({static_cast<std::int64_t>(bytes.size())}, torch::kInt64);
  broadcast(length);
  torch::Tensor content = torch::empty({length.item<std::int64_t>()}, torch::kUInt8);
  if (rank() == 0) std::memcpy(content.data_ptr(), bytes.data(), bytes.size());
  if (content.numel() > 0) broadcast(content);
  return {static_cast<const char*>(content.data_ptr()), static_cast<std::size_t>(content.numel())};
}

// Sums of what is zero everywhere but at its owner's place.
std::vector<std::string> ProcessGroup::all_gather(const std::string& bytes) {
  const torch::Tensor lengths = torch::zeros({size()}, torch::kInt64);
  auto* length = lengths.data_ptr<std::int64_t>();
  length[rank()] = static_cast<std::int64_t>(bytes.size());
  all_reduce(lengths);
  const torch::Tensor content = torch::zeros({lengths.sum().item<std::int64_t>()}, torch::kUInt8);
  auto* first = reinterpret_cast<char*>(content.data_ptr<std::uint8_t>());
  std::copy(bytes.begin(), bytes.end(), first + std::accumulate(length, length + rank(), std::int64_t{0}));
  if (content.numel() > 0) all_reduce(content);
  std::vector<std::string> all;
  for (int i = 0; i < size(); ++i) {
    all.emplace_back(first, first + length[i]);
    first += length[i];
  }
  return all;
}

void ProcessGroup::barrier() {
  torch::Tensor nothing = torch::zeros({1});
  all_reduce(nothing);
}

// First the watch, then the barrier: after it the others may end at any moment.
void ProcessGroup::leave() {
  barrier();
  impl_->watch->stop();
  impl_->left = true;
  torch::Tensor nothing = torch::zeros({1});
  try {
    impl_->gloo->allreduce(*std::make_unique<std::vector<torch::Tensor>>(1, nothing))->wait();
  } catch (const std::exception&) {  // what was to be done is done
    impl_->broken = true;
  }
  if (impl_->nccl && !impl_->broken) impl_->nccl->shutdown();
}

void ProcessGroup::fail(const std::string& message, int exit_status) {
  if (impl_->left) return;
  impl_->broken = true;
  if (impl_->nccl) impl_->nccl->abort();
  impl_->watch->tell({rank(), exit_status, fmt::format("{} stopped: {}", name_of(rank()), message)});
  if (rank() == 0 && !impl_->place.store_is_served)
    std::this_thread::sleep_for(std::chrono::duration<double>(kFarewellSeconds));
}

bool ProcessGroup::speaks() const {
  const auto failure = impl_->watch->failure();
  if (!failure || failure->rank != 0 || !failure->gone) return rank() == 0;
  return rank() == 1 || impl_->place.local_rank == 0;
}

struct StoreServer::Impl {
  c10::intrusive_ptr<c10d::TCPStore> store;
};

StoreServer::StoreServer(const std::string& address, int port) : impl_(std::make_unique<Impl>()) {
  try {
    impl_->store = open_store(address, port, true, 10);
  } catch (const std::exception& error) {
    throw RunError(
        fmt::format("port {}: the job's store cannot be served there: {}", port, first_line_of(error)));
  }
}
StoreServer::~StoreServer() = default;
int StoreServer::port() const { return impl_->store->getPort(); }

}  // namespace glidepath

#else

namespace glidepath {
namespace {

[[noreturn]] void refuse() {
  throw InputError(
      "this build trains in one process only: when it was made, LibTorch had no c10d with Gloo or Gloo's "
      "headers "
      "(Debian's libgloo-dev) were missing");
}

}  // namespace

struct ProcessGroup::Impl {};
struct StoreServer::Impl {};
std::shared_ptr<ProcessGroup> ProcessGroup::join(const Place&, const ProcessGroupOptions&) { refuse(); }
bool ProcessGroup::is_available() { return false; }
ProcessGroup::ProcessGroup(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ProcessGroup::~ProcessGroup() = default;
int ProcessGroup::rank() const { return 0; }
int ProcessGroup::size() const { return 1; }
int ProcessGroup::local_rank() const { return 0; }
int ProcessGroup::local_size() const { return 1; }
std::string ProcessGroup::name_of(int) const { return {}; }
void ProcessGroup::Pending::wait() {}
ProcessGroup::Pending ProcessGroup::all_reduce_later(torch::Tensor) { refuse(); }
void ProcessGroup::all_reduce(torch::Tensor) { refuse(); }
void ProcessGroup::broadcast(torch::Tensor) { refuse(); }
std::string ProcessGroup::broadcast(std::string) { refuse(); }
std::vector<std::string> ProcessGroup::all_gather(const std::string&) { refuse(); }
void ProcessGroup::barrier() { refuse(); }
void ProcessGroup::leave() {}
void ProcessGroup::fail(const std::string&, int) {}
bool ProcessGroup::speaks() const { return true; }
StoreServer::StoreServer(const std::string&, int) { refuse(); }
StoreServer::~StoreServer() = default;
int StoreServer::port() const { return 0; }

}  // namespace glidepath
#endif
