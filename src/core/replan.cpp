// src/core/replan.cpp - a budget that is changed on the way.
#include "glidepath/replan.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "glidepath/budget.h"
#include "glidepath/error.h"

namespace glidepath {

Replan parse_replan(std::string_view text) {
  for (const Replan replan : {Replan::kReAnneal, Replan::kRewind}) {
    if (text == to_string(replan)) return replan;
  }
  throw InputError(fmt::format(
      "\"{}\": must be re-anneal (go on from the present rate) or rewind (back to where both budgets agree)",
      text));
}

const char* to_string(Replan replan) { return replan == Replan::kReAnneal ? "re-anneal" : "rewind"; }

double progress_from(const ProgressOrigin& origin, std::int64_t step, std::int64_t updates) {
  if (!(origin.progress >= 0 && origin.progress <= 1))
    throw InputError(fmt::format("progress {} is not in [0, 1]", origin.progress));
  if (origin.step < 0 || step < origin.step)
    throw InputError(fmt::format("step {}: must not be before {}, where the budget was changed", step,
                                 std::max<std::int64_t>(0, origin.step)));
  const double share = progress_at(step - origin.step, updates - origin.step);
  return std::min(1.0, origin.progress + (1 - origin.progress) * share);
}

std::int64_t shared_updates(const Schedule& first, std::int64_t first_updates, const Schedule& second,
                            std::int64_t second_updates) {
  const std::int64_t shorter = std::min(first_updates, second_updates);
  for (std::int64_t step = 0; step < shorter; ++step) {
    const double a = first(progress_at(step, first_updates)), b = second(progress_at(step, second_updates));
    // Rounding differs where a share of two budgets is the same count.
    if (std::abs(a - b) > 1e-12 * std::max(std::abs(a), std::abs(b))) return step;
  }
  return shorter;
}

}  // namespace glidepath
