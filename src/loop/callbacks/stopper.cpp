// src/loop/callbacks/stopper.cpp - a run that a signal stops.
#include "loop/callbacks/stopper.h"

#include <fmt/format.h>

#include "core/safe_text.h"
#include "glidepath/error.h"

namespace glidepath {

void Stopper::stop_if_asked() {
  if (const int signal = run_.ranks.stop_signal(); signal != 0) stop_for(signal);
}

void Stopper::stop_at_once_if_asked() {
  if (const int signal = run_.ranks.stop_signal_at_once(); signal != 0) stop_for(signal);
}

void Stopper::agree_and_stop_if_asked() {
  run_.ranks.agree();
  stop_if_asked();
}

void Stopper::stop_for(int signal) {
  RunDirectory& directory = run_.log.directory();
  if (run_.is_finite()) {
    const Saved saved = run_.log.content();
    directory.save_checkpoint_somewhere(saved.tensors, saved.state);
  }
  throw Interrupted(
      directory.writes()
          ? fmt::format("stopped at update {}; go on with: glidepath train --resume {}", run_.glide.step(),
                        shell_word(directory.path().string()))
          : fmt::format("stopped at update {}; nothing was kept, as there was no --out", run_.glide.step()),
      signal);
}

}  // namespace glidepath
