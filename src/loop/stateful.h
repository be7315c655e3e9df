// src/loop/stateful.h - what has to be saved for a run to go on where it stopped.
#pragma once
#include "glidepath/safetensors.h"
#include "run/state_map.h"

namespace glidepath {

/// The content of a checkpoint.
struct Saved {
  StateMap state;
  TensorMap tensors;
};

/// A part of a run that writes its own keys into checkpoints, and reads them back. What is no tensor is a
/// struct with `fields`, which it alone puts in and takes out; the list of these structs is
/// for_each_kept() in session/kept_parts.h, which is how all are checked before any part is changed.
class Stateful {
 public:
  virtual ~Stateful() = default;
  /// The tensors are the live ones.
  virtual void save(Saved& saved) const = 0;
  /// Throws InputError for what does not fit. All of a checkpoint's content is there, whatever part wrote it.
  virtual void load(const Saved& saved) = 0;
};

}  // namespace glidepath
