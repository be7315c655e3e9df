// src/loop/logbook.h - where a run writes, and the parts of it that checkpoints keep.
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "loop/stateful.h"
#include "run/run_directory.h"

namespace glidepath {

/// A run's directory, and the list of what has to be saved for it to go on.
class Logbook {
 public:
  RunDirectory& directory() { return directory_; }
  const RunDirectory& directory() const { return directory_; }
  void open(RunDirectory directory) { directory_ = std::move(directory); }

  /// From here on `part`, which outlives this, is in checkpoints. Parts are read back in the order in which
  /// they were named here.
  void keep(Stateful& part) { parts_.push_back(&part); }

  /// All that there is to be saved now. The tensors are the live ones.
  Saved content() const {
    Saved saved;
    for (const Stateful* part : parts_) part->save(saved);
    directory_.describe(saved.state);
    return saved;
  }
  /// Every part becomes what it was. Throws InputError for what does not fit.
  void restore(const Saved& saved) {
    for (Stateful* part : parts_) part->load(saved);
    directory_.go_on_from(saved.state);
  }

 private:
  RunDirectory directory_;
  std::vector<Stateful*> parts_;
};

}  // namespace glidepath
