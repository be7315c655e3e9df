// src/model/pt2/input_shapes.h - what tensors a program takes.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "glidepath/batch.h"
#include "model/pt2/program.h"

namespace glidepath::pt2 {

class InputShapes {
 public:
  /// `file` begins messages. Throws InputError for a program that takes no tensor, or first one of a fixed
  /// number of examples: batches are of several sizes.
  InputShapes(std::string file, const Program& program);

  /// Throws InputError where there are fewer or more, or one is of another shape or kind.
  void check(const Values& inputs) const;
  const std::vector<std::string>& names() const { return names_; }
  /// Whether nothing but the channels of images is fixed.
  bool takes_any_size() const;

 private:
  [[noreturn]] void refuse(std::size_t number, const torch::Tensor& input, const std::string& why) const;
  std::string wanted(std::size_t number) const;

  std::string file_;
  std::vector<std::string> names_;
  std::vector<TensorFacts> facts_;
  std::map<std::string, Range> ranges_;
};

}  // namespace glidepath::pt2
