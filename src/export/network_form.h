// src/export/network_form.h - what goes into an exported network, and what comes out.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace glidepath {

/// One dimension of a tensor: a size, or the name of a free one.
struct Dimension {
  Dimension(const char* free) : name(free) {}     // NOLINT(google-explicit-constructor): a list of both
  Dimension(std::int64_t fixed) : size(fixed) {}  // NOLINT(google-explicit-constructor)
  std::string name;
  std::int64_t size = 0;
};

/// Output "logits" is float32; input float32, or int64 where it is tokens.
struct NetworkForm {
  std::string input = "images";  ///< or "tokens"
  std::vector<Dimension> input_shape, output_shape;

  bool takes_tokens() const { return input == "tokens"; }
};

}  // namespace glidepath
