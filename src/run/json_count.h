// src/run/json_count.h - counts in JSON that anybody may have written.
#pragma once
#include <cstdint>
#include <limits>

#include <nlohmann/json.hpp>

#include "glidepath/error.h"

namespace glidepath {

/// Throws for what is no count: to convert 1e300 would be undefined.
inline std::int64_t count_in(const nlohmann::json& json) {
  // What was read is unsigned; what this process has written need not be.
  const bool is_count =
      json.is_number_unsigned()
          ? json.get<std::uint64_t>() <= std::uint64_t{std::numeric_limits<std::int64_t>::max()}
          : json.is_number_integer() && json.get<std::int64_t>() >= 0;
  if (!is_count) throw InputError("no count");
  return json.get<std::int64_t>();
}

inline std::int64_t count_at(const nlohmann::json& json, const char* key) { return count_in(json.at(key)); }

}  // namespace glidepath
