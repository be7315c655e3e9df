// src/run/run_weights.h - the weights that a run has left, for what looks at them afterwards.
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "glidepath/models.h"

namespace glidepath {

struct RunWeights {
  std::filesystem::path run;                 ///< where config.toml is
  std::vector<std::filesystem::path> files;  ///< at least one, the oldest first
};

/// Of a run directory its result, or its newest checkpoint where it has none yet; of its folder checkpoint
/// every one; of a file of weights in either the file. Throws InputError when `path` is none of these.
RunWeights find_run_weights(const std::filesystem::path& path);

/// What a file of weights holds: a result's, a checkpoint's, or anyone's. A file of more than 8 times
/// `most_bytes` is refused before it is read (a checkpoint has the optimizer's tensors too).
struct StoredWeights {
  TensorMap tensors;
  std::int64_t step = -1;  ///< a checkpoint's update
  std::string statistics;  ///< batch norm's: "running", or "fresh, 4096 images"
};
StoredWeights read_weights(const std::filesystem::path& file, std::uint64_t most_bytes);

/// Puts the weights into the model. Returns a checkpoint's update, or -1 for a result. Throws InputError that
/// begins with the file. `statistics`, where given, is told batch norm's: "running", or "fresh, 4096 images".
std::int64_t load_run_weights(const std::filesystem::path& file, Model& model,
                              std::string* statistics = nullptr);

/// Under which the metadata of a result has them; one of an earlier version has running ones.
constexpr const char* kStatistics = "batch_norm";
constexpr const char* kRunningStatistics = "running";

}  // namespace glidepath
