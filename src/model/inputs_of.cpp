// src/model/inputs_of.cpp - what a model takes of a batch.
#include <algorithm>

#include "glidepath/model.h"

namespace glidepath {

Values inputs_of(const Model& model, const Batch& batch) {
  Values inputs = batch.inputs;
  const std::size_t wanted = model.inputs_wanted();
  if (wanted <= inputs.size()) return inputs;
  const std::size_t more = std::min(wanted - inputs.size(), batch.targets.size());
  inputs.insert(inputs.end(), batch.targets.begin(),
                batch.targets.begin() + static_cast<std::ptrdiff_t>(more));
  return inputs;
}

}  // namespace glidepath
