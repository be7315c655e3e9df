// src/ranks/process_group.cpp - collectives of c10d's Gloo and NCCL, and a watch over the ranks beside
// them.
#include "glidepath/process_group.h"

#include <algorithm>
#include <arpa/inet.h>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <netdb.h>
#include <numeric>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include <fmt/format.h>

#if GLIDEPATH_HAS_GLOO
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>

#include "ranks/meeting/environment.h"
#include "ranks/meeting/rendezvous.h"
#include "ranks/nccl_group.h"
#include "ranks/rank_watch.h"

namespace glidepath {
namespace {

using std::chrono::milliseconds;

// Between looks at the watch while a collective is waited for. It is told of a rank's end by the watch, so a
// collective itself may take as long as it does: rank 0 may be measuring or writing meanwhile.
constexpr milliseconds kPatience{1000};
constexpr auto kCollectiveTimeout = std::chrono::hours(24 * 7);
// For the watch to find out which rank a broken connection was of.
constexpr double kLongestSearch = 25;
constexpr double kMoreThanSilence = 5;
constexpr std::chrono::microseconds kGpuPoll{50};

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

}  // namespace

/// One that is under way.
struct Collective {
  c10::intrusive_ptr<c10d::Work> work;
  bool is_on_gpu;
};

struct ProcessGroup::Impl {
  Place place;
  std::shared_ptr<JobStoreServer> server;  // of rank 0, where the launcher serves none
  c10::intrusive_ptr<c10d::Store> store;
  c10::intrusive_ptr<c10d::ProcessGroupGloo> gloo;
  std::unique_ptr<NcclGroup> nccl;  // from the first tensor of a GPU on
  std::unique_ptr<RankWatch> watch;
  bool broken = false;  // a rank is missing: nothing of c10d can be waited for, not even to be destroyed
  bool left = false;
  int cores = 1;

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

void ProcessGroup::Impl::take_local_place(const std::vector<RankInfo>& ranks) {
  const auto& own = ranks[static_cast<std::size_t>(place.rank)].owner.host;
  std::vector<CoreLimits> here;
  int before = 0;
  for (int rank = 0; rank < place.world_size; ++rank) {
    const RankInfo& info = ranks[static_cast<std::size_t>(rank)];
    if (info.owner.host != own) continue;
    if (rank < place.rank) ++before;
    here.push_back(info.limits);
  }
  cores = share_of_cores(here, static_cast<std::size_t>(before));
  if (place.local_rank < 0) place.local_rank = before;
  if (place.local_world_size < 1) place.local_world_size = static_cast<int>(here.size());
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
  const Rendezvous met = meet(given, join_seconds_from_environment().value_or(options.join_seconds));
  const Place& place = impl->place = met.place;
  impl->server = met.server;
  impl->take_local_place(met.ranks);
  impl->store = c10::make_intrusive<c10d::PrefixStore>(place.store_prefix + "group", met.collective);
  // Longer than a silence that counts, which is told by its name; a thread that asks must not wait for ever.
  met.watch->setTimeout(milliseconds(std::llround(1000 * (options.silent_seconds + kMoreThanSilence))));
  const auto beats = c10::make_intrusive<c10d::PrefixStore>(place.store_prefix + "watch", met.watch);
  const std::string keeper =
      place.store_is_served
          ? fmt::format("the launcher (its store at {}:{})", place.master_address, place.master_port)
          : fmt::format("rank 0 (host {}, pid {})", met.ranks[0].host, met.ranks[0].owner.pid);
  impl->watch =
      std::make_unique<RankWatch>(watch_store(beats), place.rank, met.ranks, keeper, options.silent_seconds);
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
int ProcessGroup::cores() const { return impl_->cores; }
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
  if (content.numel() == 0) return {};
  if (rank() == 0) std::memcpy(content.data_ptr(), bytes.data(), bytes.size());
  broadcast(content);
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
  stay_for_farewell(impl_->place);
}

bool ProcessGroup::speaks() const {
  const auto failure = impl_->watch->failure();
  if (!failure || !failure->gone || failure->rank > 0) return rank() == 0;
  return rank() == (failure->rank < 0 ? 0 : 1) || impl_->place.local_rank == 0;
}

}  // namespace glidepath

#else
#include "ranks/meeting/store_server.h"

namespace glidepath {
namespace {

[[noreturn]] void refuse() { refuse_several_processes(); }

}  // namespace

struct ProcessGroup::Impl {};
std::shared_ptr<ProcessGroup> ProcessGroup::join(const Place&, const ProcessGroupOptions&) { refuse(); }
bool ProcessGroup::is_available() { return false; }
ProcessGroup::ProcessGroup(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ProcessGroup::~ProcessGroup() = default;
int ProcessGroup::rank() const { return 0; }
int ProcessGroup::size() const { return 1; }
int ProcessGroup::local_rank() const { return 0; }
int ProcessGroup::local_size() const { return 1; }
int ProcessGroup::cores() const { return 1; }
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

}  // namespace glidepath
#endif
