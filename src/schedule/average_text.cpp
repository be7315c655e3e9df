// src/schedule/average_text.cpp - averages of weights as text.
#include "schedule/average_text.h"

#include <cmath>

#include "schedule/schedule_text.h"

namespace glidepath {

AverageText AverageText::parse(const std::string& text) {
  ScheduleCall call = ScheduleCall::parse(text);
  call.show_bare(true);
  AverageText average;
  if (call.name() == "ema") {
    average.kind = Kind::kExponential;
    average.horizon = call.share("horizon", average.horizon);
    if (!(average.horizon > 0))
      call.refuse("horizon must be a share of the budget above 0, for example ema(10%)");
  } else if (call.name() == "lawa") {
    average.kind = Kind::kLatest;
    const double states = call.number("states", static_cast<double>(average.states), 1, kMostStates);
    if (states != std::floor(states)) call.refuse("states must be a whole number, for example lawa(5,2%)");
    average.states = static_cast<std::int64_t>(states);
    average.apart = call.share("apart", average.apart);
    if (!(average.apart > 0))
      call.refuse("apart must be a share of the budget above 0, for example lawa(5,2%)");
  } else if (call.name() != "none") {
    call.refuse("must be none, ema(HORIZON) or lawa(STATES,APART), for example ema(10%) or lawa(5,2%)");
  }
  call.require_all_taken();
  average.canonical = call.canonical();
  return average;
}

}  // namespace glidepath
