// src/data/own/tensor_files.cpp - the four tensors of a data set.
#include "data/own/tensor_files.h"

#include <utility>
#include <vector>

#include <fmt/format.h>

#include "data/stores/input_file.h"
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

/// Throws ReadFailed where the disk does not give all of a file.
void require_readable(const fs::path& file) {
  std::error_code error;
  if (!fs::is_regular_file(file, error)) return throw_if_in_trouble(file, error);
  const InputFile opened(file);
  std::vector<char> block(std::size_t{1} << 20);
  for (std::uint64_t at = 0; at < opened.size(); at += block.size())
    opened.read_some(block.data(), block.size(), at);
}

FileTensor from_npy(const fs::path& folder, std::string name) {
  name.replace(name.find('.'), 1, "_");
  const fs::path file = folder / (name + ".npy");
  std::error_code error;
  if (!fs::exists(file, error)) {
    throw_if_in_trouble(file, error);
    throw InputError(
        fmt::format("{}: is not there; the folder must have train_inputs.npy, train_targets.npy, "
                    "test_inputs.npy and test_targets.npy",
                    file.string()));
  }
  return {file.string(), read_npy(file)};
}

/// What its disk refuses is no fault of the file. Its reader tells no reasons, so the disk is asked once
/// more.
TensorMap load_patiently(const fs::path& file) {
  try {
    return load_safetensors(file);
  } catch (const InputError&) {
    require_readable(file);
    throw;
  }
}

}  // namespace

TensorFiles read_tensor_files(const fs::path& path) {
  std::error_code error;
  if (fs::is_directory(path, error))
    return {from_npy(path, kNames[0]), from_npy(path, kNames[1]), from_npy(path, kNames[2]),
            from_npy(path, kNames[3])};
  TensorMap tensors = load_patiently(path);
  return {from_safetensors(path, tensors, kNames[0]), from_safetensors(path, tensors, kNames[1]),
          from_safetensors(path, tensors, kNames[2]), from_safetensors(path, tensors, kNames[3])};
}

}  // namespace glidepath
