// src/model/operator_watch.cpp - the operators of a forward pass, seen one by one.
#include "model/operator_watch.h"

#include <memory>

namespace glidepath {
namespace {

// The callbacks of LibTorch are plain functions.
thread_local OperatorWatch* active = nullptr;

}  // namespace

OperatorWatch::OperatorWatch() {
  active = this;
  const auto began = [](const at::RecordFunction& function) -> std::unique_ptr<at::ObserverContext> {
    const at::RecordFunctionGuard off(false);
    active->begun(function);
    return nullptr;
  };
  const auto over = [](const at::RecordFunction& function, at::ObserverContext*) {
    const at::RecordFunctionGuard off(false);
    active->ended(function);
  };
  handle_ = at::addThreadLocalCallback(at::RecordFunctionCallback(began, over)
                                           .needsInputs(true)
                                           .needsOutputs(true)
                                           .scopes({at::RecordScope::FUNCTION}));
}

OperatorWatch::~OperatorWatch() {
  at::removeCallback(handle_);
  active = nullptr;
}

}  // namespace glidepath
