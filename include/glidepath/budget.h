// include/glidepath/budget.h - what a run may spend, its text form, and how many updates it buys.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace glidepath {

enum class BudgetUnit { kIterations, kEpochs, kPercent, kSeconds, kFlops, kTokens };

/// An amount to spend. `amount` is in the unit's own terms: updates, epochs, percent of the full budget
/// (100 is all of it), seconds, floating-point operations, tokens trained on. Finite and > 0; whole for
/// kIterations.
struct Budget {
  BudgetUnit unit = BudgetUnit::kPercent;
  double amount = 100;
  bool operator==(const Budget& other) const { return unit == other.unit && amount == other.amount; }
  bool operator!=(const Budget& other) const { return !(*this == other); }
};

/// Reads `500it`, `30ep`, `0.5ep`, `10%`, `45m`, `90s`, `1h30m`, `1h30m10s`, `2e15flop`, `5e6tok`.
/// Throws InputError naming the text, what is wrong with it and an example of what is right.
Budget parse_budget(std::string_view text);

/// The shortest text that parse_budget reads back to the same budget.
std::string to_string(const Budget& budget);

/// What turns a budget into updates. `full` is what 100 % means, in any unit but percent.
struct BudgetContext {
  std::int64_t steps_per_epoch = 0;       ///< updates in one pass over the training set, > 0
  Budget full{BudgetUnit::kEpochs, 200};  ///< the full budget (paper: CIFAR-10 200 epochs)
  double flops_per_step = 0;              ///< forward + backward of one whole batch; 0 when unknown
  /// Forward + backward of every training image once. Less than steps_per_epoch whole batches where the last
  /// one of an epoch is smaller; 0: every batch is whole.
  double flops_per_epoch = 0;
  /// Tokens that a whole batch has to predict, and an epoch, of text (nanoGPT's tokens per iteration); 0: no
  /// text.
  double tokens_per_step = 0, tokens_per_epoch = 0;
};

/// The number of updates that `budget` buys: rounded to nearest, at least 1, so that 1 % of 200 epochs of 391
/// updates is exactly 782 and 0.1 epoch of 391 is 39.
/// Throws InputError for kSeconds (a clock is not countable beforehand) and percent of it, and where the
/// context lacks a value.
std::int64_t updates_in(const Budget& budget, const BudgetContext& context);

/// A percentage of a full budget in time is itself a budget in time (10 % of 2 h: 12 min); every other budget
/// is left as it is. Throws InputError where `full` is in percent.
Budget resolve_percent(const Budget& budget, const Budget& full);

/// Floating-point operations of the first `step` updates of a run, each epoch's last and smaller one counted
/// as what it is. Zero where the context does not know those of an update.
double flops_of(std::int64_t step, const BudgetContext& context);

/// Spent / budget of the update with index `step` (0-based) of `updates`: step / updates, in [0, 1].
/// The first update has p = 0; p = 1 is reached after the last one and never used for an update.
/// Throws InputError unless 0 <= step <= updates and updates > 0.
double progress_at(std::int64_t step, std::int64_t updates);

}  // namespace glidepath
