// src/loop/run.cpp - the parts of a run, as what happens in it sees them.
#include "loop/run.h"

#include <torch/types.h>

#include "loop/divergence.h"

namespace glidepath {
namespace {

constexpr std::int64_t kUpdatesOfStatus = 50;

}  // namespace

double Run::epochs() const {
  return static_cast<double>(glide.step()) / static_cast<double>(feed.steps_per_epoch());
}

bool Run::is_finite() const { return !ranks.any(!first_not_finite(model, optimizer.state()).empty()); }

void Run::require_finite() const {
  const std::string where = first_not_finite(model, optimizer.state());
  if (ranks.any(!where.empty())) throw Diverged{glide.step(), tally.lr(), tally.last_loss(), where};
}

nlohmann::ordered_json Run::moment(const char* kind) const {
  return {{"kind", kind}, {"step", glide.step()}, {"epoch", epochs()}, {"progress", glide.progress()}};
}

void Run::record(const char* kind, double loss, double accuracy) const {
  auto line = moment(kind);
  line.update({{"lr", tally.lr()}, {"loss", loss}, {"accuracy", accuracy}, {"seconds", seconds_spent()}});
  log.directory().append_metrics(line);
}

TrainStatus Run::status(const Evaluation& tested) const {
  TrainStatus status;
  const auto mean = tally.mean(kUpdatesOfStatus);
  status.step = glide.step();
  status.updates = glide.updates();
  status.epoch = epochs();
  status.progress = glide.progress();
  status.lr = tally.lr();
  status.loss = mean.loss;
  status.accuracy = mean.accuracy;
  status.test_loss = tested.loss;
  status.test_accuracy = tested.accuracy;
  status.on_val = dataset.has_val();
  status.seconds = seconds_spent();
  status.seconds_left = glide.seconds_left();
  status.images_per_second = tally.images_per_second();
  return status;
}

}  // namespace glidepath
