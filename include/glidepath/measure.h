// include/glidepath/measure.h - instruments that watch training: full gradient, weights, effective rate.
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "glidepath/train.h"

namespace glidepath {

/// The instruments behind TrainConfig::measure, for TrainOptions::measurer. What each measures, its formula,
/// source and cost are in docs/measures.md. Their values are the "measure" lines of metrics.jsonl. They leave
/// the run as it is: with or without them its weights are the same, bit for bit.
MeasurerFactory instruments();

struct MeasureOptions {
  std::string what = "grad-norm,weight-norm";  ///< as TrainConfig::measure, without moments
  std::string data_dir;  ///< folder of the data set's files; empty: as the run had it, or the usual places
  std::int64_t threads = 0;  ///< CPU threads; 0: as the run had
};

/// What was measured of one file of weights; only what was asked for is set.
struct Measurement {
  std::filesystem::path file;
  std::int64_t step = -1;  ///< updates made; -1 where the file does not say
  double grad_norm = -1;   ///< >= 0
  /// Of batch norm, with which the gradient was taken: "batch", each batch's own; "running"; or "fresh, 4096
  /// images", which with bn=running are those that the file has (docs/evaluation.md). Empty without a
  /// gradient.
  std::string statistics;
  double train_loss = -1;                                    ///< mean over the training images, >= 0
  double weight_norm = -1;                                   ///< >= 0
  std::vector<std::pair<std::string, double>> weight_norms;  ///< by parameter, with layers=yes
  std::vector<std::pair<std::string, double>> grad_norms;    ///< likewise
};

/// Measures weights that a run has left. `path` is a run directory (its model.safetensors, or while it has
/// none its newest checkpoint), a run's folder checkpoint (all of them, the oldest first), or one of these
/// files. Data set, network, batch size and label smoothing are those of the run's config.toml.
/// Throws InputError for a path that is none of these, a file that does not fit the run, and measures that
/// cannot be taken afterwards.
std::vector<Measurement> measure_run(const std::filesystem::path& path, const MeasureOptions& options = {});

}  // namespace glidepath
