// tests/session/run_result_test.cpp - the summary of a run has the numbers of the one table, and no others.
#include "session/run_result.h"

#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <torch/types.h>

#include "config/result_numbers.h"
#include "glidepath/error.h"
#include "glidepath/train.h"
#include "loop/digits_run.h"
#include "support/run_results.h"
#include "support/temporary_folder.h"

namespace glidepath {
namespace {

using Names = std::set<std::string>;

Names numbers_in(const nlohmann::json& object) {
  Names names;
  for (const auto& [key, value] : object.items()) {
    if (value.is_number()) names.insert(key);
  }
  return names;
}

/// The table's, of which `result` has a value.
Names numbers_of(const TrainResult& result, bool spent) {
  Names names;
  for (const ResultNumber& number : result_numbers()) {
    if ((number.part == SummaryPart::kSpent) == spent && number.of(result)) names.insert(number.name);
  }
  return names;
}

class RunSummary : public testing::Test {
 protected:
  TrainResult run(const TrainConfig& config) {
    TrainOptions options;
    options.out = folder_ / "run";
    return train(config, options);
  }
  const TemporaryFolder temporary_{"summary"};
  const std::filesystem::path& folder_ = temporary_.path();
};

TEST_F(RunSummary, HasEveryNumberOfTheTableAndNoOther) {
  TrainConfig config = digits_run("20it");
  config.val = "100";
  config.eval_every = "5it";
  config.average = "ema(10%)";
  config.test_augment = "flip";
  config.model = "resnet8";  // with batch norm
  const TrainResult result = run(config);
  const nlohmann::json summary = summary_of(folder_ / "run");
  Names expected = numbers_of(result, false), spent = numbers_of(result, true);
  const auto of_all_tasks = std::count_if(result_numbers().begin(), result_numbers().end(),
                                          [](const ResultNumber& number) { return !number.is_metric; });
  EXPECT_EQ(static_cast<std::ptrdiff_t>(expected.size() + spent.size()), of_all_tasks);  // this run has all
  expected.insert("seed");  // of the configuration
  EXPECT_EQ(numbers_in(summary), expected);
  spent.insert({"updates", "epochs", "seconds"});
  EXPECT_EQ(numbers_in(summary.at("spent")), spent);
  for (const char* name : {"updates", "epochs", "seconds"})
    EXPECT_EQ(summary.at("spent").at(name), summary.at(name)) << name;
}

TEST_F(RunSummary, ValuesAreThoseOfTheResult) {
  const TrainResult result = run(digits_run("20it"));
  const nlohmann::json summary = summary_of(folder_ / "run");
  EXPECT_EQ(summary.count("val_loss") + summary.count("best_update"), 0U);
  for (const ResultNumber& number : result_numbers()) {
    SCOPED_TRACE(number.name);
    const auto value = number.of(result);
    if (!value || number.name == std::string("seconds")) continue;  // those of train() end later
    const nlohmann::json& told =
        number.part == SummaryPart::kSpent ? summary.at("spent").at(number.name) : summary.at(number.name);
    EXPECT_TRUE(std::visit([&](const auto& plain) { return told == plain; }, *value)) << told;
    EXPECT_TRUE(is_plausible(number.kind, told.get<double>())) << told;
    EXPECT_EQ(told.is_number_integer(), number.kind == NumberKind::kCount);
  }
}

TEST_F(RunSummary, OfARunThatDivergedTellsWhatIsKnown) {
  TrainConfig config = digits_run("20it");
  config.base_lr = 1e30;
  config.val = "100";
  EXPECT_THROW(run(config), RunError);
  const nlohmann::json summary = summary_of(folder_ / "run");
  EXPECT_EQ(summary.at("status"), "diverged");
  EXPECT_TRUE(summary.at("train_loss").is_null() || summary.at("train_loss").is_number());
  EXPECT_EQ(summary.at("val_images"), 100);
  EXPECT_EQ(summary.at("threads"), 1);
  EXPECT_EQ(summary.at("updates"), summary.at("divergence").at("update"));
}

}  // namespace
}  // namespace glidepath
