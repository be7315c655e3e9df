// src/schedule/plateau.cpp - the learning rate lowered when the loss stops falling.
#include "glidepath/plateau.h"

namespace glidepath {

void Plateau::observe(double progress, double loss) {
  if (!state_.any ? loss == loss : loss < state_.best * (1 - options_.threshold)) {
    state_.best = loss;
    state_.best_progress = progress;
    state_.any = true;
    return;
  }
  // Differences of progress are off by rounding errors: patience must not end an update early for them.
  constexpr double kRounding = 1e-12;
  if (progress - state_.best_progress > options_.patience + kRounding) {
    state_.factor *= options_.factor;
    state_.best_progress = progress;
  }
}

}  // namespace glidepath
