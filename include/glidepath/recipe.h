// include/glidepath/recipe.h - recipes that the program carries, and which one is for a budget.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "glidepath/train_config.h"

namespace glidepath {

/// A file of recipes/, as it was when the program was built.
struct Recipe {
  std::string name;  ///< of the file, without .toml: cifar10-5m
  std::string toml;
  std::optional<double> seconds = {};  ///< of its budget, where that is a time
};

/// Those for a time first, the shortest before the others.
const std::vector<Recipe>& recipes();

/// What is known of a run before its options are chosen.
struct RecipeRequest {
  std::string data = "cifar10";
  std::optional<double> seconds;  ///< of a budget in time; none: another unit
  /// How many times as fast as the machine that the recipes were chosen on: two cores with bf16. 4 turns five
  /// minutes into twenty.
  double speed = 1;
};

struct RecipeChoice {
  std::string name;  ///< "plain" or that of a recipe
  TrainConfig config;
};

/// `asked`:
///   plain  the defaults: the paper's protocol (Li et al., ICLR 2020, section 4.1)
///   fast   the recipe for data of this shape whose time is nearest to the budget's, as a ratio;
///          cifar10-94 for a budget in another unit
///   auto   fast where the budget is a time and there is a recipe for data of this shape, else plain
///   NAME   that recipe, whatever the data and the budget
/// Recipes are for 32x32 images in colour. Throws InputError: `recipe "x": ...` for another name, and for
/// fast on other data.
RecipeChoice choose_recipe(const std::string& asked, const RecipeRequest& request);

/// Whether a run may have any recipe although this option is given: true of what a user says of the data, the
/// budget, the machine and files, false of what makes the method (model, schedule, base_lr, augment, ...).
bool leaves_recipe_open(const std::string& key);

}  // namespace glidepath
