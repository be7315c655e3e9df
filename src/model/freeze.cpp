// src/model/freeze.cpp - parameters that are not trained.
#include <algorithm>

#include <fmt/format.h>
#include <torch/types.h>

#include "core/safe_text.h"
#include "core/wildcard.h"
#include "core/words.h"
#include "glidepath/error.h"
#include "glidepath/model.h"

namespace glidepath {

void freeze(Model& model, const std::vector<std::string>& patterns) {
  const NamedTensors parameters = model.named_parameters();
  for (const std::string& pattern : patterns) {
    std::vector<std::string> names;
    bool is_used = false;
    for (const auto& [name, parameter] : parameters) {
      names.push_back(name);
      is_used = is_used || fits_pattern(name, pattern);
    }
    if (!is_used) {
      throw InputError(fmt::format("freeze \"{}\": fits none of the model's {} parameters; the nearest is {}",
                                   terminal_text(pattern), names.size(), words::nearest(pattern, names)));
    }
  }
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
