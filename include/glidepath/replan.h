// include/glidepath/replan.h - a budget that is changed on the way: what the schedule does from there.
#pragma once
#include <cstdint>
#include <string_view>

#include "glidepath/schedule.h"

namespace glidepath {

/// What a resumed run does with a schedule that was made for another budget.
///
/// kReAnneal  Nothing is thrown away: the rate goes on from where it is. What is left of the schedule, from
///            the progress reached to 1, is stretched (or squeezed) over what is left of the new budget. No
///            update has a rate that the schedule did not have at that progress or later, so the rate jumps
///            neither up nor down, falls wherever the schedule falls, and lands where the schedule lands.
/// kRewind    The run becomes the one that had the new budget from the start: it goes back to the last
///            checkpoint at which both schedules have had the same rates (shared_updates), and on from there.
enum class Replan { kReAnneal, kRewind };

/// Reads `re-anneal` or `rewind`. Throws InputError otherwise.
Replan parse_replan(std::string_view text);
const char* to_string(Replan replan);

/// Where the last change of the budget left a run: `progress` at `step` updates. A run whose budget was never
/// changed has both zero.
struct ProgressOrigin {
  std::int64_t step = 0;
  double progress = 0;
};

/// Progress of the update with index `step` of `updates`, evenly from the origin to the end:
/// p(s) = p0 + (1 - p0) (s - s0) / (T - s0). From the zero origin it is progress_at(step, updates) exactly.
/// Throws InputError unless 0 <= s0 <= step <= updates, s0 < updates and 0 <= p0 <= 1.
double progress_from(const ProgressOrigin& origin, std::int64_t step, std::int64_t updates);

/// How many updates, from the first, have the same rates in a run of `first_updates` under `first` as in one
/// of `second_updates` under `second` (the same text, parsed for each run's own budget): all of the shorter
/// one for const, up to the decay's beginning for wsd, up to the first drop for step, one for linear.
/// Throws InputError for a schedule that follows the loss.
std::int64_t shared_updates(const Schedule& first, std::int64_t first_updates, const Schedule& second,
                            std::int64_t second_updates);

}  // namespace glidepath
