// src/ranks/shared_update.cpp - what the ranks' parts of an update come to.
#include "ranks/shared_update.h"

#include <utility>

#include <torch/types.h>

#include "ranks/signals.h"

namespace glidepath {
namespace {

constexpr int kSums = 3;  // loss, right answers, ranks with news

torch::Tensor number(double value) { return torch::scalar_tensor(value, torch::kFloat64); }

}  // namespace

SharedUpdate::SharedUpdate(Ranks& ranks, const std::vector<torch::Tensor>& parameters) : ranks_(ranks) {
  if (ranks.group_) reducer_ = std::make_unique<GradientReducer>(*ranks.group_, parameters);
}

torch::Tensor SharedUpdate::begin(const Part& part) {
  part_ = part;
  if (!reducer_) return part.loss;
  sums_ = torch::zeros({kSums + kSignals}, torch::kFloat64);
  auto* values = sums_.data_ptr<double>();
  if (part.here > 0) {
    values[0] = part.loss.item<double>() * static_cast<double>(part.here);
    values[1] = part.correct.item<double>();
  }
  values[2] = part.has_news ? 1 : 0;
  ranks_.tell_signal(values + kSums);
  pending_ = ranks_.group_->all_reduce_later(sums_);  // backward runs meanwhile
  reducer_->begin(part.adds);
  return part.loss.defined() ? part.loss * (static_cast<double>(part.here) / static_cast<double>(part.all))
                             : part.loss;
}

double SharedUpdate::weight(std::int64_t examples, const Part& part) const {
  return static_cast<double>(examples) / static_cast<double>(reducer_ ? part.all : part.here);
}

SharedUpdate::Whole SharedUpdate::finish() {
  const Part part = std::exchange(part_, {});
  if (!reducer_) return {part.loss.detach(), part.correct, part.has_news};
  reducer_->finish();
  pending_.wait();
  const auto* values = sums_.data_ptr<double>();
  ranks_.take_signal(values + kSums);
  return {number(values[0] / static_cast<double>(part.all)), number(values[1]), values[2] > 0};
}

}  // namespace glidepath
