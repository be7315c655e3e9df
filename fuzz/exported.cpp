// fuzz/exported.cpp - programs of torch.export from anywhere: a file is refused, or what it holds is a model
// whose tensors are no larger than the file. Operators are not called: LibTorch's are not made for any
// argument.
#include <torch/types.h>

#include "glidepath/exported_model.h"
#include "harness.h"

using namespace glidepath;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static fuzz::MemoryFile file;
  file.assign(fuzz::text_of(data, size));
  std::shared_ptr<Model> model;
  if (!fuzz::accepts([&] { model = exported_model(file.path()); })) return 0;
  std::size_t bytes = 0;
  for (const torch::Tensor& each : model->parameters()) bytes += each.nbytes();
  fuzz::require(bytes <= size, "no more is read than the file holds");
  return 0;
}
