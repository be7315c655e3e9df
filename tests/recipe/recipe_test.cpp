// tests/recipe/recipe_test.cpp - recipes that the program carries, and which one is for a budget.
#include "glidepath/recipe.h"

#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "glidepath/budget.h"
#include "glidepath/error.h"

namespace glidepath {
namespace {

std::string chosen(const std::string& asked, const std::string& data, std::optional<double> seconds,
                   double speed = 1) {
  return choose_recipe(asked, {data, seconds, speed}).name;
}

TEST(Recipe, EveryFileIsCarriedAndSound) {
  std::vector<std::string> names;
  for (const Recipe& recipe : recipes()) {
    SCOPED_TRACE(recipe.name);
    names.push_back(recipe.name);
    const TrainConfig config = parse_train_config(recipe.toml, recipe.name);
    EXPECT_NO_THROW(check_config(config));
    EXPECT_EQ(config.data, "cifar10");
    EXPECT_EQ(config.schedule, "linear");
    EXPECT_EQ(config.val, "none");
  }
  EXPECT_EQ(names, (std::vector<std::string>{"cifar10-1m", "cifar10-2m", "cifar10-5m", "cifar10-15m",
                                             "cifar10-60m", "cifar10-94"}));
}

TEST(Recipe, TheNearestTimeByRatio) {
  EXPECT_EQ(chosen("auto", "cifar10", 60), "cifar10-1m");
  EXPECT_EQ(chosen("auto", "cifar10", 1), "cifar10-1m");
  EXPECT_EQ(chosen("auto", "cifar10", 84), "cifar10-1m");  // below the root of 60 * 120
  EXPECT_EQ(chosen("auto", "cifar10", 86), "cifar10-2m");
  EXPECT_EQ(chosen("auto", "cifar10", 300), "cifar10-5m");
  EXPECT_EQ(chosen("fast", "cifar100", 1000), "cifar10-15m");
  EXPECT_EQ(chosen("auto", "cifar10", 1e6), "cifar10-60m");
  EXPECT_EQ(chosen("auto", "cifar10", 60, 4), "cifar10-5m");  // 60 s of eight cores are 240 s of two
  EXPECT_EQ(chosen("auto", "cifar10", 0), "cifar10-1m");
}

TEST(Recipe, OtherBudgetsAndOtherDataHaveThePapersProtocol) {
  EXPECT_EQ(chosen("auto", "cifar10", std::nullopt), "plain");
  EXPECT_EQ(chosen("auto", "mnist", 300), "plain");
  EXPECT_EQ(chosen("plain", "cifar10", 300), "plain");
  EXPECT_EQ(chosen("fast", "cifar10", std::nullopt), "cifar10-94");
  TrainConfig defaults;
  EXPECT_EQ(choose_recipe("plain", {}).config, defaults);
  defaults.data = "mnist";
  EXPECT_EQ(choose_recipe("auto", {"mnist", 300, 1}).config, defaults);
}

TEST(Recipe, ByNameForAnyData) {
  const RecipeChoice choice = choose_recipe("cifar10-94", {"cifar100", 300, 1});
  EXPECT_EQ(choice.name, "cifar10-94");
  EXPECT_EQ(choice.config.data, "cifar100");
  EXPECT_EQ(choice.config.model, "airbench");
  EXPECT_EQ(choice.config.batch_size, 2000);
}

void expect_refused(const std::string& asked, const std::string& data, const std::string& message) {
  try {
    choose_recipe(asked, {data, 300, 1});
    ADD_FAILURE() << asked << " was not refused";
  } catch (const InputError& error) {
    EXPECT_EQ(std::string(error.what()), message);
  }
}

TEST(Recipe, WhatThereIsNotIsRefused) {
  const std::string names = "cifar10-1m, cifar10-2m, cifar10-5m, cifar10-15m, cifar10-60m, cifar10-94";
  expect_refused("faster", "cifar10", "recipe \"faster\": must be auto, fast, plain or one of " + names);
  expect_refused("", "cifar10", "recipe \"\": must be auto, fast, plain or one of " + names);
  expect_refused("a\nb", "cifar10", "recipe \"a\\nb\": must be auto, fast, plain or one of " + names);
  expect_refused(
      "fast", "mnist",
      "recipe \"fast\": there is none for data \"mnist\", only for 32x32 images in colour (cifar10, "
      "cifar100); give plain, or a recipe by name (" +
          names + ")");
}

// Of every option: a new one belongs to one side or the other.
TEST(Recipe, WhatMakesTheMethodIsTheUsersOwnChoice) {
  const std::set<std::string> open = {"data",          "data_dir",         "val",
                                      "train_limit",   "test_limit",       "data_wait",
                                      "budget",        "deadline",         "seed",
                                      "eval_every",    "eval_batch_size",  "measure",
                                      "device",        "threads",          "workers",
                                      "precision",     "loss_scale",       "channels_last",
                                      "conv",          "deterministic",    "data_on_device",
                                      "cuda_graphs",   "checkpoint_every", "keep_checkpoints",
                                      "on_divergence", "saved_statistics", "context",
                                      "ignored_label", "train_fraction"};
  for (const ConfigKey& key : train_config_keys())
    EXPECT_EQ(leaves_recipe_open(key.name), open.count(key.name) != 0) << key.name;
  EXPECT_FALSE(leaves_recipe_open("no_such_key"));
}

}  // namespace
}  // namespace glidepath
