// src/core/own_name.h - what files call the model and the data that a program brings.
#pragma once

namespace glidepath {

constexpr const char* kOwnName = "own";

}  // namespace glidepath
