// tests/ranks/reachable_test.cpp - from where the processes of a job on one machine can be reached.
#include <algorithm>
#include <csignal>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <unistd.h>

#include <gmock/gmock.h>

#include "ranks/support.h"

namespace glidepath {
namespace {

namespace fs = std::filesystem;

std::string field_after_name(const fs::path& stat, int field) {
  std::string line, value;
  std::getline(std::ifstream(stat), line);
  std::istringstream fields(line.substr(std::min(line.size(), line.rfind(')') + 1)));
  for (int i = 2; i < field; ++i) fields >> value;
  return value;
}

/// A process and all that it has started.
std::set<std::string> family_of(const std::string& pid) {
  std::set<std::string> family = {pid};
  for (bool grows = true; grows;) {
    grows = false;
    for (const auto& entry : fs::directory_iterator("/proc")) {
      const std::string name = entry.path().filename();
      if (name.find_first_not_of("0123456789") != std::string::npos || family.count(name) > 0) continue;
      if (family.count(field_after_name(entry.path() / "stat", 4)) > 0) grows = family.insert(name).second;
    }
  }
  return family;
}

std::set<std::string> sockets_of(const std::set<std::string>& pids) {
  std::set<std::string> inodes;
  for (const std::string& pid : pids) {
    std::error_code error;
    for (fs::directory_iterator at("/proc/" + pid + "/fd", error), end; !error && at != end;
         at.increment(error)) {
      const std::string target = fs::read_symlink(at->path(), error).string();
      if (target.rfind("socket:[", 0) == 0) inodes.insert(target.substr(8, target.size() - 9));
    }
  }
  return inodes;
}

/// Local addresses, as the kernel writes them, at which they listen.
std::vector<std::string> listening(const std::set<std::string>& inodes) {
  std::vector<std::string> addresses;
  for (const char* table : {"/proc/net/tcp", "/proc/net/tcp6"}) {
    std::ifstream file(table);
    std::string line;
    std::getline(file, line);
    while (std::getline(file, line)) {
      std::istringstream fields(line);
      std::vector<std::string> values;
      for (std::string value; fields >> value;) values.push_back(value);
      if (values.size() > 9 && values[3] == "0A" && inodes.count(values[9]) > 0)
        addresses.push_back(values[1]);
    }
  }
  return addresses;
}

// It was every interface, and anybody could read the group's notes and end the job.
TEST_F(RanksTest, OnOneMachineListenAtLoopbackAlone) {
  const std::string train =
      "train --data digits --model mlp --budget 1000000it --full 1000000it --threads 1 --quiet --out ";
  const std::string torchrun =
      "RANK=$r WORLD_SIZE=2 LOCAL_RANK=$r LOCAL_WORLD_SIZE=2 MASTER_ADDR=$(hostname) "
      "MASTER_PORT=29653 TMPDIR=$PWD glidepath ";
  const std::map<std::string, std::string> starts = {
      {"launched", "glidepath launch -n 2 " + train + "launched & "},
      {"torchrun", "for r in 0 1; do ( " + torchrun + train + "torchrun ) & done; "}};
  for (const auto& [name, start] : starts) {
    SCOPED_TRACE(name);
    // What is said goes elsewhere, or the shell's end would not be seen.
    shell("sh -c '" + start + "echo $$ > " + name + ".pid; wait' > log.txt 2>&1 & until [ -s " + name +
          "/metrics.jsonl ]; do sleep 0.05; done");
    const std::string pid = read(name + ".pid");
    const std::set<std::string> family = family_of(pid.substr(0, pid.find('\n')));
    const auto addresses = listening(sockets_of(family));
    EXPECT_GE(addresses.size(), 1U) << "the store; Gloo may have closed its ports by now";
    for (const std::string& address : addresses) EXPECT_EQ(address.substr(0, 9), "0100007F:");
    for (const std::string& each : family) ::kill(std::stoi(each), SIGKILL);
  }
}

}  // namespace
}  // namespace glidepath
