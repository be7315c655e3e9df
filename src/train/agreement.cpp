// src/train/agreement.cpp - one clock and one set of signals for all processes of a run.
#include "train/agreement.h"

#include <algorithm>
#include <cstdlib>
#include <thread>

#include <torch/torch.h>

#include "core/words.h"

namespace glidepath {
namespace {

constexpr int kSignals = 65;  // numbers of signals, 0 for none
constexpr int kTimes = 3;     // clock, wall clock, what rank 0 said

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
  const torch::Tensor facts = doubles(kTimes + kSignals);
  auto* values = facts.data_ptr<double>();
  if (group_->rank() == 0) values[0] = clock_(), values[1] = wall_clock_(), values[2] = said ? 1 : 0;
  if (stop_signal_) values[kTimes + std::clamp(stop_signal_(), 0, kSignals - 1)] = 1;
  group_->all_reduce(facts);
  agreed_->clock = values[0];
  agreed_->wall_clock = values[1];
  agreed_->signal = first_signal(facts.narrow(0, kTimes, kSignals));
  return values[2] != 0;
}

void Agreement::read_clock() {
  if (!group_) return;
  const torch::Tensor times = doubles(2);
  auto* values = times.data_ptr<double>();
  if (group_->rank() == 0) values[0] = clock_(), values[1] = wall_clock_();
  group_->broadcast(times);
  agreed_->clock = values[0];
  agreed_->wall_clock = values[1];
}

void Agreement::start_sums(double loss_sum, double correct) {
  sums_ = doubles(2 + kSignals);
  auto* values = sums_.data_ptr<double>();
  values[0] = loss_sum, values[1] = correct;
  if (stop_signal_) values[2 + std::clamp(stop_signal_(), 0, kSignals - 1)] = 1;
  pending_ = group_->all_reduce_later(sums_);
}

Agreement::Sums Agreement::finish_sums() {
  pending_.wait();
  agreed_->signal = first_signal(sums_.narrow(0, 2, kSignals));
  return {sums_[0].item<double>(), sums_[1].item<double>()};
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

int Agreement::first_signal(const torch::Tensor& counts) const {
  const auto* values = counts.data_ptr<double>();
  for (int number = 1; number < kSignals; ++number) {
    if (values[number] > 0) return number;
  }
  return 0;
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
