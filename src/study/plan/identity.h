// src/study/plan/identity.h - short names for what a text says.
#pragma once
#include <string>

namespace glidepath {

/// The first 16 hexadecimal digits of a text's SHA-256.
std::string id_of_text(const std::string& text);

}  // namespace glidepath
