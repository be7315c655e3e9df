// fuzz/budget.cpp - the grammar of budgets: any text is refused or reads back from its own text.
#include "glidepath/budget.h"

#include "harness.h"

using namespace glidepath;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text = fuzz::text_of(data, size);
  Budget budget;
  if (!fuzz::accepts([&] { budget = parse_budget(text); })) return 0;
  const std::string canonical = to_string(budget);
  fuzz::require(parse_budget(canonical) == budget, "to_string(budget) reads back to the same budget");
  fuzz::require(to_string(parse_budget(canonical)) == canonical, "to_string(budget) is its own text");

  const BudgetContext contexts[] = {{}, {391, {BudgetUnit::kEpochs, 200}, 1e12}, {1, budget, 1e-300}};
  for (const BudgetContext& context : contexts) {
    fuzz::accepts([&] { fuzz::require(updates_in(budget, context) >= 1, "a budget buys an update"); });
  }
  return 0;
}
