// python/src/glide.cpp - Glide for Python: its state is a dictionary of numbers and texts.
#include "glidepath/glide.h"

#include <cstdint>
#include <functional>
#include <nanobind/stl/function.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <optional>
#include <string>

#include <fmt/format.h>

#include "core/blame.h"
#include "glidepath/error.h"
#include "module.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace glidepath::python {
namespace {

constexpr int kStateVersion = 1;

using Dict = nb::typed<nb::dict, nb::str, nb::any>;

Dict to_dict(const GlideState& state) {
  nb::list changes;
  for (const BudgetChange& change : state.budget.changes) {
    nb::dict entry;
    entry["step"] = change.step;
    entry["from"] = change.from;
    entry["to"] = change.to;
    entry["how"] = change.how;
    entry["went_back_to"] = change.went_back_to;
    changes.append(entry);
  }
  Dict dict;
  dict["version"] = kStateVersion;
  dict["step"] = state.step;
  dict["seconds"] = state.seconds;
  dict["rate"] = state.rate;
  dict["budget"] = state.budget.budget;
  dict["schedule_updates"] = state.budget.schedule_updates;
  dict["origin_step"] = state.budget.origin.step;
  dict["origin_progress"] = state.budget.origin.progress;
  dict["clock_progress"] = state.budget.clock.progress;
  dict["clock_origin_progress"] = state.budget.clock.origin_progress;
  dict["clock_origin_seconds"] = state.budget.clock.origin_seconds;
  dict["clock_begun"] = state.budget.clock.begun;
  dict["plateau_factor"] = state.plateau.factor;
  dict["plateau_best"] = state.plateau.best;
  dict["plateau_best_progress"] = state.plateau.best_progress;
  dict["plateau_any"] = state.plateau.any;
  dict["changes"] = changes;
  return dict;
}

template <typename T>
T value_at(const nb::dict& dict, const char* key) {
  if (!dict.contains(key))
    throw InputError(fmt::format("a Glide's state: has no \"{}\"; it is not of a Glide", key));
  T value;
  if (!nb::try_cast(dict[key], value))
    throw InputError(fmt::format("a Glide's state: \"{}\" is {}; it is damaged", key,
                                 nb::cast<std::string>(nb::repr(dict[key]))));
  return value;
}

GlideState from_dict(const nb::dict& dict) {
  if (const auto version = value_at<std::int64_t>(dict, "version"); version != kStateVersion)
    throw InputError(
        fmt::format("a Glide's state: version {}; this glidepath reads {}", version, kStateVersion));
  GlideState state;
  state.step = value_at<std::int64_t>(dict, "step");
  state.seconds = value_at<double>(dict, "seconds");
  state.rate = value_at<double>(dict, "rate");
  BudgetState& budget = state.budget;
  budget.budget = value_at<std::string>(dict, "budget");
  budget.schedule_updates = value_at<std::int64_t>(dict, "schedule_updates");
  budget.origin = {value_at<std::int64_t>(dict, "origin_step"), value_at<double>(dict, "origin_progress")};
  budget.clock = {value_at<double>(dict, "clock_progress"), value_at<double>(dict, "clock_origin_progress"),
                  value_at<double>(dict, "clock_origin_seconds"), value_at<bool>(dict, "clock_begun")};
  state.plateau = {value_at<double>(dict, "plateau_factor"), value_at<double>(dict, "plateau_best"),
                   value_at<double>(dict, "plateau_best_progress"), value_at<bool>(dict, "plateau_any")};
  for (const nb::handle item : value_at<nb::list>(dict, "changes")) {
    nb::dict change;
    if (!nb::try_cast(item, change)) throw InputError("a Glide's state: a change of budget is damaged");
    budget.changes.push_back({value_at<std::int64_t>(change, "step"), value_at<std::string>(change, "from"),
                              value_at<std::string>(change, "to"), value_at<std::string>(change, "how"),
                              value_at<std::int64_t>(change, "went_back_to")});
  }
  return state;
}

GlideOptions options_of(const std::string& budget, const std::string& schedule, double base_lr,
                        std::optional<std::int64_t> steps_per_epoch, const std::optional<std::string>& full,
                        const std::optional<std::function<double()>>& clock) {
  GlideOptions options;
  options.budget = budget;
  options.schedule = schedule;
  options.base_lr = base_lr;
  if (steps_per_epoch) {
    if (*steps_per_epoch < 1)
      throw InputError(fmt::format("steps_per_epoch {}: must be 1 or more", *steps_per_epoch));
    options.context.steps_per_epoch = *steps_per_epoch;
  }
  if (full) options.context.full = blame("full", [&] { return parse_budget(*full); });
  if (clock) options.clock = *clock;
  return options;
}

}  // namespace

