// src/schedule/schedule_table.h - what a schedule is: its words, its arguments and its formula, as one table
// entry.
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "glidepath/plateau.h"
#include "glidepath/schedule.h"
#include "schedule/schedule_text.h"

namespace glidepath {

/// The part of a run that a warm-up leaves, and which a schedule's own formula covers.
struct Stretch {
  double warmup = 0;   ///< share of the run before it, in [0, 1)
  double updates = 0;  ///< in it; 0 when unknown
};

/// Factor at progress u on the stretch, both in [0, 1].
using Curve = std::function<double(double u, const Stretch& stretch)>;

/// What a schedule does with the warm-up that every schedule takes.
struct WarmupRule {
  double share = 0;                  ///< without warmup= in the text
  bool allowed = true;               ///< false for one that rises by itself
  const char* needed_for = nullptr;  ///< why it cannot be 0; null where it can
};

struct ScheduleEntry {
  ScheduleInfo info;
  /// Takes the schedule's own arguments out of the call, each with its default and range, and gives the
  /// formula. The context is null while only the text is checked: values of the run are then not there to be
  /// asked for.
  std::function<Curve(ScheduleCall& call, const ScheduleContext* context)> make;
  WarmupRule warmup = {};
  /// Only for what follows the loss in place of progress; `make` is then empty.
  std::function<PlateauOptions(ScheduleCall& call)> make_plateau = {};
};

/// Every schedule, in the order of docs/schedules.md. A new one is one entry here.
const std::vector<ScheduleEntry>& schedule_table();

/// The entry of a name in text; step-dN is found as step-d2. Null when there is none.
const ScheduleEntry* find_schedule(const std::string& name);

/// `value` of the run where it is known; refuses the call, naming what it needs, where it is not.
double needed(const ScheduleCall& call, double value, const char* what);

/// `given` as a share of the budget, where it may be a length too: 5%, 0.05, 500it, 2ep. Notes it under `key`
/// where it is not `fallback`. 0 for a length while the context is null.
double share_or_length(ScheduleCall& call, const std::string& key, const std::string& given, double fallback,
                       const ScheduleContext* context);

/// x, or the whole number that it misses by rounding errors alone: a drop that falls on an update falls on
/// that one, not on the next.
double snapped(double x);

}  // namespace glidepath
