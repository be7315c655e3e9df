// src/model/script_calls.h - what a scripted module can do beside its forward.
#pragma once
#include <string>

#include <ATen/core/ivalue.h>

#include "glidepath/batch.h"

namespace glidepath {

class ScriptCalls {
 public:
  virtual ~ScriptCalls() = default;
  virtual bool has_method(const char* name) const = 0;
  /// Throws InputError that begins with the file, where it does not take these.
  virtual c10::IValue call(const char* name, const Values& arguments) = 0;
  virtual std::string file() const = 0;
};

}  // namespace glidepath
