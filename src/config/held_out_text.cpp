// src/config/held_out_text.cpp - how many training images are held out, as text.
#include "config/held_out_text.h"

#include <cmath>

#include <fmt/format.h>

#include "core/words.h"
#include "glidepath/error.h"

namespace glidepath {

std::string canonical_held_out(const std::string& text) {
  if (text == "none") return text;
  const auto [number, unit] = words::split_number(text);
  const auto value = words::number(number);
  const bool is_share = unit == "%" && value && *value > 0 && *value < 100;
  const bool is_count = unit.empty() && value && *value >= 1 && *value == std::floor(*value) && *value < 1e15;
  if (!is_share && !is_count)
    throw InputError(fmt::format(
        "\"{}\": must be a number of training images, a share of them or none, for example 5000 or 10%",
        text));
  return fmt::format("{}{}", *value, unit);
}

}  // namespace glidepath
