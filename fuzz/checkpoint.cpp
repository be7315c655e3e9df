// fuzz/checkpoint.cpp - the checkpoint of a run to go on with: it is refused, or its state is one a run can
// have. An input that begins with `{` is the run state alone, which in a file its SHA-256 would keep out of
// reach; any other is the file.
#include "run/checkpoint.h"

#include <torch/types.h>

#include "harness.h"

using namespace glidepath;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static fuzz::MemoryFile file;
  const std::string text = fuzz::text_of(data, size);
  TensorMap tensors;
  RunState state;
  const bool is_state = text.rfind('{', 0) == 0;
  if (!is_state) file.assign(text);
  const auto read = [&] { state = is_state ? run_state_from(text) : read_checkpoint(file.path(), tensors); };
  if (!fuzz::accepts(read)) return 0;
  fuzz::require(state.step >= 0, "a step is a count");
  fuzz::require(state.last_record >= 0 && state.last_record <= state.step, "records are of updates done");
  fuzz::require(state.rewind_step >= -1, "a step is a count, or none");
  fuzz::require(state.seconds >= 0, "time spent is at least 0");
  return 0;
}
