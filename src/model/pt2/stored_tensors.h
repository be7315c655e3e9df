// src/model/pt2/stored_tensors.h - tensors from the raw bytes in an archive.
#pragma once
#include <map>
#include <string>
#include <vector>

#include <torch/types.h>

#include "model/pt2/program.h"

namespace glidepath::pt2 {

/// The type of a number of the schema's; Undefined where LibTorch or this program has none.
torch::ScalarType dtype_of(std::int64_t number);

/// Reads tensors of an archive, each part of it once.
class StoredTensors {
 public:
  explicit StoredTensors(const Archive& archive) : archive_(archive) {}

  /// As they are in the file, dense. Two names for the same numbers are one tensor. Throws InputError that
  /// names file and tensor: pickled, of a dtype that is not known here, or not where it is said to be.
  torch::Tensor tensor(const std::string& name, const StoredTensor& stored);

 private:
  struct Part {
    std::string name;
    std::int64_t first = 0, span = 0;  // numbers in the entry
    std::int64_t dtype = 0;
    std::vector<std::int64_t> sizes, strides;
    torch::Tensor tensor;
  };

  torch::Tensor read(const std::string& name, const StoredTensor& stored, std::int64_t numbers) const;
  [[noreturn]] void refuse(const std::string& name, const std::string& what) const;

  const Archive& archive_;
  std::map<std::string, std::vector<Part>> parts_;  // by entry
};

}  // namespace glidepath::pt2
