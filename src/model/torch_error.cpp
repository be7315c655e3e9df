// src/model/torch_error.cpp - what LibTorch says of a call that failed, as one line.
#include "model/torch_error.h"

#include <new>
#include <sstream>
#include <vector>

#include <c10/util/Exception.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <torch/types.h>

#include "core/safe_text.h"

namespace glidepath {

std::string told(const std::exception& error) {
  const auto* torch_error = dynamic_cast<const c10::Error*>(&error);
  std::istringstream lines(torch_error != nullptr ? torch_error->what_without_backtrace() : error.what());
  std::string last;
  for (std::string line; std::getline(lines, line);) {
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    if (line.rfind("RuntimeError: ", 0) == 0) return terminal_text(line.substr(14));
    if (last.empty() || torch_error == nullptr) last = line;
  }
  return terminal_text(last);
}

bool is_out_of_memory(const std::exception& error) {
  if (dynamic_cast<const std::bad_alloc*>(&error) != nullptr) return true;
  const std::string what = error.what();
  return what.find("allocate memory") != std::string::npos || what.find("out of memory") != std::string::npos;
}

std::string shapes_of(const Values& values) {
  std::vector<std::string> shapes;
  for (const torch::Tensor& each : values)
    shapes.push_back(
        fmt::format("{} [{}]", c10::toString(each.scalar_type()), fmt::join(each.sizes(), ", ")));
  return fmt::format("{}", fmt::join(shapes, ", "));
}

}  // namespace glidepath
