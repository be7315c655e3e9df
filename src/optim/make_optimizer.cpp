// src/optim/make_optimizer.cpp - optimizers by name, their options checked.
#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "glidepath/error.h"
#include "glidepath/optimizer.h"
#include "optim/adagrad.h"
#include "optim/adam.h"
#include "optim/sgd.h"

namespace glidepath {
namespace {

// Written so that NaN is out of range too.
void check_share(const char* name, double value) {
  if (!(value >= 0 && value < 1))
    throw InputError(fmt::format("optimizer's {} \"{}\": must be in [0, 1)", name, value));
}

void check(const OptimizerOptions& options) {
  const auto& names = optimizer_names();
  if (std::find(names.begin(), names.end(), options.name) == names.end()) {
    throw InputError(
        fmt::format("optimizer \"{}\": must be one of {}", options.name, fmt::join(names, ", ")));
  }
  check_share("momentum", options.momentum);
  check_share("beta1", options.beta1);
  check_share("beta2", options.beta2);
  check_share("rmsprop_alpha", options.rmsprop_alpha);
  if (options.name == "sgd" && options.nesterov && options.momentum == 0)
    throw InputError("optimizer's momentum \"0\": must be above 0 for nesterov");
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

}  // namespace

const std::vector<std::string>& optimizer_names() {
  static const std::vector<std::string> names = {"sgd", "adagrad", "rmsprop", "adam", "amsgrad", "adamw"};
  return names;
}

std::unique_ptr<Optimizer> make_optimizer(const OptimizerOptions& options, const NamedTensors& parameters) {
  check(options);
  check(parameters);
  const double decay = options.weight_decay;
  const bool decay_all = options.decay_norm_bias;
  if (options.name == "sgd")
    return std::make_unique<Sgd>(parameters,
                                 SgdOptions{options.momentum, options.nesterov, decay, decay_all});
  if (options.name == "adagrad")
    return std::make_unique<Adagrad>(
        parameters, AdagradOptions{options.eps.value_or(AdagradOptions().eps), decay, decay_all});
  if (options.name == "rmsprop")
    return std::make_unique<RMSprop>(
        parameters,
        RMSpropOptions{options.rmsprop_alpha, options.eps.value_or(RMSpropOptions().eps), decay, decay_all});
  AdamOptions adam;
  adam.variant = options.name == "adamw"     ? AdamVariant::kAdamW
                 : options.name == "amsgrad" ? AdamVariant::kAmsgrad
                                             : AdamVariant::kAdam;
  adam.beta1 = options.beta1;
  adam.beta2 = options.beta2;
  adam.eps = options.eps.value_or(adam.eps);
  adam.weight_decay = decay;
  adam.decay_norm_bias = decay_all;
  return std::make_unique<Adam>(parameters, adam);
}

}  // namespace glidepath
