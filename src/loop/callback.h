// src/loop/callback.h - what happens in a run beside its updates.
#pragma once

namespace glidepath {

/// Something that happens now and then. Every rank has the same callbacks in the same order, and calls them
/// in it; collectives are allowed in all but is_due().
class Callback {
 public:
  virtual ~Callback() = default;

  /// Before the first update of a session.
  virtual void on_start() {}
  /// Asked once between two updates, of rank 0 alone: whether act() is to follow. May look at clock and disk.
  virtual bool is_due() { return false; }
  virtual void act() {}
  /// After every update.
  virtual void after_update() {}
  /// After the last one.
  virtual void at_end() {}
};

}  // namespace glidepath
