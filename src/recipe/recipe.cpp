// src/recipe/recipe.cpp - recipes that the program carries, and which one is for a budget.
#include "glidepath/recipe.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/safe_text.h"
#include "glidepath/budget.h"
#include "glidepath/error.h"
#include "recipe/carried.h"

namespace glidepath {
namespace {

constexpr const char* kWithoutTime = "cifar10-94";

bool has_recipes(const std::string& data) { return data == "cifar10" || data == "cifar100"; }

RecipeChoice of(const Recipe& recipe, const std::string& data) {
  RecipeChoice choice{recipe.name, parse_train_config(recipe.toml, "recipe " + recipe.name)};
  choice.config.data = data;
  return choice;
}

const Recipe* find(const std::string& name) {
  const auto& all = recipes();
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const Recipe& recipe) { return recipe.name == name; });
  return found == all.end() ? nullptr : &*found;
}

double seconds_of(const Recipe& recipe) {
  return recipe.seconds.value_or(std::numeric_limits<double>::infinity());
}

const Recipe& nearest(double seconds) {
  const auto away = [&](const Recipe& recipe) { return std::abs(std::log(seconds_of(recipe) / seconds)); };
  return *std::min_element(recipes().begin(), recipes().end(),
                           [&](const Recipe& a, const Recipe& b) { return away(a) < away(b); });
}

std::string names() {
  std::vector<std::string> all;
  for (const Recipe& recipe : recipes()) all.push_back(recipe.name);
  return fmt::format("{}", fmt::join(all, ", "));
}

}  // namespace

const std::vector<Recipe>& recipes() {
  static const std::vector<Recipe> all = [] {
    std::vector<Recipe> carried = carried_recipes();
    for (Recipe& recipe : carried) {
      const Budget budget = parse_budget(parse_train_config(recipe.toml, recipe.name).budget);
      if (budget.unit == BudgetUnit::kSeconds) recipe.seconds = budget.amount;
    }
    std::stable_sort(carried.begin(), carried.end(),
                     [](const Recipe& a, const Recipe& b) { return seconds_of(a) < seconds_of(b); });
    return carried;
  }();
  return all;
}

RecipeChoice choose_recipe(const std::string& asked, const RecipeRequest& request) {
  if (asked == "plain" || (asked == "auto" && (!request.seconds || !has_recipes(request.data)))) {
    RecipeChoice plain{"plain", {}};
    plain.config.data = request.data;
    return plain;
  }
  if (asked == "fast" && !has_recipes(request.data)) {
    throw InputError(fmt::format(
        "recipe \"fast\": there is none for data \"{}\", only for 32x32 images in colour (cifar10, "
        "cifar100); give plain, or a recipe by name ({})",
        terminal_text(request.data), names()));
  }
  if (asked == "fast" || asked == "auto") {
    return of(request.seconds ? nearest(*request.seconds * request.speed) : *find(kWithoutTime),
              request.data);
  }
  if (const Recipe* recipe = find(asked)) return of(*recipe, request.data);
  throw InputError(
      fmt::format("recipe \"{}\": must be auto, fast, plain or one of {}", terminal_text(asked), names()));
}

bool leaves_recipe_open(const std::string& key) {
  static const std::set<std::string> open = {
      "data",       "data_dir",        "val",       "train_fraction",  "train_limit", "test_limit",
      "context",    "ignored_label",   "data_wait", "budget",          "deadline",    "seed",
      "eval_every", "eval_batch_size", "measure",   "saved_statistics"};
  if (open.count(key) != 0) return true;
  const auto& keys = train_config_keys();
  return std::any_of(keys.begin(), keys.end(), [&](const ConfigKey& each) {
    return each.name == key && (each.group == "Saving" || each.group == "Machine");
  });
}

}  // namespace glidepath
