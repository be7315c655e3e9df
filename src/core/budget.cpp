// src/core/budget.cpp - budgets as text, and how many updates they buy.
#include "glidepath/budget.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "core/words.h"
#include "glidepath/error.h"
#include "schedule/synonyms.h"

namespace glidepath {
namespace {

constexpr double kLongestSeconds = 876'600 * 3600.0;  // 100 years
constexpr double kLargestCount = 9007199254740992.0;  // 2^53: above it a double no longer counts one by one

struct Unit {
  std::string_view suffix;
  BudgetUnit unit;
  double size;  // of one, in the unit's own terms
};
// Larger clock units first: to_string prefers them, and in text they come in this order.
constexpr Unit kUnits[] = {{"it", BudgetUnit::kIterations, 1}, {"ep", BudgetUnit::kEpochs, 1},
                           {"%", BudgetUnit::kPercent, 1},     {"h", BudgetUnit::kSeconds, 3600},
                           {"m", BudgetUnit::kSeconds, 60},    {"s", BudgetUnit::kSeconds, 1},
                           {"flop", BudgetUnit::kFlops, 1},    {"tok", BudgetUnit::kTokens, 1}};

const std::vector<words::Synonym> kUnitsElsewhere = {
    {"second", "s"},   {"seconds", "s"}, {"sec", "s"},      {"secs", "s"},       {"minute", "m"},
    {"minutes", "m"},  {"min", "m"},     {"mins", "m"},     {"hour", "h"},       {"hours", "h"},
    {"hr", "h"},       {"hrs", "h"},     {"e", "ep"},       {"epoch", "ep"},     {"epochs", "ep"},
    {"i", "it"},       {"iter", "it"},   {"iters", "it"},   {"iteration", "it"}, {"iterations", "it"},
    {"step", "it"},    {"steps", "it"},  {"update", "it"},  {"updates", "it"},   {"batch", "it"},
    {"batches", "it"}, {"ba", "it"},     {"percent", "%"},  {"pct", "%"},        {"flops", "flop"},
    {"h", "h"},        {"m", "m"},       {"s", "s"},        {"ep", "ep"},        {"it", "it"},
    {"flop", "flop"},  {"token", "tok"}, {"tokens", "tok"}, {"toks", "tok"},     {"tok", "tok"}};

const Unit& unit_named(std::string_view name, std::string_view text) {
  for (const Unit& unit : kUnits) {
    if (unit.suffix == name) return unit;
  }
  const bool is_joined = text.find_first_of("hmst%pf") != text.npos;  // 1h30
  const auto amount =
      words::number(text.substr(0, text.find(name)));  // none where others are joined before it
  if (const auto meant = words::meant_by(name, kUnitsElsewhere)) {
    words::refuse(text, fmt::format("unknown unit \"{}\"; write {}, for example {}{}", name, *meant,
                                    amount.value_or(30), *meant));
  }
  if (words::plain(name) == "d" || words::plain(name) == "day" || words::plain(name) == "days")
    words::refuse(text, fmt::format("unknown unit \"{}\"; write hours, for example {}h", name,
                                    24 * amount.value_or(1)));
  words::refuse(
      text,
      name.empty() && is_joined ? std::string("the last number has no unit, for example 1h30m")
      : name.empty()
          ? fmt::format("no unit; add it, ep, %, h, m, s, tok or flop, for example {}ep or {}%", text, text)
          : fmt::format("unknown unit \"{}\"; use it, ep, %, h, m, s, tok or flop, for example 30ep or "
                        "1h30m",
                        name));
}

// One number with its unit, taken off the front of `rest`.
struct Part {
  double number;
  const Unit* unit;
};

Part take_part(std::string_view& rest, std::string_view text) {
  const auto [digits, tail] = words::split_number(rest);
  if (digits.empty()) {
    words::refuse(
        text, fmt::format("{} where a number should be; a budget is a number and a unit, for example 500it, "
                          "30ep, 10% or 1h30m",
                          rest.empty() ? "nothing" : fmt::format("\"{}\"", rest)));
  }
  const auto number = words::number(digits);
  if (!number)
    words::refuse(text, fmt::format("\"{}\" is not a number that can be used, for example 30ep", digits));
  const std::size_t length = std::min(tail.find_first_of("0123456789.-+"), tail.size());
  const Unit& unit = unit_named(tail.substr(0, length), text);
  rest = tail.substr(length);
  return {*number, &unit};
}

void check_amount(const Budget& budget, std::string_view text) {
  if (!(budget.amount > 0 && std::isfinite(budget.amount))) {
    words::refuse(text, "a budget must be above 0, for example 30ep");
  }
  if (budget.unit == BudgetUnit::kSeconds && budget.amount > kLongestSeconds)
    words::refuse(text, "more than 100 years (876600h); give less, for example 1h30m");
  if (budget.unit != BudgetUnit::kIterations) return;
  if (budget.amount != std::floor(budget.amount)) {
    words::refuse(text, "iterations must be a whole number, for example 500it");
  }
  if (budget.amount > kLargestCount) words::refuse(text, "more than 9007199254740992 iterations");
}

std::int64_t whole_updates(double updates, const Budget& budget) {
  if (!(updates <= kLargestCount)) {
    words::refuse(to_string(budget), fmt::format("{:.3g} updates are more than 9007199254740992", updates));
  }
  return std::max<std::int64_t>(1, std::llround(updates));
}

void check_full(const Budget& full) {
  if (full.unit == BudgetUnit::kPercent) {
    words::refuse(to_string(full),
                  "the full budget must be in epochs, iterations, time, tok or flop, for example 200ep");
  }
}

std::int64_t updates_in_full(const BudgetContext& context) {
  check_full(context.full);
  return updates_in(context.full, context);
}

/// Of what a whole batch has `per_step` of, and an epoch `per_epoch`.
double updates_with(const Budget& budget, const BudgetContext& context, double per_step, double per_epoch,
                    const char* wanted) {
  if (!(per_step > 0 && std::isfinite(per_step))) words::refuse(to_string(budget), wanted);
  if (!(per_epoch > 0 && context.steps_per_epoch > 0)) return budget.amount / per_step;
  const double epochs = std::floor(budget.amount / per_epoch);
  const double rest = (budget.amount - epochs * per_epoch) / per_step;
  const auto steps = static_cast<double>(context.steps_per_epoch);
  return epochs * steps + std::min(rest, steps);
}

}  // namespace

Budget parse_budget(std::string_view text) {
  std::string_view rest = text;
  const Part first = take_part(rest, text);
  Budget budget{first.unit->unit, first.number * first.unit->size};
  const Unit* previous = first.unit;
  double previous_number = first.number;
  while (!rest.empty()) {
    const Part part = take_part(rest, text);
    if (part.unit->unit != BudgetUnit::kSeconds || budget.unit != BudgetUnit::kSeconds) {
      words::refuse(text, "two amounts; only hours, minutes and seconds can be joined, for example 1h30m");
    }
    if (part.unit <= previous)
      words::refuse(text, "hours, minutes and seconds must come in this order, each once");
    if (previous_number != std::floor(previous_number) || part.number < 0) {
      words::refuse(text, "only the last of hours, minutes and seconds can be a fraction, for example 1h30m");
    }
    budget.amount += part.number * part.unit->size;
    previous = part.unit;
    previous_number = part.number;
  }
  check_amount(budget, text);
  return budget;
}

std::string to_string(const Budget& budget) {
  if (budget.unit == BudgetUnit::kFlops) return words::scientific_text(budget.amount) + "flop";
  if (budget.unit == BudgetUnit::kTokens) return words::scientific_text(budget.amount) + "tok";
  std::string shortest;
  for (const Unit& unit : kUnits) {
    if (unit.unit != budget.unit) continue;
    const double number = budget.amount / unit.size;
    if (number * unit.size != budget.amount || (unit.size != 1 && number != std::floor(number))) continue;
    const std::string text = words::number_text(number) + std::string(unit.suffix);
    if (shortest.empty() || text.size() < shortest.size()) shortest = text;
  }
  return shortest;
}

std::int64_t updates_in(const Budget& budget, const BudgetContext& context) {
  check_amount(budget, to_string(budget));
  switch (budget.unit) {
    case BudgetUnit::kIterations:
      return std::llround(budget.amount);
    case BudgetUnit::kEpochs:
      if (context.steps_per_epoch <= 0)
        words::refuse(to_string(budget), "needs the number of updates in an epoch");
      return whole_updates(budget.amount * static_cast<double>(context.steps_per_epoch), budget);
    case BudgetUnit::kPercent:
      // Multiplied before it is divided: 1 % of 78,200 is then exactly 782.
      return whole_updates(budget.amount * static_cast<double>(updates_in_full(context)) / 100, budget);
    case BudgetUnit::kFlops:
      return whole_updates(updates_with(budget, context, context.flops_per_step, context.flops_per_epoch,
                                        "needs the floating-point operations of an update"),
                           budget);
    case BudgetUnit::kTokens:
      return whole_updates(
          updates_with(budget, context, context.tokens_per_step, context.tokens_per_epoch,
                       "tokens are what text is trained on: give data tokens:PATH, or another unit"),
          budget);
    case BudgetUnit::kSeconds:
      break;
  }
  words::refuse(to_string(budget), "a time budget does not say beforehand how many updates it buys");
}

Budget resolve_percent(const Budget& budget, const Budget& full) {
  if (budget.unit != BudgetUnit::kPercent) return budget;
  check_full(full);
  if (full.unit != BudgetUnit::kSeconds) return budget;
  const Budget time{BudgetUnit::kSeconds, budget.amount * full.amount / 100};
  check_amount(time, to_string(budget));
  return time;
}

double flops_of(std::int64_t step, const BudgetContext& context) {
  if (!(context.flops_per_epoch > 0 && context.steps_per_epoch > 0))
    return context.flops_per_step * static_cast<double>(step);
  return context.flops_per_epoch * static_cast<double>(step / context.steps_per_epoch) +
         context.flops_per_step * static_cast<double>(step % context.steps_per_epoch);
}

double progress_at(std::int64_t step, std::int64_t updates) {
  if (updates <= 0) throw InputError(fmt::format("updates {}: must be above 0", updates));
  if (step < 0 || step > updates) throw InputError(fmt::format("step {}: must be in [0, {}]", step, updates));
  return static_cast<double>(step) / static_cast<double>(updates);
}

}  // namespace glidepath
