// src/config/result_numbers.h - the one table of the numbers that a run comes to.
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "glidepath/train.h"

namespace glidepath {

enum class NumberKind {
  kAccuracy,  ///< in [0, 1]
  kLoss,      ///< >= 0
  kCount,     ///< whole, >= 0
  kAmount,    ///< of seconds, of memory, a rate: >= 0
};

/// Where in summary.json a number is; it has them in this order, with the facts of a run between them.
enum class SummaryPart {
  kTraining,
  kSpent,  ///< in the object "spent"
  kCost,
  kProcesses,
  kTests,
  kBest,
  kBestTests,
};

/// Where a study's store has it.
enum class Stored {
  kNot,     ///< in summary.json alone
  kColumn,  ///< in a column of its own, as stores have them since the first version
  /// In the table `scores`, and with it in results.csv, results.json and, an accuracy, as --score NAME. What
  /// a new number is: no store has to change for it.
  kScore,
};

using ResultValue = std::variant<std::int64_t, double>;

struct ResultNumber {
  std::string name;  ///< its key in summary.json
  NumberKind kind;
  SummaryPart part;
  Stored stored;
  std::string what;  ///< in a few words, as tables are titled and docs/evaluation.md has it
  /// Nothing where a run has none.
  std::function<std::optional<ResultValue>(const TrainResult&)> of;
  bool is_metric = false;  ///< of metric_facts(), of some weights on some split
};

/// All of them, in the order of the columns of results.csv.
const std::vector<ResultNumber>& result_numbers();
/// Null for a name that is none of them.
const ResultNumber* find_result_number(const std::string& name);

/// Whether a run may have told this of itself; stores and summaries may come from anywhere.
bool is_plausible(NumberKind kind, double value);

}  // namespace glidepath
