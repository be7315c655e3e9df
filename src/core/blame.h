// src/core/blame.h - which option a wrong value belongs to.
#pragma once
#include <fmt/format.h>

#include "glidepath/error.h"

namespace glidepath {

/// parse(); puts the option's name before a message that begins with its value.
template <typename Parse>
auto blame(const char* key, Parse parse) {
  try {
    return parse();
  } catch (const InputError& error) {
    throw InputError(fmt::format("{} {}", key, error.what()));
  }
}

}  // namespace glidepath
