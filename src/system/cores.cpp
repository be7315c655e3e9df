// src/system/cores.cpp - how many of the machine's cores this process may use.
#include "system/cores.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <sched.h>
#include <sstream>
#include <thread>

#include "core/words.h"

namespace glidepath {
namespace {

constexpr int kMostCores = 1 << 16;

std::vector<int> own_mask() {
  for (int room = 1024; room <= kMostCores;
       room *= 2) {  // a kernel for more cores than the set holds refuses
    cpu_set_t* set = CPU_ALLOC(static_cast<std::size_t>(room));
    const std::size_t bytes = CPU_ALLOC_SIZE(static_cast<std::size_t>(room));
    std::vector<int> mask;
    const bool known = ::sched_getaffinity(0, bytes, set) == 0;
    for (int core = 0; known && core < room; ++core) {
      if (CPU_ISSET_S(static_cast<std::size_t>(core), bytes, set)) mask.push_back(core);
    }
    CPU_FREE(set);
    if (!mask.empty()) return mask;
  }
  std::vector<int> all(std::max(1U, std::thread::hardware_concurrency()));
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<int>(i);
  return all;
}

std::vector<std::string> split(const std::string& text, char at) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, at);) parts.push_back(part);
  return parts;
}

bool has_word(const std::string& list, const std::string& word) {
  const auto words = split(list, ',');
  return std::find(words.begin(), words.end(), word) != words.end();
}

/// One hierarchy of cgroups as this process sees it.
struct Hierarchy {
  bool is_v2 = false;
  std::string mount;  ///< where it is mounted
  std::string root;   ///< what of it is mounted there
  std::string path;   ///< the process's place in it
};

std::string first_line(const std::string& file) {
  std::ifstream stream(file);
  std::string line;
  std::getline(stream, line);
  return line;
}

/// "36 35 98:0 /root /mount options - type source super-options", spaces in names written as \040.
std::vector<Hierarchy> mounted(const std::string& mountinfo) {
  std::vector<Hierarchy> found;
  std::ifstream stream(mountinfo);
  for (std::string line; std::getline(stream, line);) {
    const auto dash = line.find(" - ");
    if (dash == std::string::npos) continue;
    const auto before = split(line.substr(0, dash), ' '), after = split(line.substr(dash + 3), ' ');
    if (before.size() < 5 || after.empty()) continue;
    const bool is_v2 = after[0] == "cgroup2";
    const bool is_v1 = after[0] == "cgroup" && after.size() > 2 && has_word(after[2], "cpu");
    if (is_v1 || is_v2) found.push_back({is_v2, before[4], before[3], {}});
  }
  return found;
}

/// "4:cpu,cpuacct:/path", of version 2 "0::/path".
void take_path(std::vector<Hierarchy>& hierarchies, const std::string& file) {
  std::ifstream stream(file);
  for (std::string line; std::getline(stream, line);) {
    const auto first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    for (Hierarchy& each : hierarchies) {
      if (each.is_v2 ? controllers.empty() : has_word(controllers, "cpu"))
        each.path = line.substr(second + 1);
    }
  }
}

/// The quota of one cgroup in cores; of version 2 "200000 100000" or "max 100000" in one file.
std::optional<double> quota_of(const std::string& folder, bool is_v2) {
  std::string quota, period;
  if (is_v2) {
    std::istringstream(first_line(folder + "/cpu.max")) >> quota >> period;
  } else {
    quota = first_line(folder + "/cpu.cfs_quota_us");
    period = first_line(folder + "/cpu.cfs_period_us");
  }
  const auto amount = words::whole(quota), every = words::whole(period);  // "max" and -1: none
  if (!amount || !every || *amount <= 0 || *every <= 0) return std::nullopt;
  return static_cast<double>(*amount) / static_cast<double>(*every);
}

/// Of the process's own and of all that it is in, up to what is mounted.
void take_quota(CoreLimits& limits, const Hierarchy& hierarchy, const std::string& before) {
  std::string path = hierarchy.path;
  // Of a container only a part is mounted; a process that was moved in from outside stands above it ("/..").
  if (hierarchy.root != "/" && path.compare(0, hierarchy.root.size(), hierarchy.root) == 0)
    path = path.substr(hierarchy.root.size());
  if (path.compare(0, 3, "/..") == 0) path.clear();
  while (!path.empty() && path.back() == '/') path.pop_back();
  for (;;) {
    const auto quota = quota_of(before + hierarchy.mount + path, hierarchy.is_v2);
    if (quota && (!limits.quota || *quota < *limits.quota)) {
      limits.quota = quota;
      limits.quota_group = hierarchy.mount + path;
    }
    if (path.empty()) return;
    path = path.substr(0, path.rfind('/'));
  }
}

std::optional<int> count_in(const char* text) {
  if (text == nullptr) return std::nullopt;
  const std::string first = text;  // OMP_NUM_THREADS may be a list, one number a level of nesting
  const auto number = words::whole(first.substr(0, first.find(',')));
  if (!number || *number < 1 || *number > kMostCores) return std::nullopt;
  return static_cast<int>(*number);
}

std::optional<int> said_of_process(const std::function<const char*(const char*)>& get) {
  std::optional<int> slurm = count_in(get("SLURM_CPUS_PER_TASK"));
  if (slurm && get("SLURM_STEP_NUM_TASKS") == nullptr)
    slurm = std::max(*slurm, count_in(get("SLURM_CPUS_ON_NODE")).value_or(0));
  const std::optional<int> openmp = count_in(get("OMP_NUM_THREADS"));
  return slurm && openmp ? std::min(slurm, openmp) : slurm ? slurm : openmp;
}

int whole_at_least_1(double cores) { return std::max(1, static_cast<int>(std::floor(cores + 1e-9))); }

}  // namespace

int CoreLimits::cores() const { return share_of_cores({*this}, 0); }

CoreLimits core_limits(const CoreSources& sources) {
  CoreLimits limits;
  limits.mask = sources.mask ? *sources.mask : own_mask();
  auto hierarchies = mounted(sources.root + "/proc/self/mountinfo");
  take_path(hierarchies, sources.root + "/proc/self/cgroup");
  for (const Hierarchy& each : hierarchies) take_quota(limits, each, sources.root);
  limits.of_process = said_of_process(
      sources.get ? sources.get : [](const char* name) -> const char* { return std::getenv(name); });
  return limits;
}

int usable_cores() { return core_limits().cores(); }

int share_of_cores(const std::vector<CoreLimits>& processes, std::size_t which) {
  const CoreLimits& own = processes.at(which);
  double cores = 0, in_group = 0;
  for (const int core : own.mask) {
    const auto sharing = std::count_if(processes.begin(), processes.end(), [core](const CoreLimits& each) {
      return std::find(each.mask.begin(), each.mask.end(), core) != each.mask.end();
    });
    cores += 1 / static_cast<double>(sharing);
  }
  for (const CoreLimits& each : processes)
    in_group += each.quota && each.quota_group == own.quota_group ? 1 : 0;
  if (own.quota) cores = std::min(cores, *own.quota / in_group);
  if (own.of_process) cores = std::min(cores, static_cast<double>(*own.of_process));
  return whole_at_least_1(cores);
}

}  // namespace glidepath
