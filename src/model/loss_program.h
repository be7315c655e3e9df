// src/model/loss_program.h - a model whose forward may take targets too, and give its own loss first.
#pragma once
#include <string>
#include <vector>

namespace glidepath {

class LossProgram {
 public:
  virtual ~LossProgram() = default;
  /// Of all tensors that forward takes, as the program calls them.
  virtual std::vector<std::string> input_names() const = 0;
  virtual std::string file() const = 0;
};

}  // namespace glidepath
