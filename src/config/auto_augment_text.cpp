// src/config/auto_augment_text.cpp - random changes of training images as text.
#include "config/auto_augment_text.h"

#include <cmath>

#include "schedule/schedule_text.h"

namespace glidepath {
namespace {

int whole(ScheduleCall& call, const char* key, int fallback, int least, int most) {
  const double value = call.number(key, fallback, least, most);
  if (value != std::floor(value))
    call.refuse(std::string(key) + " must be a whole number, for example rand(2,9)");
  return static_cast<int>(value);
}

}  // namespace

AutoAugmentText AutoAugmentText::parse(const std::string& text) {
  constexpr int kMostOperators = 14, kMostMagnitude = 30;
  ScheduleCall call = ScheduleCall::parse(text);
  call.show_bare(true);
  AutoAugmentText change;
  if (call.name() == "rand") {
    change.kind = Kind::kRand;
    change.operators = whole(call, "num_ops", change.operators, 1, kMostOperators);
    change.magnitude = whole(call, "magnitude", change.magnitude, 0, kMostMagnitude);
  } else if (call.name() == "trivial") {
    change.kind = Kind::kTrivial;
  } else if (call.name() != "none") {
    call.refuse("must be none, trivial or rand(NUM_OPS,MAGNITUDE), for example rand(2,9)");
  }
  call.require_all_taken();
  change.canonical = call.canonical();
  return change;
}

}  // namespace glidepath
