// fuzz/safetensors.cpp - weights from anywhere: a file is refused, or what it holds goes through our own
// writer and back without a bit changed. A header that declares more than the file holds allocates nothing
// (scripts/fuzz limits allocations to 64 MB).
#include "glidepath/safetensors.h"

#include <cstring>

#include <torch/types.h>

#include "harness.h"

using namespace glidepath;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static fuzz::MemoryFile file;
  static fuzz::ScratchFolder folder;
  file.assign(fuzz::text_of(data, size));
  TensorMap tensors;
  std::map<std::string, std::string> metadata;
  if (!fuzz::accepts([&] { tensors = load_safetensors(file.path(), &metadata); })) return 0;
  std::size_t bytes = 0;
  for (const auto& item : tensors) bytes += item.second.nbytes();
  fuzz::require(bytes <= size, "no more is read than the file holds");

  const auto written = folder.path() / "again.safetensors";
  save_safetensors(written, tensors, metadata);
  std::map<std::string, std::string> metadata_again;
  const TensorMap again = load_safetensors(written, &metadata_again);
  fuzz::require(metadata_again == metadata, "metadata reads back");
  fuzz::require(again.size() == tensors.size(), "no tensor is lost");
  for (const auto& [name, tensor] : tensors) {
    const auto found = again.find(name);
    fuzz::require(found != again.end(), "a name reads back");
    const torch::Tensor& other = found->second;
    fuzz::require(other.scalar_type() == tensor.scalar_type() && other.sizes() == tensor.sizes(),
                  "dtype and shape read back");
    fuzz::require(
        tensor.nbytes() == 0 || std::memcmp(other.data_ptr(), tensor.data_ptr(), tensor.nbytes()) == 0,
        "values read back bit for bit");
  }
  return 0;
}
