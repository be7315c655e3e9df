// src/config/measure_text.h - what a run measures, and when, as text:
// grad-norm(bn=running)@every=1ep,weight-norm.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "glidepath/budget.h"

namespace glidepath {

/// Whose mean and variance batch norm takes while a gradient is measured.
enum class NormStatistics {
  kBatch,    ///< each batch's own, as in training
  kRunning,  ///< the moving averages that the model has
  kFresh     ///< those of the measured images, at the weights of the moment: docs/evaluation.md
};

enum class Measure { kGradNorm, kWeightNorm, kEffectiveRate, kGradNormOnline };

/// One measure of a list, with its options and its moments.
struct MeasureItem {
  Measure what = Measure::kGradNorm;
  NormStatistics statistics = NormStatistics::kBatch;  ///< grad-norm: bn=batch, running or fresh
  bool augment = false;                                ///< grad-norm: augment=yes
  bool decay = false;                                  ///< grad-norm: decay=yes
  bool bf16 = false;                                   ///< grad-norm: precision=bf16
  std::int64_t images = 0;  ///< grad-norm: the first N training images alone; 0: all
  bool layers = false;      ///< grad-norm and weight-norm: layers=yes
  std::int64_t peek = 256;  ///< grad-norm-online: updates between two peeks at the next batch
  /// At the start, so often, and at the end; without it, at `points` + 1 moments: progress 0, 1 / points,
  /// ... 1.
  std::optional<Budget> every;  ///< in updates, epochs or percent of the budget
  std::int64_t points = 20;
  bool has_moments = false;  ///< whether the text says when
};

/// Reads a list, each measure at most once; "" is none. Throws InputError: the text, what is wrong, and what
/// would be right.
std::vector<MeasureItem> parse_measures(const std::string& text);

/// The shortest text that parse_measures reads back to the same list.
std::string canonical_measures(const std::string& text);

const char* to_string(Measure measure);

}  // namespace glidepath
