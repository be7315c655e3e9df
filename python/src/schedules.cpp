// python/src/schedules.cpp - schedules and budgets for Python.
#include <cmath>
#include <cstdint>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>
#include <optional>
#include <string>
#include <tuple>

#include "glidepath/budget.h"
#include "glidepath/error.h"
#include "glidepath/replan.h"
#include "glidepath/schedule.h"
#include "module.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace glidepath::python {
namespace {

using Array = nb::ndarray<nb::numpy, double, nb::ndim<1>>;

/// A new array that owns its memory.
Array new_array(std::size_t size) {
  auto* values = new double[size];
  const nb::capsule owner(values, [](void* memory) noexcept { delete[] static_cast<double*>(memory); });
  return {values, {size}, owner};
}

ScheduleContext context_of(double updates, std::optional<std::int64_t> steps_per_epoch,
                           std::optional<double> full_updates, double base_lr) {
  ScheduleContext context;
  context.updates = updates;
  context.steps_per_epoch = static_cast<double>(steps_per_epoch.value_or(0));
  context.full_updates = full_updates.value_or(0);
  context.base_lr = base_lr;
  return context;
}

Array learning_rates(const std::string& text, std::int64_t updates, double base_lr,
                     std::optional<std::int64_t> steps_per_epoch, std::optional<double> full_updates) {
  if (updates < 1) throw InputError("updates " + std::to_string(updates) + ": must be 1 or more");
  const Schedule schedule =
      parse_schedule(text, context_of(static_cast<double>(updates), steps_per_epoch, full_updates, base_lr));
  Array rates = new_array(static_cast<std::size_t>(updates));
  for (std::int64_t step = 0; step < updates; ++step)
    rates.data()[step] = base_lr * schedule(progress_at(step, updates));
  return rates;
}

const char* name_of(BudgetUnit unit) {
  switch (unit) {
    case BudgetUnit::kIterations:
      return "updates";
    case BudgetUnit::kEpochs:
      return "epochs";
    case BudgetUnit::kPercent:
      return "percent";
    case BudgetUnit::kSeconds:
      return "seconds";
    case BudgetUnit::kFlops:
      return "flops";
    case BudgetUnit::kTokens:
      return "tokens";
  }
  return "";
}

nb::typed<nb::list, nb::typed<nb::dict, nb::str, nb::str>> schedules() {
  nb::typed<nb::list, nb::typed<nb::dict, nb::str, nb::str>> list;
  for (const ScheduleInfo& info : schedule_list()) {
    nb::dict entry;
    entry["name"] = info.name;
    entry["form"] = info.form;
    entry["formula"] = info.formula;
    entry["source"] = info.source;
    entry["example"] = info.example;
    entry["ends_at"] = info.ends_at;
    list.append(entry);
  }
  return list;
}

}  // namespace

void bind_schedules(nb::module_& module) {
  nb::class_<Schedule>(module, "Schedule",
                       "A function f(p) of progress p in [0, 1]; the learning rate is base_lr * f(p).")
      .def("__call__", &Schedule::operator(), "progress"_a,
           "The factor at `progress`. Raises InputError outside [0, 1], and for plateau, which follows the "
           "loss.")
      .def(
          "__call__",
          [](const Schedule& schedule,
             const nb::ndarray<const double, nb::ndim<1>, nb::c_contig, nb::device::cpu>& progress) {
            Array factors = new_array(progress.shape(0));
            for (std::size_t i = 0; i < progress.shape(0); ++i)
              factors.data()[i] = schedule(progress.data()[i]);
            return factors;
          },
          "progress"_a, "The factors at an array of float64, shape [n]; an array of the same shape.")
      .def_prop_ro("text", &Schedule::text, "The canonical text: schedule(text) is the same function.")
      .def("__repr__", [](const Schedule& schedule) { return "schedule(\"" + schedule.text() + "\")"; });

  module.def(
      "schedule",
      [](const std::string& text, std::optional<std::int64_t> updates,
         std::optional<std::int64_t> steps_per_epoch, std::optional<double> full_updates, double base_lr) {
        return parse_schedule(text, context_of(static_cast<double>(updates.value_or(0)), steps_per_epoch,
                                               full_updates, base_lr));
      },
      "text"_a, nb::kw_only(), "updates"_a = nb::none(), "steps_per_epoch"_a = nb::none(),
      "full_updates"_a = nb::none(), "base_lr"_a = 1.0,
      "Reads a schedule such as \"linear(warmup=5%)\" (docs/schedules.md).\n\n"
      "`updates`, `steps_per_epoch` and `full_updates` are needed by schedules that count in them\n"
      "(warmup=500it, warmup=1ep), `base_lr` by an absolute floor (min_lr=1e-5).\n"
      "Raises InputError saying what is wrong with the text.\n\n"
      ">>> import glidepath\n"
      ">>> glidepath.schedule(\"linear\")(0.25)\n"
      "0.75");
  module.def(
      "learning_rates", &learning_rates, "schedule"_a, "updates"_a, "base_lr"_a = 1.0, nb::kw_only(),
      "steps_per_epoch"_a = nb::none(), "full_updates"_a = nb::none(),
      "The rates of all updates of a budget: float64, shape [updates], base_lr * f(step / updates).\n\n"
      ">>> import glidepath\n"
      ">>> glidepath.learning_rates(\"linear\", updates=4, base_lr=0.1).tolist()\n"
      "[0.1, 0.07500000000000001, 0.05, 0.025]");
  module.def(
      "canonical_schedule", [](const std::string& text) { return canonical_schedule(text); }, "text"_a,
      "The canonical text of a schedule; raises InputError for what is none.");
  module.def(
      "schedule_label", [](const std::string& text) { return schedule_label(text); }, "text"_a,
      "A short name for tables and figures.");
  module.def("schedules", &schedules,
             "Every schedule: a list of dictionaries with name, form, formula, source, example and ends_at.");
  module.def(
      "parse_budget",
      [](const std::string& text) {
        const Budget budget = parse_budget(text);
        return std::tuple<std::string, double>(name_of(budget.unit), budget.amount);
      },
      "text"_a,
      "The unit (\"updates\", \"epochs\", \"percent\", \"seconds\" or \"flops\") and the amount of a "
      "budget.\n\n"
      ">>> import glidepath\n"
      ">>> glidepath.parse_budget(\"1h30m\")\n"
      "('seconds', 5400.0)");
  module.def(
      "updates_in",
      [](const std::string& budget, std::optional<std::int64_t> steps_per_epoch, const std::string& full) {
        BudgetContext context;
        context.steps_per_epoch = steps_per_epoch.value_or(0);
        context.full = parse_budget(full);
        return updates_in(resolve_percent(parse_budget(budget), context.full), context);
      },
      "budget"_a, nb::kw_only(), "steps_per_epoch"_a = nb::none(), "full"_a = "200ep",
      "The number of updates that a budget buys, at least 1. Raises InputError for one in time.\n\n"
      ">>> import glidepath\n"
      ">>> glidepath.updates_in(\"1%\", steps_per_epoch=391, full=\"200ep\")\n"
      "782");
}

}  // namespace glidepath::python
