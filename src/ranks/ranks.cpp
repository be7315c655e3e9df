// src/ranks/ranks.cpp - the processes that make a run together.
#include "ranks/ranks.h"

#include <algorithm>

#include <ATen/core/grad_mode.h>
#include <nlohmann/json.hpp>
#include <torch/cuda.h>
#include <torch/types.h>

#include "files/json_text.h"
#include "ranks/signals.h"

namespace glidepath {
namespace {

constexpr int kTimes = 2;     // clock, wall clock
constexpr int kDecision = 2;  // what is next, progress

torch::Tensor doubles(std::int64_t count) { return torch::zeros({count}, torch::kFloat64); }

nlohmann::json described(const TensorMap& tensors) {
  auto list = nlohmann::json::array();
  for (const auto& [name, tensor] : tensors) {
    list.push_back(
        {{"name", name}, {"type", static_cast<int>(tensor.scalar_type())}, {"shape", tensor.sizes().vec()}});
  }
  return list;
}

}  // namespace

Ranks::Ranks(std::shared_ptr<ProcessGroup> group, Surroundings here)
    : group_(group && group->size() > 1 ? std::move(group) : nullptr), own_(here), here_(std::move(here)) {
  if (!group_) return;
  agreed_ = std::make_shared<Agreed>();
  here_.stop_signal = [agreed = agreed_] { return agreed->signal; };
  agree();
  if (is_first()) return;
  here_.clock = [agreed = agreed_] { return agreed->clock; };
  here_.wall_clock = [agreed = agreed_] { return agreed->wall_clock; };
}

TrainConfig Ranks::config_here(const TrainConfig& config) const {
  TrainConfig own = config;
  if (!group_) return own;
  if (own.device == "cuda" || (own.device == "auto" && torch::cuda::is_available())) {
    own.device = "cuda:" + std::to_string(group_->local_rank());
  }
  if (own.threads == 0) own.threads = group_->cores();
  if (own.workers == 0) own.workers = group_->cores();
  return own;
}

void Ranks::require_same(const Facts& facts, const std::string& advice) const {
  if (group_) glidepath::require_same(*group_, facts, advice);
}

Ranks::Decision Ranks::first_says(const std::function<Decision()>& decide) {
  if (!group_) return decide();
  const torch::Tensor said = doubles(kTimes + kDecision);
  auto* values = said.data_ptr<double>();
  if (is_first()) {
    const Decision decision = decide();
    tell_times(values);
    values[kTimes] = decision.what;
    values[kTimes + 1] = decision.progress;
  }
  group_->broadcast(said);
  take_times(values);
  return {static_cast<int>(values[kTimes]), values[kTimes + 1]};
}

bool Ranks::first_says(bool here) const {
  if (!group_) return here;
  const torch::Tensor said = doubles(1).fill_(here ? 1 : 0);
  group_->broadcast(said);
  return said.item<double>() != 0;
}

bool Ranks::agree(bool said) {
  if (!group_) return said;
  const torch::Tensor facts = doubles(kTimes + 1 + kSignals);
  auto* values = facts.data_ptr<double>();
  tell_times(values);
  if (is_first()) values[kTimes] = said ? 1 : 0;
  tell_signal(values + kTimes + 1);
  group_->all_reduce(facts);
  take_times(values);
  take_signal(values + kTimes + 1);
  return values[kTimes] != 0;
}

bool Ranks::any(bool here) const {
  if (!group_) return here;
  const torch::Tensor count = doubles(1).fill_(here ? 1 : 0);
  group_->all_reduce(count);
  return count.item<double>() > 0;
}

void Ranks::add_up(const torch::Tensor& sums) const {
  if (group_) group_->all_reduce(sums);
}

std::vector<std::string> Ranks::gather(const std::string& bytes) const {
  return group_ ? group_->all_gather(bytes) : std::vector<std::string>{bytes};
}

std::string Ranks::from_first(const std::string& bytes) const {
  return group_ ? group_->broadcast(is_first() ? bytes : std::string()) : bytes;
}

// Names, types and shapes go before the bytes.
TensorMap Ranks::from_first(const TensorMap& tensors) const {
  if (!group_) return tensors;
  TensorMap taken = tensors;
  const auto list = parse_json(group_->broadcast(is_first() ? json_text(described(tensors)) : std::string()));
  for (const auto& item : list) {
    const std::string name = item.at("name");
    const auto type = static_cast<torch::ScalarType>(item.at("type").get<int>());
    torch::Tensor tensor = is_first() ? tensors.at(name).to(torch::kCPU).contiguous()
                                      : torch::empty(item.at("shape").get<std::vector<std::int64_t>>(),
                                                     torch::TensorOptions(type));
    if (tensor.numel() > 0) group_->broadcast(tensor.view(-1).view(torch::kUInt8));
    taken[name] = tensor;
  }
  return taken;
}

void Ranks::copy_from_first(const std::vector<torch::Tensor>& tensors) const {
  if (!group_ || tensors.empty()) return;
  const at::NoGradGuard no_grad;
  std::vector<torch::Tensor> flat;
  for (const torch::Tensor& tensor : tensors) flat.push_back(tensor.flatten());
  const torch::Tensor together = torch::cat(flat);
  group_->broadcast(together);
  std::int64_t offset = 0;
  for (const torch::Tensor& tensor : tensors) {
    tensor.copy_(together.narrow(0, offset, tensor.numel()).view(tensor.sizes()));
    offset += tensor.numel();
  }
}

void Ranks::tell_times(double* times) const {
  if (!is_first()) return;
  times[0] = own_.clock();
  times[1] = own_.wall_clock();
}

void Ranks::take_times(const double* times) {
  agreed_->clock = times[0];
  agreed_->wall_clock = times[1];
}

void Ranks::tell_signal(double* counts) const { count_signal(own_.stop_signal, counts); }

void Ranks::take_signal(const double* counts) { agreed_->signal = first_signal(counts); }

}  // namespace glidepath
