// src/data/own/tensor_files.cpp - the four tensors of a data set.
#include "data/own/tensor_files.h"

#include <utility>

#include <fmt/format.h>

#include "glidepath/error.h"
#include "glidepath/safetensors.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

constexpr const char* kNames[] = {"train.inputs", "train.targets", "test.inputs", "test.targets"};

FileTensor from_safetensors(const fs::path& file, TensorMap& tensors, const std::string& name) {
  const auto found = tensors.find(name);
  if (found == tensors.end()) {
    throw InputError(
        fmt::format("{}: has no tensor {}; must have train.inputs, train.targets, test.inputs and "
                    "test.targets",
                    file.string(), name));
  }
  return {fmt::format("{}: {}", file.string(), name), std::move(found->second)};
}

FileTensor from_npy(const fs::path& folder, std::string name) {
  name.replace(name.find('.'), 1, "_");
  const fs::path file = folder / (name + ".npy");
  std::error_code error;
  if (!fs::exists(file, error)) {
    throw InputError(
        fmt::format("{}: is not there; the folder must have train_inputs.npy, train_targets.npy, "
                    "test_inputs.npy and test_targets.npy",
                    file.string()));
  }
  return {file.string(), read_npy(file)};
}

}  // namespace

TensorFiles read_tensor_files(const fs::path& path) {
  std::error_code error;
  if (fs::is_directory(path, error))
    return {from_npy(path, kNames[0]), from_npy(path, kNames[1]), from_npy(path, kNames[2]),
            from_npy(path, kNames[3])};
  TensorMap tensors = load_safetensors(path);
  return {from_safetensors(path, tensors, kNames[0]), from_safetensors(path, tensors, kNames[1]),
          from_safetensors(path, tensors, kNames[2]), from_safetensors(path, tensors, kNames[3])};
}

}  // namespace glidepath
