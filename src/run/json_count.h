// src/run/json_count.h - counts in JSON that anybody may have written.
#pragma once
#include <cstdint>
#include <limits>

#include <nlohmann/json.hpp>

#include "glidepath/error.h"

namespace glidepath {

/// Throws for what is no count: to convert 1e300 would be undefined.
inline std::int64_t count_at(const nlohmann::json& json, const char* key) {
  const nlohmann::json& value = json.at(key);
  const bool is_count = value.is_number_unsigned() &&
                        value.get<std::uint64_t>() <= std::uint64_t{std::numeric_limits<std::int64_t>::max()};
  if (!is_count) throw InputError(key);
  return value.get<std::int64_t>();
}

}  // namespace glidepath
