// src/model/torch_error.h - what LibTorch says of a call that failed, as one line.
#pragma once
#include <exception>
#include <string>

#include "glidepath/batch.h"

namespace glidepath {

/// The line that says what is wrong: the last one of a trace, without what kind of error it is.
std::string told(const std::exception& error);

/// Whether it is that there is no memory, which is no fault of what was called.
bool is_out_of_memory(const std::exception& error);

/// "Float [4, 3, 32, 32], Long [4]"
std::string shapes_of(const Values& values);

}  // namespace glidepath
