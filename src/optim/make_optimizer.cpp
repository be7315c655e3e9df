// src/optim/make_optimizer.cpp - optimizers by name, their options checked.
#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/optimizer_names.h"
#include "core/wildcard.h"
#include "core/words.h"
#include "glidepath/error.h"
#include "glidepath/optimizer.h"
#include "optim/adagrad.h"
#include "optim/adam.h"
#include "optim/muon.h"
#include "optim/optimizer_parts.h"
#include "optim/schedule_free.h"
#include "optim/sgd.h"

namespace glidepath {
namespace {

// Written so that NaN is out of range too.
void check_share(const char* name, double value) {
  if (!(value >= 0 && value < 1))
    throw InputError(fmt::format("optimizer's {} \"{}\": must be in [0, 1)", name, value));
}

void check_name(const char* key, const std::string& name) {
  const auto& names = optimizer_names();
  if (std::find(names.begin(), names.end(), name) != names.end()) return;
  throw InputError(fmt::format("{} \"{}\": must be one of {}", key, name, fmt::join(names, ", ")));
}

void check_not_negative(const char* key, const OptimizerOptions::ByName<double>& list) {
  for (const auto& [pattern, value] : list) {
    if (!(value >= 0)) throw InputError(fmt::format("{} \"{}={}\": must be at least 0", key, pattern, value));
  }
}

void check(const OptimizerOptions& options) {
  check_name("optimizer", options.name);
  for (const auto& item : options.optimizer_of) check_name("optimizer_of", item.second);
  check_not_negative("lr_scale", options.lr_scale);
  for (const auto& [pattern, share] : options.lr_until) {
    if (!(share > 0 && share <= 1))
      throw InputError(
          fmt::format("lr_until \"{}={}\": must be a share of the budget in (0, 1]", pattern, share));
  }
  check_not_negative("weight_decay_of", options.weight_decay_of);
  check_share("muon_momentum", options.muon_momentum);
  if (options.muon_steps < 1)
    throw InputError(fmt::format("optimizer's muon_steps \"{}\": must be at least 1", options.muon_steps));
  check_share("momentum", options.momentum);
  check_share("beta1", options.beta1);
  check_share("beta2", options.beta2);
  check_share("rmsprop_alpha", options.rmsprop_alpha);
  if (options.name == "sgd" && options.nesterov && options.momentum == 0)
    throw InputError("optimizer's momentum \"0\": must be above 0 for nesterov");
  const auto uses = [&](const char* name) {
    return options.name == name || std::any_of(options.optimizer_of.begin(), options.optimizer_of.end(),
                                               [&](const auto& item) { return item.second == name; });
  };
  if (uses("schedule-free-sgd") && options.momentum == 0)
    throw InputError("optimizer's momentum \"0\": must be above 0 for schedule-free-sgd");
  if (uses("schedule-free-adamw") && options.beta1 == 0)
    throw InputError("optimizer's beta1 \"0\": must be above 0 for schedule-free-adamw");
  if (!(options.weight_decay >= 0))
    throw InputError(
        fmt::format("optimizer's weight_decay \"{}\": must be at least 0", options.weight_decay));
  if (options.eps && !(*options.eps > 0))
    throw InputError(fmt::format("optimizer's eps \"{}\": must be above 0", *options.eps));
}

void check(const NamedTensors& parameters) {
  if (parameters.empty()) throw InputError("optimizer: is given no parameters");
  std::set<std::string> names;
  for (const auto& [name, parameter] : parameters) {
    if (!names.insert(name).second)
      throw InputError(fmt::format("optimizer's parameter \"{}\": is given twice", name));
    if (!parameter.defined() || !parameter.is_floating_point() || !parameter.is_leaf())
      throw InputError(
          fmt::format("optimizer's parameter \"{}\": must be a floating-point tensor, and a leaf", name));
  }
}

/// What is said of parameters by patterns of their names.
template <typename Value>
class Chosen {
 public:
  using List = OptimizerOptions::ByName<Value>;
  Chosen(const char* key, const List& list) : key_(key), list_(list) {}

