// src/model/freeze.cpp - parameters that are not trained.
#include <algorithm>

#include <fmt/format.h>
#include <torch/types.h>

#include "core/wildcard.h"
#include "glidepath/error.h"
#include "glidepath/model.h"

namespace glidepath {

void freeze(Model& model, const std::vector<std::string>& patterns) {
  const NamedTensors parameters = model.named_parameters();
  std::vector<std::string> names;
  for (const auto& item : parameters) names.push_back(item.first);
  for (const std::string& pattern : patterns) require_fit("freeze", pattern, names);
  bool is_any_trained = false;
  for (auto [name, parameter] : parameters) {
    const bool is_frozen = std::any_of(patterns.begin(), patterns.end(), [&](const std::string& pattern) {
      return fits_pattern(name, pattern);
    });
    if (is_frozen) parameter.set_requires_grad(false);
    is_any_trained = is_any_trained || parameter.requires_grad();
  }
  if (!is_any_trained)
    throw InputError(fmt::format(
        "freeze: all {} parameters are frozen; leave some to be trained, as the head", parameters.size()));
}

}  // namespace glidepath
