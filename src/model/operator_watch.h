// src/model/operator_watch.h - the operators of a forward pass, seen one by one.
#pragma once
#include <ATen/record_function.h>

namespace glidepath {

/// While it lives, told of every operator that this thread begins and ends; those that operators call too.
/// One at a time in a thread.
class OperatorWatch {
 public:
  OperatorWatch();
  virtual ~OperatorWatch();
  OperatorWatch(const OperatorWatch&) = delete;
  OperatorWatch& operator=(const OperatorWatch&) = delete;

 private:
  /// Inputs are there in both, outputs in the latter. What these call is not watched.
  virtual void begun(const at::RecordFunction& /*function*/) {}
  virtual void ended(const at::RecordFunction& function) = 0;

  at::CallbackHandle handle_;
};

}  // namespace glidepath
