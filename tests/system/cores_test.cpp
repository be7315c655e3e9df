// tests/system/cores_test.cpp - whichever limit is least, from what the system's own files say.
#include "system/cores.h"

#include <fstream>
#include <map>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "support/temporary_folder.h"

namespace glidepath {
namespace {

namespace fs = std::filesystem;

const std::string kV2 = "30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n";
const std::string kV1 =
    "33 25 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid - cgroup cgroup rw,cpu,cpuacct\n"
    "34 25 0:30 / /sys/fs/cgroup/cpuset rw,nosuid - cgroup cgroup rw,cpuset\n";

class CoresTest : public testing::Test {
 protected:
  void write(const std::string& name, const std::string& text) const {
    const fs::path file = root_.path().string() + name;
    fs::create_directories(file.parent_path());
    std::ofstream(file) << text;
  }
  void mount(const std::string& mountinfo, const std::string& cgroup) const {
    write("/proc/self/mountinfo", "1 0 8:1 / / rw - ext4 /dev/sda rw\n" + mountinfo);
    write("/proc/self/cgroup", cgroup);
  }
  CoreLimits limits(int cores, const std::map<std::string, std::string>& environment = {}) const {
    CoreSources sources;
    sources.root = root_.path().string();
    sources.mask = std::vector<int>();
    for (int i = 0; i < cores; ++i) sources.mask->push_back(i);
    sources.get = [&environment](const char* name) -> const char* {
      const auto found = environment.find(name);
      return found == environment.end() ? nullptr : found->second.c_str();
    };
    return core_limits(sources);
  }
  int cores(int mask, const std::map<std::string, std::string>& environment = {}) const {
    return limits(mask, environment).cores();
  }
  const TemporaryFolder root_{"cores"};
};

TEST_F(CoresTest, MaskAloneWhereThereIsNothingElse) {
  EXPECT_EQ(cores(6), 6);
  mount(kV2, "0::/user.slice\n");  // a cgroup without a limit has no file, or "max"
  write("/sys/fs/cgroup/user.slice/cpu.max", "max 100000\n");
  EXPECT_EQ(cores(6), 6);
}

TEST_F(CoresTest, StrictestQuotaOfVersion2UpToTheMount) {
  mount(kV2, "0::/a.slice/b.scope\n");
  write("/sys/fs/cgroup/a.slice/b.scope/cpu.max", "500000 100000\n");
  EXPECT_EQ(cores(16), 5);
  write("/sys/fs/cgroup/a.slice/cpu.max", "300000 100000\n");
  EXPECT_EQ(cores(16), 3);
  EXPECT_EQ(limits(16).quota_group, "/sys/fs/cgroup/a.slice");
  write("/sys/fs/cgroup/a.slice/b.scope/cpu.max", "150000 100000\n");  // a thread too many would be held up
  EXPECT_EQ(cores(16), 1);
  write("/sys/fs/cgroup/a.slice/b.scope/cpu.max", "20000 100000\n");  // and none is none
  EXPECT_EQ(cores(16), 1);
}

TEST_F(CoresTest, QuotaOfVersion1OfTheHierarchyThatHasTheCores) {
  mount(kV1, "5:cpuset:/other\n4:cpu,cpuacct:/job/step\n1:name=systemd:/x\n");
  write("/sys/fs/cgroup/cpu,cpuacct/job/step/cpu.cfs_quota_us", "-1\n");
  write("/sys/fs/cgroup/cpu,cpuacct/job/step/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(cores(16), 16);
  write("/sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_quota_us", "200000\n");
  write("/sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_period_us", "50000\n");
  EXPECT_EQ(cores(16), 4);
}

// A container sees its part of the hierarchy alone, under the path that the machine has for it.
TEST_F(CoresTest, QuotaInsideAContainer) {
  mount("33 25 0:29 /docker/abc /sys/fs/cgroup/cpu ro - cgroup cgroup rw,cpu\n", "4:cpu:/docker/abc\n");
  write("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "200000\n");
  write("/sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(cores(16), 2);
  mount(kV2, "0::/../../init.scope\n");
  write("/sys/fs/cgroup/cpu.max", "700000 100000\n");
  EXPECT_EQ(cores(16), 7);
}

TEST_F(CoresTest, WhatIsSaidOfTheProcessWhereThatIsLess) {
  EXPECT_EQ(cores(8, {{"OMP_NUM_THREADS", "3"}}), 3);
  EXPECT_EQ(cores(8, {{"OMP_NUM_THREADS", "4,2"}}), 4);
  EXPECT_EQ(cores(2, {{"OMP_NUM_THREADS", "64"}}), 2);
  for (const char* wrong : {"", "0", "-2", "many", "99999999999"})
    EXPECT_EQ(cores(8, {{"OMP_NUM_THREADS", wrong}}), 8) << wrong;
  EXPECT_EQ(cores(8, {{"SLURM_CPUS_PER_TASK", "2"}}), 2);
  EXPECT_EQ(cores(8, {{"SLURM_CPUS_PER_TASK", "5"}, {"OMP_NUM_THREADS", "6"}}), 5);
  // Of a batch script the tasks are those it starts; of what srun starts, itself.
  const std::map<std::string, std::string> script = {{"SLURM_CPUS_PER_TASK", "2"},
                                                     {"SLURM_CPUS_ON_NODE", "6"}};
  EXPECT_EQ(cores(8, script), 6);
  auto task = script;
  task["SLURM_STEP_NUM_TASKS"] = "3";
  EXPECT_EQ(cores(8, task), 2);
}

TEST_F(CoresTest, ProcessesOfOneMachineShareWhatBothHave) {
  const auto with_mask = [](std::vector<int> mask) {
    CoreLimits limits;
    limits.mask = std::move(mask);
    return limits;
  };
  const CoreLimits all = with_mask({0, 1, 2, 3});
  EXPECT_EQ(share_of_cores({all, all}, 0), 2);
  EXPECT_EQ(share_of_cores({all, all, all}, 2), 1);
  EXPECT_EQ(share_of_cores({all, all, all, all, all}, 4), 1);
  // Bound by their launcher, each to its own.
  EXPECT_EQ(share_of_cores({with_mask({0, 1}), with_mask({2, 3})}, 1), 2);
  EXPECT_EQ(share_of_cores({with_mask({0, 1, 2, 3}), with_mask({2, 3})}, 0), 3);
  CoreLimits limited = all;
  limited.quota = 3, limited.quota_group = "/a";
  EXPECT_EQ(share_of_cores({limited, limited}, 0), 1);
  CoreLimits other = limited;
  other.quota_group = "/b";
  EXPECT_EQ(share_of_cores({limited, other}, 0), 2);
  CoreLimits told = all;
  told.of_process = 1;
  EXPECT_EQ(share_of_cores({told, all}, 0), 1);
}

// The real one: no more than the mask that a process is given.
TEST(UsableCores, FollowTheMaskOfThisProcess) {
  cpu_set_t before;
  ASSERT_EQ(::sched_getaffinity(0, sizeof before, &before), 0);
  const int all = usable_cores();
  EXPECT_GE(all, 1);
  EXPECT_LE(all, CPU_COUNT(&before));
  cpu_set_t one;
  CPU_ZERO(&one);
  for (int core = 0; core < CPU_SETSIZE && CPU_COUNT(&one) == 0; ++core) {
    if (CPU_ISSET(core, &before)) CPU_SET(core, &one);
  }
  ASSERT_EQ(::sched_setaffinity(0, sizeof one, &one), 0);
  EXPECT_EQ(usable_cores(), 1);
  ::sched_setaffinity(0, sizeof before, &before);
}

// A cgroup of the system's own, of version 1 or 2, which root can make.
TEST(UsableCores, FollowTheQuotaOfARealCgroup) {
  if (usable_cores() < 2) GTEST_SKIP() << "one core cannot become fewer";
  fs::path group;
  for (const char* controller : {"/sys/fs/cgroup/cpu", "/sys/fs/cgroup/cpu,cpuacct", "/sys/fs/cgroup"}) {
    const fs::path made = fs::path(controller) / ("glidepath-test-" + std::to_string(::getpid()));
    std::error_code error;
    if (!fs::create_directory(made, error)) continue;
    for (const char* file : {"cpu.cfs_quota_us", "cpu.max"}) {
      if (fs::exists(made / file, error) && std::ofstream(made / file)
                                                << (file[4] == 'm' ? "100000 100000" : "100000"))
        group = made;
    }
    if (!group.empty()) break;
    fs::remove(made, error);
  }
  if (group.empty()) GTEST_SKIP() << "no cgroup with a quota can be made";
  const pid_t child = ::fork();
  if (child == 0) {
    std::ofstream(group / "cgroup.procs") << ::getpid() << std::flush;
    ::_exit(usable_cores());
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  fs::remove(group);
  EXPECT_EQ(WEXITSTATUS(status), 1);
}

}  // namespace
}  // namespace glidepath
