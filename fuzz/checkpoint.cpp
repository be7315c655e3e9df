// fuzz/checkpoint.cpp - the checkpoint of a run to go on with: it is refused, or its state is one a run can
// have. An input that begins with `{` is the run state alone, which in a file its SHA-256 would keep out of
// reach; any other is the file.
#include <torch/types.h>

#include "harness.h"
#include "session/kept_parts.h"

using namespace glidepath;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static fuzz::MemoryFile file;
  const std::string text = fuzz::text_of(data, size);
  TensorMap tensors;
  StateMap state;
  const bool is_state = text.rfind('{', 0) == 0;
  if (!is_state) file.assign(text);
  const auto read = [&] {
    state = is_state ? StateMap::parse(text) : read_checkpoint(file.path(), tensors);
    check_state(state);
  };
  if (!fuzz::accepts(read)) return 0;
  const auto place = state.get<GlidePlace>();
  const auto last_record = state.get<Recorder::Kept>().last;
  fuzz::require(place.step >= 0, "a step is a count");
  fuzz::require(last_record >= 0 && last_record <= place.step, "records are of updates done");
  fuzz::require(state.get<Rewinds>().step >= -1, "a step is a count, or none");
  fuzz::require(place.seconds >= 0, "time spent is at least 0");
  fuzz::require(StateMap::parse(state.text()).text() == state.text(), "what is read can be written");
  return 0;
}