  std::optional<Value> of(const std::string& name) const {
    for (const auto& [pattern, value] : list_) {
      if (fits_pattern(name, pattern)) return value;
    }
    return std::nullopt;
  }
  void require_used(const std::vector<std::string>& names) const {
    for (const auto& item : list_) require_fit(key_, item.first, names);
  }

 private:
  const char* key_;
  const List& list_;
};

/// Muon makes matrices orthogonal: what is none is left to SGD, unless it was asked for by name.
std::string rule_for(const std::optional<std::string>& asked, const std::string& usual,
                     const std::string& name, const torch::Tensor& parameter) {
  const std::string rule = asked.value_or(usual);
  if (rule != "muon" || parameter.dim() > 1) return rule;
  if (asked)
    throw InputError(fmt::format(
        "optimizer_of \"muon\": {} has one dimension, and muon is for matrices and filters", name));
  return "sgd";
}

std::unique_ptr<UpdateRule> make_rule(const std::string& name, const OptimizerOptions& options) {
  if (name == "sgd") return std::make_unique<Sgd>(SgdOptions{options.momentum, options.nesterov});
  if (name == "schedule-free-sgd" || name == "schedule-free-adamw") {
    const bool adaptive = name == "schedule-free-adamw";
    ScheduleFreeOptions made;
    made.adaptive = adaptive;
    made.momentum = adaptive ? options.beta1 : options.momentum;
    made.beta2 = options.beta2;
    made.eps = options.eps.value_or(made.eps);
    return std::make_unique<ScheduleFree>(made);
  }
  if (name == "muon") {
    return std::make_unique<Muon>(
        MuonOptions{options.muon_momentum, options.nesterov, options.muon_steps, options.muon_normalised});
  }
  if (name == "adagrad")
    return std::make_unique<Adagrad>(AdagradOptions{options.eps.value_or(AdagradOptions().eps)});
  if (name == "rmsprop") {
    return std::make_unique<RMSprop>(
        RMSpropOptions{options.rmsprop_alpha, options.eps.value_or(RMSpropOptions().eps)});
  }
  AdamOptions adam;
  adam.variant = name == "adamw"     ? AdamVariant::kAdamW
                 : name == "amsgrad" ? AdamVariant::kAmsgrad
                                     : AdamVariant::kAdam;
  adam.beta1 = options.beta1;
  adam.beta2 = options.beta2;
  adam.eps = options.eps.value_or(adam.eps);
  return std::make_unique<Adam>(adam);
}

}  // namespace

const std::vector<std::string>& optimizer_names() { return known_optimizers(); }

std::unique_ptr<Optimizer> make_optimizer(const OptimizerOptions& options, const NamedTensors& parameters) {
  check(options);
  check(parameters);
  auto parts = std::make_unique<Optimizer::Parts>();
  std::map<std::string, const UpdateRule*> rules;
  const Chosen<double> scales("lr_scale", options.lr_scale), landings("lr_until", options.lr_until),
      decays("weight_decay_of", options.weight_decay_of);
  const Chosen<std::string> optimizers("optimizer_of", options.optimizer_of);
  for (const auto& [name, parameter] : parameters) {
    Optimizer::Parts::Updated slot;
    slot.name = name;
    slot.parameter = parameter;
    const bool decayed = options.decay_norm_bias || parameter.dim() > 1;
    slot.weight_decay = decays.of(name).value_or(decayed ? options.weight_decay : 0.0);
    slot.lr_scale = scales.of(name).value_or(1.0);
    slot.lr_until = landings.of(name).value_or(1.0);
    const std::string rule = rule_for(optimizers.of(name), options.name, name, parameter);
    if (rules.count(rule) == 0) {
      parts->rules.push_back(make_rule(rule, options));
      rules[rule] = parts->rules.back().get();
    }
    slot.rule = rules[rule];
    parts->slots.push_back(std::move(slot));
  }
  std::vector<std::string> names;
  for (const auto& item : parameters) names.push_back(item.first);
  scales.require_used(names);
  landings.require_used(names);
  decays.require_used(names);
  optimizers.require_used(names);
  return std::unique_ptr<Optimizer>(new Optimizer(std::move(parts)));
}

}  // namespace glidepath
