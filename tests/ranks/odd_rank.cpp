// tests/ranks/odd_rank.cpp - one rank of a job whose ranks all have clocks and disks of their own,
// which do as a seed says. Prints what every run came to.
//
//   odd_rank FIRST_SEED COUNT FOLDER
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <limits>
#include <random>
#include <string>
#include <sys/resource.h>

#include <fmt/format.h>

#include "glidepath/error.h"
#include "glidepath/measure.h"
#include "glidepath/process_group.h"
#include "glidepath/train.h"

namespace {

using namespace glidepath;

/// The part of a run that all ranks have to agree on; drawn from the seed alone.
struct Story {
  TrainConfig config;
  std::int64_t stops_after;  // looks of the rank that is told to stop; 0: none is
  int stopped_rank;
};

Story story(unsigned seed, int ranks) {
  std::mt19937 random(seed);
  const auto one_of = [&](std::initializer_list<const char*> texts) {
    return std::string(texts.begin()[random() % texts.size()]);
  };
  Story story;
  TrainConfig& config = story.config;
  config.data = "digits";
  config.model = "mlp";
  config.width = 0.5;
  config.train_limit = 400;
  config.test_limit = 60;
  config.batch_size = 64;
  config.eval_batch_size = 16;
  config.base_lr = 0.05;
  config.precision = "fp32";
  config.threads = 1;
  config.full = "40it";
  config.budget = one_of({"40it", "100%", "300s", "10m", "200s"});
  config.checkpoint_every = one_of({"5m", "5m", "1s", "7s", "20%", "3it"});
  config.eval_every = one_of({"end", "1ep", "10%", "3it"});
  config.measure = one_of({"", "", "weight-norm@every=20%", "weight-norm@every=4it"});
  config.on_divergence = one_of({"stop", "rewind"});
  config.schedule = one_of({"linear", "cosine", "plateau"});
  story.stops_after = random() % 3 == 0 ? 1 + random() % 120 : 0;
  story.stopped_rank = static_cast<int>(random() % static_cast<unsigned>(ranks));
  return story;
}

/// Goes on by a random while whenever somebody looks at it, and has the disk refuse and take files at random
/// moments of its first looks.
class OddMachine {
 public:
  OddMachine(unsigned seed, int rank, bool has_bad_disk)
      : random_(seed * 1000 + static_cast<unsigned>(rank)), bad_looks_(has_bad_disk ? 150 : 0) {
    now_ = std::uniform_real_distribution<double>(0, 1e6)(random_);
    step_ = std::exponential_distribution<double>(1)(random_) * 0.3;
    before_ = std::uniform_real_distribution<double>(0, 8)(random_);
  }
  ~OddMachine() { let_disk_take(true); }
  OddMachine(const OddMachine&) = delete;
  OddMachine& operator=(const OddMachine&) = delete;

  double look() {
    const bool leaps = random_() % 64 == 0;
    now_ += std::exponential_distribution<double>(1)(random_) * (leaps ? 3 : step_);
    ++looks_;
    if (looks_ <= kGoodLooks || looks_ >= bad_looks_) {  // a disk that refuses from the start is an error
      let_disk_take(true);
    } else if (random_() % 4 == 0) {
      let_disk_take(random_() % 2 == 0);
    }
    return now_;
  }
  double seconds_before() const { return before_; }

 private:
  static constexpr int kGoodLooks = 15;
  static void let_disk_take(bool files) {
    rlimit limit{};
    ::getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = files ? limit.rlim_max : 0;
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }

  std::mt19937 random_;
  double now_ = 0, step_ = 0, before_ = 0;
  int looks_ = 0, bad_looks_;
};

TrainOptions options_of(OddMachine& machine, const std::shared_ptr<ProcessGroup>& group,
                        const std::filesystem::path& out) {
  TrainOptions options;
  options.out = out;
  options.group = group;
  options.measurer = instruments();
  options.clock = [&machine] { return machine.look(); };
  options.wall_clock = options.clock;
  options.seconds_before = machine.seconds_before();
  return options;
}

std::string train_as(unsigned seed, const std::shared_ptr<ProcessGroup>& group,
                     const std::filesystem::path& out) {
  const Story told = story(seed, group->size());
  OddMachine machine(seed, group->rank(), told.stops_after == 0);
  TrainOptions options = options_of(machine, group, out);
  std::int64_t looks = 0;
  options.stop_signal = [&] {
    return told.stops_after > 0 && group->rank() == told.stopped_rank && ++looks == told.stops_after ? SIGTERM
                                                                                                     : 0;
  };
  TrainResult result;
  std::string stopped;
  try {
    result = train(told.config, options);
  } catch (const Interrupted& stop) {
    stopped = "stopped, then ";
    options.stop_signal = nullptr;
    options.resume = true;
    result = train(told.config, options);
  }
  return fmt::format("{}{} updates, {} of the test images, last lr {}", stopped, result.updates,
                     result.test_accuracy, result.last_update_lr);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  std::signal(SIGXFSZ, SIG_IGN);
  try {
    const auto group = ProcessGroup::join(place_from_environment().value());
    const unsigned first = static_cast<unsigned>(std::stoul(argv[1]));
    for (unsigned seed = first; seed < first + static_cast<unsigned>(std::stoul(argv[2])); ++seed) {
      const std::string told =
          train_as(seed, group, std::filesystem::path(argv[3]) / ("run-" + std::to_string(seed)));
      std::cout << "seed " << seed << ": " << told << std::endl;
    }
    group->leave();
  } catch (const std::exception& error) {
    std::cout << "failed: " << error.what() << std::endl;
    std::_Exit(1);
  }
  return 0;
}
