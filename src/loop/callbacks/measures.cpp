// src/loop/callbacks/measures.cpp - the moments at which a run asks its instruments.
#include "loop/callbacks/measures.h"

#include <algorithm>
#include <cmath>
#include <string>

#include <fmt/format.h>

#include "config/measure_text.h"
#include "core/blame.h"
#include "glidepath/error.h"

namespace glidepath {
namespace {

bool any_of(const std::vector<bool>& flags) {
  return std::find(flags.begin(), flags.end(), true) != flags.end();
}

}  // namespace

Measures::Measures(Run& run, EndingCost& ending, Stopper& stopper)
    : run_(run), ending_(ending), stopper_(stopper) {
  const std::vector<MeasureItem> items = parse_measures(run.config.measure);
  for (const MeasureItem& item : items) {
    cadences_.push_back(item.every ? blame("measure", [&] { return Cadence(*item.every, run.context); })
                                   : Cadence::points(item.points));
  }
  states_.resize(items.size());
  if (items.empty()) return;
  if (!run.options.measurer) {
    throw InputError(
        fmt::format("measure \"{}\": this program has no instruments; give TrainOptions::measurer those of "
                    "glidepath/measure.h",
                    run.config.measure));
  }
  if (run.ranks.is_first())
    measurer_ = run.options.measurer({run.config, run.data.set, run.plan, *run.optimizer, *run.model,
                                      *run.task, run.context.steps_per_epoch});
}

void Measures::estimate() {
  if (measurer_) ending_.measuring_takes(measurer_->seconds(std::vector<bool>(cadences_.size(), true)));
}

double Measures::seconds_of(std::int64_t updates) const {
  std::int64_t moments = 0;
  for (const Cadence& cadence : cadences_) moments = std::max(moments, cadence.moments(updates));
  return static_cast<double>(moments) * ending_.measuring();
}

void Measures::start_anew() {
  for (std::size_t i = 0; i < states_.size(); ++i)
    states_[i].done = run_.glide.step() == 0 ? 0 : moments_passed(i);
}

// The first one is the start.
std::int64_t Measures::moments_passed(std::size_t measure) const {
  return 1 + cadences_[measure].passed(run_.glide.step(), run_.glide.progress());
}

std::vector<bool> Measures::due() const {
  std::vector<bool> due;
  for (std::size_t i = 0; i < states_.size(); ++i) due.push_back(moments_passed(i) > states_[i].done);
  return due;
}

void Measures::pass(const std::vector<bool>& which) {
  for (std::size_t i = 0; i < which.size(); ++i) {
    if (which[i]) states_[i].done = moments_passed(i);
  }
}

bool Measures::is_due(RunView& /*view*/) {
  if (states_.empty() || run_.glide.done()) return false;
  const std::vector<bool> which = due();
  if (!any_of(which)) return false;
  const bool is_late =
      run_.glide.step() > 0 && !run_.glide.has_time_for(ending_.measuring(), run_.seconds_spent());
  if (is_late) pass(which);
  return !is_late;
}

void Measures::act(RunView& /*view*/) {
  take(due());
  if (!run_.ranks.is_first() || run_.glide.step() > 0 || run_.glide.has_time_for(0, run_.seconds_spent()))
    return;
  throw RunError(
      fmt::format("budget \"{}\": nothing is left for training after a first measuring of {:.1f} s, "
                  "and the last needs as much; give at least {:.0f}s, or measure less",
                  run_.config.budget, ending_.measuring(),
                  std::ceil(2 * (run_.seconds_spent() + run_.glide.seconds_kept_back()))));
}

void Measures::at_end(RunView& /*view*/) {
  if (states_.empty()) return;
  std::vector<bool> missing;
  for (const MeasureState& state : states_) missing.push_back(state.step != run_.glide.step());
  if (run_.ranks.first_says(any_of(missing))) take(missing);
}

void Measures::take(const std::vector<bool>& which) {
  const DataWatch::MayStop here(run_.data.watch);
  const double begun = run_.ranks.now(), lr = run_.glide.lr();
  nlohmann::ordered_json fields;
  if (measurer_) fields = measurer_->take(which, lr, [this] { stopper_.stop_at_once_if_asked(); });
  run_.ranks.agree();  // a signal is then seen by all
  pass(which);
  for (std::size_t i = 0; i < which.size(); ++i) {
    if (which[i]) states_[i].step = run_.glide.step();
  }
  const bool is_all = std::find(which.begin(), which.end(), false) == which.end();
  if (is_all) ending_.measuring_took(run_.ranks.now() - begun);
  if (fields.empty()) return;  // before the first pair of gradients, for example
  auto record = run_.moment("measure");
  record["lr"] = lr;
  record.update(fields);
  record["seconds"] = run_.seconds_spent();
  run_.log.directory().append_metrics(record);
}

void Measures::save(Saved& saved) const {
  saved.state.put(Kept{states_});
  if (!measurer_) return;
  for (const auto& [name, tensor] : measurer_->state()) saved.tensors[kMeasurePrefix + name] = tensor;
}

void Measures::load(const Saved& saved) {
  states_ = saved.state.get<Kept>().of;
  states_.resize(cadences_.size());
  if (!measurer_) return;
  TensorMap own;
  const std::string prefix = kMeasurePrefix;
  for (const auto& [name, tensor] : saved.tensors) {
    if (name.compare(0, prefix.size(), prefix) == 0) own[name.substr(prefix.size())] = tensor;
  }
  measurer_->set_state(own);
}

}  // namespace glidepath
