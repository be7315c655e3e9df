// tests/config/result_numbers_test.cpp - the one table of a run's numbers, and the page that describes them.
#include "config/result_numbers.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/task_facts.h"
#include "support/markdown.h"

namespace glidepath {
namespace {

TEST(ResultNumbers, EveryOneIsDescribedInTheDocumentation) {
  const auto rows = Markdown(GLIDEPATH_SOURCE_DIR "/docs/evaluation.md").table("in a store");
  std::vector<ResultNumber> numbers = result_numbers();
  numbers.erase(
      std::remove_if(numbers.begin(), numbers.end(), [](const auto& each) { return each.is_metric; }),
      numbers.end());
  ASSERT_EQ(rows.size(), numbers.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const ResultNumber& number = numbers[i];
    SCOPED_TRACE(number.name);
    EXPECT_EQ(unquoted(rows[i].at("number")), number.name);
    EXPECT_EQ(rows[i].at("what it is"), number.what);
    EXPECT_EQ(rows[i].at("in a store"), number.stored == Stored::kScore    ? "score"
                                        : number.stored == Stored::kColumn ? "column"
                                                                           : "");
  }
}

TEST(ResultNumbers, MetricsOfTasksAreDescribedTogether) {
  const auto rows = Markdown(GLIDEPATH_SOURCE_DIR "/docs/evaluation.md").table("better is");
  ASSERT_EQ(rows.size(), metric_facts().size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const MetricFacts& metric = metric_facts()[i];
    SCOPED_TRACE(metric.name);
    EXPECT_EQ(unquoted(rows[i].at("metric")), metric.name);
    EXPECT_EQ(rows[i].at("in words"), metric.what);
    EXPECT_EQ(rows[i].at("better is"), metric.higher_is_better ? "higher" : "lower");
    EXPECT_EQ(rows[i].at("told in"), metric.is_share ? "percent" : "itself");
    const ResultNumber* number = find_result_number("average_val_" + metric.name);
    ASSERT_NE(number, nullptr);
    EXPECT_EQ(number->what, "validation " + metric.what + " of the averaged weights");
    EXPECT_EQ(score_kind(number->name)->higher_is_better, metric.higher_is_better);
    EXPECT_EQ(score_kind(number->name)->is_share, metric.is_share);
  }
}

TEST(ResultNumbers, SayWhichOfThemAreScores) {
  EXPECT_FALSE(score_kind("seconds").has_value());
  EXPECT_FALSE(score_kind("best_update").has_value());
  EXPECT_TRUE(score_kind("tta_test_accuracy")->higher_is_better);
  EXPECT_FALSE(score_kind("test_loss_running")->higher_is_better);
}

TEST(ResultNumbers, NamesAreUniqueAndFound) {
  std::set<std::string> names;
  for (const ResultNumber& number : result_numbers()) {
    EXPECT_TRUE(names.insert(number.name).second) << number.name;
    EXPECT_EQ(find_result_number(number.name), &number);
  }
  EXPECT_EQ(find_result_number("accuracy"), nullptr);
}

TEST(ResultNumbers, WhatARunHasNoneOfIsAbsent) {
  TrainResult result;
  result.test_accuracy_running = result.test_loss_running = -1;
  for (const char* name : {"test_loss_running", "val_loss", "best_update", "best_test_accuracy_running"}) {
    SCOPED_TRACE(name);
    EXPECT_FALSE(find_result_number(name)->of(result).has_value());
  }
  result.val_images = 10;
  result.val_loss = 0.5;
  result.best = BestResult{7, 0.1, 0.2, 0.3, -1};
  EXPECT_EQ(find_result_number("val_loss")->of(result), ResultValue(0.5));
  EXPECT_EQ(find_result_number("best_update")->of(result), ResultValue(std::int64_t{7}));
  EXPECT_EQ(find_result_number("best_test_accuracy")->of(result), ResultValue(0.3));
  EXPECT_FALSE(find_result_number("best_test_accuracy_running")->of(result).has_value());
  result.test_accuracy_running = std::nan("");  // of a task that knows none
  result.test_loss_running = 2;
  EXPECT_EQ(find_result_number("test_loss_running")->of(result), ResultValue(2.0));
}

TEST(ResultNumbers, AreWhatTheirKindCanBe) {
  struct Case {
    double value;
    bool accuracy, loss, count;
  };
  constexpr double kInf = std::numeric_limits<double>::infinity();
  for (const Case& c : {Case{0, true, true, true},
                        {0.5, true, true, false},
                        {3, false, true, true},
                        {-0.1, false, false, false},
                        {kInf, false, false, false},
                        {std::nan(""), false, false, false}}) {
    SCOPED_TRACE(c.value);
    EXPECT_EQ(is_plausible(NumberKind::kAccuracy, c.value), c.accuracy);
    EXPECT_EQ(is_plausible(NumberKind::kLoss, c.value), c.loss);
    EXPECT_EQ(is_plausible(NumberKind::kAmount, c.value), c.loss);
    EXPECT_EQ(is_plausible(NumberKind::kCount, c.value), c.count);
  }
}

}  // namespace
}  // namespace glidepath
