// src/loop/agreement.cpp - what the processes of a run have to know of each other to stay together.
#include "loop/agreement.h"

#include <algorithm>

#include <torch/cuda.h>
#include <torch/types.h>

namespace glidepath {
namespace {

constexpr int kSignals = 65;  // numbers of signals, 0 for none
constexpr int kTimes = 2;     // clock, wall clock
constexpr int kDecision = 2;  // what is next, progress
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
  options.stop_signal = [agreed = agreed_] { return agreed->signal; };
  agree();
  if (is_rank_0()) return;
  options.clock = [agreed = agreed_] { return agreed->clock; };
  options.wall_clock = [agreed = agreed_] { return agreed->wall_clock; };
  options.seconds_before = 0;
  options.on_status = nullptr;
  options.on_evaluation = nullptr;
  options.on_warning = nullptr;
  options.on_budget_change = nullptr;
}

Decision Agreement::rank_0_says(const std::function<Decision()>& decide) {
  if (!group_) return decide();
  const torch::Tensor said = doubles(kTimes + kDecision);
  auto* values = said.data_ptr<double>();
  if (is_rank_0()) {
    const Decision decision = decide();
    tell_times(values);
    values[kTimes] = static_cast<double>(decision.next), values[kTimes + 1] = decision.progress;
  }
  group_->broadcast(said);
  take_times(values);
  return {static_cast<Next>(values[kTimes]), values[kTimes + 1]};
}

bool Agreement::rank_0_says(bool here) {
  if (!group_) return here;
  const torch::Tensor said = doubles(1).fill_(here ? 1 : 0);
  group_->broadcast(said);
  return said.item<double>() != 0;
}

bool Agreement::agree(bool said) {
  if (!group_) return said;
  const torch::Tensor facts = doubles(kTimes + 1 + kSignals);
  auto* values = facts.data_ptr<double>();
  tell_times(values);
  if (is_rank_0()) values[kTimes] = said ? 1 : 0;
  tell_signal(values + kTimes + 1);
  group_->all_reduce(facts);
  take_times(values);
  take_signal(values + kTimes + 1);
  return values[kTimes] != 0;
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

void Agreement::tell_times(double* times) const {
  if (is_rank_0()) times[0] = clock_(), times[1] = wall_clock_();
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
  if (own.threads == 0) own.threads = group->cores();
  if (own.workers == 0) own.workers = group->cores();
  return own;
}

}  // namespace glidepath
