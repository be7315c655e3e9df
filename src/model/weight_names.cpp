// src/model/weight_names.cpp - weights as programs that wrap or store a model call them.
#include "model/weight_names.h"

#include <algorithm>
#include <set>
#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <torch/types.h>

#include "glidepath/error.h"

namespace glidepath {
namespace {

constexpr std::string_view kWrappers[] = {"module", "_orig_mod"};  // anywhere in a name
constexpr std::string_view kHolders[] = {"state_dict", "model"};   // at its beginning
constexpr std::string_view kCount = "num_batches_tracked";

template <typename Names>
bool is_one_of(std::string_view part, const Names& names) {
  return std::find(std::begin(names), std::end(names), part) != std::end(names);
}

struct Unwrapped {
  std::string name;
  std::set<std::string> dropped;
};

/// "model.module.conv1.weight" -> "conv1.weight".
Unwrapped unwrapped(std::string_view stored) {
  Unwrapped found;
  bool begins = true;
  while (true) {
    const std::size_t dot = stored.find('.');
    const std::string_view part = stored.substr(0, dot);
    const bool is_last = dot == std::string_view::npos;
    if (!is_last && (is_one_of(part, kWrappers) || (begins && is_one_of(part, kHolders)))) {
      found.dropped.insert(std::string(part) + ".");
    } else {
      begins = false;
      found.name += found.name.empty() ? "" : ".";
      found.name += part;
    }
    if (is_last) return found;
    stored.remove_prefix(dot + 1);
  }
}

bool is_count(std::string_view name) {
  return name.size() > kCount.size() && name.substr(name.size() - kCount.size()) == kCount;
}

std::string listed(const std::set<std::string>& names) {
  return fmt::format("\"{}\"", fmt::join(names, "\", \""));
}

/// Throws InputError for one that is missing and is no count.
std::size_t require_all(const TensorMap& own, const WeightNames& found) {
  std::size_t counts = 0;
  for (const auto& item : own) {
    if (found.stored_as.count(item.first) > 0) continue;
    if (!is_count(item.first))
      throw InputError(fmt::format("weights: \"{}\" is missing; they are of another model", item.first));
    ++counts;
  }
  return counts;
}

void require_finite(const std::string& name, const torch::Tensor& tensor) {
  if (!tensor.is_floating_point()) return;
  const auto bad = tensor.numel() - torch::isfinite(tensor).sum().item<std::int64_t>();
  if (bad == 0) return;
  throw InputError(
      fmt::format("weights: {} of the {} values of \"{}\" are no finite numbers (NaN or infinite), as those "
                  "of a run that has "
                  "diverged; give others",
                  bad, tensor.numel(), name));
}

std::vector<std::string> names_of(const TensorMap& stored) {
  std::vector<std::string> names;
  for (const auto& item : stored) names.push_back(item.first);
  return names;
}

/// Of every tensor of the model what the file has for it; of a count that it lacks, the model's own.
TensorMap renamed(const TensorMap& own, const TensorMap& stored, const WeightNames& found) {
  TensorMap given;
  for (const auto& [name, tensor] : own) {
    const auto at = found.stored_as.find(name);
    if (at == found.stored_as.end()) {
      given[name] = tensor;
      continue;
    }
    const torch::Tensor& its = stored.at(at->second);
    require_finite(at->second, its);
    // Some writers make lists of one of single numbers.
    given[name] = is_count(name) && its.numel() == 1 ? its.reshape(tensor.sizes()) : its;
  }
  return given;
}

bool is_other_head(const torch::Tensor& own, const torch::Tensor& stored, std::int64_t classes) {
  return own.dim() > 0 && own.dim() == stored.dim() && own.size(0) == classes && stored.size(0) != classes &&
         own.sizes().slice(1) == stored.sizes().slice(1);
}

}  // namespace

WeightNames match_weights(const TensorMap& own, const std::vector<std::string>& stored) {
  WeightNames found;
  std::set<std::string> dropped;
  std::vector<std::string> others;
  for (const std::string& name : stored) {
    const Unwrapped plain = own.count(name) > 0 ? Unwrapped{name, {}} : unwrapped(name);
    if (own.count(plain.name) == 0) {
      others.push_back(name);
      continue;
    }
    dropped.insert(plain.dropped.begin(), plain.dropped.end());
    const auto [at, is_new] = found.stored_as.emplace(plain.name, name);
    if (!is_new) {
      throw InputError(fmt::format("weights: \"{}\" and \"{}\" are both \"{}\"; keep one of them", at->second,
                                   name, plain.name));
    }
  }
  const std::size_t counts = require_all(own, found);
  if (!dropped.empty())
    found.notes.push_back(fmt::format("{} in front of the names passed over", listed(dropped)));
  // Within what holds the weights, one that is none of the model's says that they are of another.
  for (const std::string& other : others) {
    if (dropped.empty() || !unwrapped(other).dropped.empty())
      throw InputError(
          fmt::format("weights: \"{}\" is none of this model's; they are of another model", other));
  }
  if (!others.empty())
    found.notes.push_back(
        fmt::format("{} tensors beside the weights left out, as \"{}\"", others.size(), others.front()));
  if (counts > 0) found.notes.push_back(fmt::format("{} {} missing, which nothing reads", counts, kCount));
  return found;
}

std::vector<std::string> load_stored_weights(Model& model, const TensorMap& stored) {
  WeightNames found = match_weights(state_dict(model), names_of(stored));
  load_state_dict(model, renamed(state_dict(model), stored, found));
  return std::move(found.notes);
}

std::vector<BegunTensor> load_weights_to_begin_with(Model& model, const TensorMap& stored,
                                                    std::int64_t classes) {
  const TensorMap own = state_dict(model);
  const WeightNames found = match_weights(own, names_of(stored));
  TensorMap given = renamed(own, stored, found);
  std::vector<BegunTensor> begun;
  for (const auto& [name, tensor] : own) {
    const auto at = found.stored_as.find(name);
    torch::Tensor& its = given.at(name);
    begun.push_back(
        {name, tensor.sizes().vec(), at == found.stored_as.end() ? "" : at->second, its.sizes().vec()});
    if (is_other_head(tensor, its, classes)) its = tensor;
  }
  load_state_dict(model, given);
  return begun;
}

}  // namespace glidepath
