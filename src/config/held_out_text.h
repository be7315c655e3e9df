// src/config/held_out_text.h - how many training images are held out, as text.
#pragma once
#include <string>

namespace glidepath {

/// "5000", "10%" or "none", one text for every spelling. Throws InputError naming the text.
std::string canonical_held_out(const std::string& text);

}  // namespace glidepath
