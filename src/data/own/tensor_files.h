// src/data/own/tensor_files.h - the four tensors of a data set, from a safetensors file or .npy files.
#pragma once
#include <filesystem>
#include <string>

#include <torch/types.h>

namespace glidepath {

struct FileTensor {
  std::string called;  ///< "x.safetensors: train.inputs", or "x/train_inputs.npy"
  torch::Tensor values;
};

struct TensorFiles {
  FileTensor train_inputs, train_targets, test_inputs, test_targets;
};

/// From a file of train.inputs, train.targets, test.inputs and test.targets, or a folder of train_inputs.npy
/// and so on. Throws InputError naming the file for what is missing or damaged; what the tensors hold is not
/// looked at.
TensorFiles read_tensor_files(const std::filesystem::path& path);

/// An array as numpy.save() writes it, little-endian and in C order: bool, int8 to int64, uint8, uint16 (as
/// int32), float16 to float64. Throws InputError naming the file.
torch::Tensor read_npy(const std::filesystem::path& file);

}  // namespace glidepath
