// fuzz/npy.cpp - NumPy's format: a file is refused, or is a tensor of what the file holds.
#include <torch/types.h>

#include "data/own/tensor_files.h"
#include "harness.h"

using namespace glidepath;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static fuzz::MemoryFile file;
  file.assign(fuzz::text_of(data, size));
  torch::Tensor values;
  if (!fuzz::accepts([&] { values = read_npy(file.path()); })) return 0;
  // uint16 takes twice its bytes.
  fuzz::require(values.nbytes() <= 2 * size, "a tensor is no larger than its file");
  return 0;
}