void bind_glide(nb::module_& module) {
  nb::class_<Glide>(module, "GlideBase", "What glidepath.Glide is built on.")
      .def(
          "__init__",
          [](Glide* self, const std::string& budget, const std::string& schedule, double base_lr,
             std::optional<std::int64_t> steps_per_epoch, const std::optional<std::string>& full,
             const std::optional<std::function<double()>>& clock) {
            new (self) Glide(options_of(budget, schedule, base_lr, steps_per_epoch, full, clock));
          },
          "budget"_a, "schedule"_a = "linear", "base_lr"_a = 1.0, nb::kw_only(),
          "steps_per_epoch"_a = nb::none(), "full"_a = nb::none(), "clock"_a = nb::none())
      .def_prop_ro("done", &Glide::done, "Whether no further update belongs to the budget.")
      .def_prop_ro("step", &Glide::step, "Updates made, earlier sessions included.")
      .def_prop_ro("updates", &Glide::updates, "Updates in the budget; 0 by a clock.")
      .def_prop_ro("by_clock", &Glide::by_clock, "Whether the budget is one in time.")
      .def_prop_ro("progress", &Glide::progress, "Spent / budget of the update about to be made, in [0, 1].")
      .def_prop_ro("factor", &Glide::factor, "What the schedule makes of the progress: lr / base_lr.")
      .def_prop_ro("lr", &Glide::lr, "The learning rate of the update about to be made.")
      .def_prop_ro("seconds_spent", &Glide::seconds_spent, "By this and earlier sessions.")
      .def_prop_ro("seconds_left", &Glide::seconds_left, "Estimated, until the last update ends.")
      .def_prop_ro("seconds_kept_back", &Glide::seconds_kept_back, "For what comes after the last update.")
      .def_prop_ro("updates_past_the_end", &Glide::updates_past_the_end,
                   "Made by this object although it was done.")
      .def_prop_ro("budget", &Glide::budget, "As text.")
      .def_prop_ro(
          "schedule", [](const Glide& glide) { return glide.schedule().text(); }, "As text.")
      .def("begin", &Glide::begin,
           "The first update begins now: what came before is not taken for its duration. Optional.")
      .def(
          "update", &Glide::update, "count"_a = 1,
          "An update has ended, or `count` of them: reads the clock. To be called after each optimizer step.")
      .def("update_done", &Glide::update_done, "seconds"_a,
           "For a loop with a clock of its own: an update took so long.")
      .def("tick", &Glide::tick, "spent_seconds"_a,
           "For a loop with a clock of its own: so much is spent in all.")
      .def("follow", &Glide::follow, "progress"_a, "done"_a,
           "For processes that act as one: what the one that reads the clock came to, told to each of them,\n"
           "itself too, after every update.")
      .def("observe_loss", &Glide::observe_loss, "mean"_a,
           "The training loss, which the plateau schedule follows.")
      .def(
          "keep_back",
          [](Glide& glide, double seconds, double writing) {
            glide.keep_back({seconds, writing});
          },
          "seconds"_a, "writing"_a = 0.0,
          "Seconds that the final evaluation takes, and `writing` that of the model: both belong to the "
          "budget.\n"
          "The evaluation is taken to grow slower where updates do.")
      .def(
          "replan",
          [](Glide& glide, const std::string& budget, const std::string& how) {
            return glide.replan(budget, parse_replan(how));
          },
          "budget"_a, "how"_a = "re-anneal",
          "Changes the budget and says what that means. \"re-anneal\": the rate goes on from where it is "
          "and\n"
          "lands where the new budget ends. \"rewind\": as if the new budget had been the first, while both "
          "have\n"
          "had the same rates; otherwise the InputError names the update to go back to.")
      .def("halve_rate", &Glide::halve_rate, "After a divergence: half the rate from here on.")
      .def(
          "state_dict", [](const Glide& glide) { return to_dict(glide.state()); },
          "All that a checkpoint must keep: numbers and texts.")
      .def(
          "load_state_dict",
          [](Glide& glide, const Dict& state, const std::string& how) {
            return glide.set_state(from_dict(state), parse_replan(how));
          },
          "state_dict"_a, "how"_a = "re-anneal",
          "Goes on where the state was taken. Where that was under another budget, the budget is changed as\n"
          "replan does it, and the sentence returned says what was done; it is empty otherwise.");
}

}  // namespace glidepath::python
