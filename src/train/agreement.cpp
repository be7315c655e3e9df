// src/train/agreement.cpp - one clock and one set of signals for all processes of a run.
#include "train/agreement.h"

#include <algorithm>
#include <cstdlib>
#include <thread>

#include <torch/cuda.h>
#include <torch/types.h>

#include "core/words.h"

namespace glidepath {
namespace {

constexpr int kSignals = 65;  // numbers of signals, 0 for none
constexpr int kTimes = 2;     // clock, wall clock
constexpr int kSums = 3;      // loss, right answers, ranks with news

torch::Tensor doubles(std::int64_t count) { return torch::zeros({count}, torch::kFloat64); }

}  // namespace

Agreement::Agreement(TrainOptions& options)
    : group_(options.group),
      clock_(options.clock),
      wall_clock_(options.wall_clock),
      stop_signal_(options.stop_signal) {
  if (!group_) return;
  agreed_ = std::make_shared<Agreed>();
  options.clock = [agreed = agreed_] { return agreed->clock; };
  options.wall_clock = [agreed = agreed_] { return agreed->wall_clock; };
  options.stop_signal = [agreed = agreed_] { return agreed->signal; };
  options.seconds_before = from_rank_0(options.seconds_before);
  agree();
  if (group_->rank() == 0) return;
  options.on_status = nullptr;
  options.on_evaluation = nullptr;
  options.on_warning = nullptr;
  options.on_budget_change = nullptr;
}

bool Agreement::agree(bool said) {
  if (!group_) return said;
  const torch::Tensor facts = doubles(kTimes + 1 + kSignals);
  auto* values = facts.data_ptr<double>();
  tell_times(values);
  if (group_->rank() == 0) values[kTimes] = said ? 1 : 0;
  tell_signal(values + kTimes + 1);
  group_->all_reduce(facts);
  take_times(values);
  take_signal(values + kTimes + 1);
  return values[kTimes] != 0;
}

void Agreement::read_clock() {
  if (!group_) return;
  const torch::Tensor times = doubles(kTimes);
  auto* values = times.data_ptr<double>();
  tell_times(values);
  group_->broadcast(times);
  take_times(values);
}

void Agreement::start_sums(double loss_sum, double correct, bool news) {
  sums_ = doubles(kSums + kSignals);
  auto* values = sums_.data_ptr<double>();
  values[0] = loss_sum, values[1] = correct, values[2] = news ? 1 : 0;
  tell_signal(values + kSums);
  pending_ = group_->all_reduce_later(sums_);
}

Agreement::Sums Agreement::finish_sums() {
  pending_.wait();
  const auto* values = sums_.data_ptr<double>();
  take_signal(values + kSums);
  return {values[0], values[1], values[2] > 0};
}

bool Agreement::any(bool here) {
  if (!group_) return here;
  const torch::Tensor count = doubles(1).fill_(here ? 1 : 0);
  group_->all_reduce(count);
  return count.item<double>() > 0;
}

double Agreement::from_rank_0(double value) {
  if (!group_) return value;
  const torch::Tensor shared = doubles(1).fill_(value);
  group_->broadcast(shared);
  return shared.item<double>();
}

void Agreement::tell_times(double* times) const {
  if (group_->rank() == 0) times[0] = clock_(), times[1] = wall_clock_();
}

void Agreement::take_times(const double* times) { agreed_->clock = times[0], agreed_->wall_clock = times[1]; }

void Agreement::tell_signal(double* counts) const {
  if (stop_signal_) counts[std::clamp(stop_signal_(), 0, kSignals - 1)] = 1;
}

void Agreement::take_signal(const double* counts) {
  const double* first = std::find_if(counts + 1, counts + kSignals, [](double count) { return count > 0; });
  agreed_->signal = first == counts + kSignals ? 0 : static_cast<int>(first - counts);
}

TrainConfig config_for_rank(const TrainConfig& config, const ProcessGroup* group) {
  TrainConfig own = config;
  if (group == nullptr) return own;
  if (own.device == "cuda" || (own.device == "auto" && torch::cuda::is_available())) {
    own.device = "cuda:" + std::to_string(group->local_rank());
  }
  if (own.threads == 0) {
    const char* given = std::getenv("OMP_NUM_THREADS");
    const double threads = given == nullptr ? 0 : words::number(given).value_or(0);
    const int cores = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
    own.threads =
        threads >= 1 ? static_cast<std::int64_t>(threads) : std::max(1, cores / group->local_size());
  }
  return own;
}

}  // namespace glidepath
