// fuzz/checkpoint.cpp - the checkpoint of a run to go on with: it is refused, or its state is one a run can
// have. An input that begins with `{` is the run state alone, put into a whole file; any other is the file.
#include <torch/torch.h>

#include "harness.h"
#include "train/run_directory.h"

using namespace glidepath;

namespace {

/// A run directory whose checkpoint lies in memory.
struct Run {
  Run() {
    const TrainConfig config;
    write_file_atomically(folder.path() / "config.toml", to_toml(config));
    std::filesystem::create_directory(folder.path() / "checkpoint");
    state = folder.path() / "checkpoint" / "state.safetensors";
    std::filesystem::create_symlink(file.path(), state);
    directory = RunDirectory::reopen(folder.path(), config);
  }
  fuzz::MemoryFile file;
  fuzz::ScratchFolder folder;
  std::filesystem::path state;
  RunDirectory directory;
};

std::string json_quoted(const std::string& text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

/// The smallest whole file with this run state.
std::string whole_file(const std::string& run_state) {
  const std::string header = "{\"__metadata__\":{\"run_state\":" + json_quoted(run_state) + "}}";
  std::string file(8, '\0');
  for (std::size_t i = 0; i < 8; ++i) file[i] = static_cast<char>(header.size() >> (8 * i));
  return file + header;
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Run run;
  const std::string text = fuzz::text_of(data, size);
  run.file.assign(text.rfind('{', 0) == 0 ? whole_file(text) : text);
  TensorMap tensors;
  RunState state;
  if (!fuzz::accepts([&] { state = run.directory.load_checkpoint(tensors); })) return 0;
  fuzz::require(state.step >= 0, "a step is a count");
  fuzz::require(state.seconds >= 0, "time spent is at least 0");
  return 0;
}
