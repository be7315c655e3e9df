// src/loop/callbacks/averager.cpp - an average of the weights on the way.
#include "loop/callbacks/averager.h"

#include <string>
#include <utility>

namespace glidepath {
namespace {

const std::string kPrefix = "average.";

}  // namespace

Averager::Averager(Run& run) : run_(run), average_(make_weight_average(run.config.average)) {}

void Averager::after_update(RunView& /*view*/) {
  if (average_) average_->see(named_parameters(*run_.model), run_.glide.progress());
}

TensorMap Averager::weights() const { return average_ ? average_->average() : TensorMap(); }

void Averager::save(Saved& saved) const {
  if (!average_) return;
  for (const auto& [name, tensor] : average_->state()) saved.tensors[kPrefix + name] = tensor;
}

// A run that has made no update yet has an average of none.
void Averager::load(const Saved& saved) {
  if (!average_) return;
  TensorMap own;
  for (auto it = saved.tensors.lower_bound(kPrefix); it != saved.tensors.end(); ++it) {
    if (it->first.compare(0, kPrefix.size(), kPrefix) != 0) break;
    own[it->first.substr(kPrefix.size())] = it->second;
  }
  auto average = make_weight_average(run_.config.average);
  if (!own.empty()) average->set_state(own, named_parameters(*run_.model));
  average_ = std::move(average);
}

}  // namespace glidepath
