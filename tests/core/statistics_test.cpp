// tests/core/statistics_test.cpp - means, deviations, ranks and correlations worked out by hand.
#include "glidepath/statistics.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/golden_csv.h"
#include "core/student_t.h"
#include "glidepath/error.h"

namespace glidepath {
namespace {

TEST(Statistics, MeanAndSampleDeviation) {
  const std::vector<double> values{2, 4, 4, 4, 5, 5, 7, 9};
  EXPECT_DOUBLE_EQ(mean(values), 5);
  EXPECT_NEAR(sample_stddev(values), std::sqrt(32.0 / 7), 1e-15);
  EXPECT_TRUE(std::isnan(mean({})));
  EXPECT_TRUE(std::isnan(sample_stddev({1})));
}

TEST(Statistics, EqualValuesShareTheMeanOfTheirRanks) {
  EXPECT_THAT(ranks({0.9, 0.7, 0.9, 0.8}, true), testing::ElementsAre(1.5, 4, 1.5, 3));
  EXPECT_THAT(ranks({1, 1, 1}, false), testing::ElementsAre(2, 2, 2));
  EXPECT_THAT(ranks({3, 1, 2}, false), testing::ElementsAre(3, 1, 2));
}

TEST(Statistics, Correlation) {
  EXPECT_DOUBLE_EQ(correlation({1, 2, 3}, {2, 4, 6}), 1);
  EXPECT_DOUBLE_EQ(correlation({1, 2, 3}, {3, 2, 1}), -1);
  EXPECT_NEAR(correlation({1, 2, 3, 4}, {1, 3, 2, 4}), 0.8, 1e-15);
  EXPECT_TRUE(std::isnan(correlation({1, 1}, {1, 2})));
  EXPECT_THROW(correlation({1}, {1, 2}), InputError);
}

TEST(Statistics, CorrelationOfAConstantIsNoneThoughItsMeanIsRounded) {
  const std::vector<double> constant(11, 0.1), other = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
  EXPECT_TRUE(std::isnan(correlation(constant, other)));
  EXPECT_TRUE(std::isnan(correlation(other, constant)));
  EXPECT_TRUE(std::isnan(correlation(constant, constant)));
}

/// The numbers of a field of tests/data/golden/core/statistics.csv, made by SciPy and statsmodels.
std::vector<double> numbers(const std::string& field) {
  std::vector<double> list;
  std::istringstream stream(field);
  for (std::string number; std::getline(stream, number, ';');) list.push_back(std::stod(number));
  return list;
}

/// The rows of a kind, each a list of fields.
std::vector<std::vector<std::vector<double>>> golden(const std::string& kind) {
  std::vector<std::vector<std::vector<double>>> rows;
  for (const auto& line : read_csv(GLIDEPATH_TEST_DATA "/core/statistics.csv")) {
    if (line.front() != kind) continue;
    rows.emplace_back();
    for (std::size_t i = 1; i < line.size(); ++i) rows.back().push_back(numbers(line[i]));
  }
  EXPECT_GE(rows.size(), 4U) << kind;
  return rows;
}

TEST(Statistics, StudentsTEqualsMpmathsAndSciPys) {
  for (const auto& row : golden("two_sided")) {
    const double t = row[0][0], degrees = row[1][0], p = row[2][0];
    EXPECT_NEAR(student_t_two_sided(t, degrees), p, 1e-12 * p + 1e-300) << t << " " << degrees;
    EXPECT_NEAR(student_t_two_sided(-t, degrees), p, 1e-12 * p + 1e-300);
    EXPECT_NEAR(student_t_cdf(-t, degrees), p / 2, 1e-12 * p + 1e-300);
    EXPECT_NEAR(student_t_cdf(t, degrees), 1 - p / 2, 1e-12);
  }
  for (const auto& row : golden("quantile"))
    EXPECT_NEAR(student_t_quantile(row[0][0], row[1][0]), row[2][0], 1e-10 * (1 + std::abs(row[2][0])));
  EXPECT_EQ(student_t_two_sided(std::numeric_limits<double>::infinity(), 3), 0);
  EXPECT_TRUE(std::isnan(student_t_two_sided(1, 0)));
  EXPECT_TRUE(std::isnan(student_t_quantile(0, 3)));
}

TEST(Statistics, PairedDifferencesEqualSciPys) {
  for (const auto& row : golden("paired")) {
    const PairedDifference found = paired_difference(row[0], row[1]);
    EXPECT_EQ(found.pairs, row[0].size());
    EXPECT_NEAR(found.mean, row[2][0], 1e-12);
    EXPECT_NEAR(found.p_value, row[3][0], 1e-9 * row[3][0] + 1e-15);
    EXPECT_NEAR(found.half_width(0.05), row[4][0], 1e-9 * row[4][0]);
  }
}

TEST(Statistics, FewPairsShowNothing) {
  EXPECT_EQ(paired_difference({}, {}).p_value, 1);
  const PairedDifference one = paired_difference({3}, {1});
  EXPECT_EQ(one.mean, 2);
  EXPECT_EQ(one.p_value, 1);
  EXPECT_TRUE(std::isinf(one.half_width(0.05)));
  EXPECT_EQ(paired_difference({2, 3}, {1, 2}).p_value, 0);  // no spread at all
  EXPECT_EQ(paired_difference({2, 3}, {1, 2}).half_width(0.05), 0);
  EXPECT_EQ(paired_difference({2, 3}, {2, 3}).p_value, 1);
  EXPECT_THROW(paired_difference({1}, {}), InputError);
}

TEST(Statistics, HolmsEqualsStatsmodels) {
  for (const auto& row : golden("holm")) {
    const std::vector<double> adjusted = holm(row[0]);
    ASSERT_EQ(adjusted.size(), row[1].size());
    for (std::size_t i = 0; i < adjusted.size(); ++i) EXPECT_NEAR(adjusted[i], row[1][i], 1e-15);
  }
  EXPECT_TRUE(holm({}).empty());
}

// What a user relies on: of ten schedules that are all alike, one in twenty studies calls any two different.
TEST(Statistics, OfEqualsHolmFindsADifferenceInOneOfTwentyStudies) {
  std::mt19937 random(1);
  std::normal_distribution<double> normal;
  constexpr int kStudies = 2000, kOthers = 9, kSeeds = 5;
  int wrong = 0;
  for (int study = 0; study < kStudies; ++study) {
    std::vector<double> first(kSeeds), p_values;
    for (double& value : first) value = normal(random);
    for (int i = 0; i < kOthers; ++i) {
      std::vector<double> other(kSeeds);
      for (double& value : other) value = normal(random);
      p_values.push_back(paired_difference(first, other).p_value);
    }
    const std::vector<double> adjusted = holm(p_values);
    wrong += *std::min_element(adjusted.begin(), adjusted.end()) < 0.05 ? 1 : 0;
  }
  EXPECT_LE(wrong, 0.06 * kStudies);  // the tests share `first`, so they may be fewer than 5 %
}

TEST(Statistics, PairsNeededAreThoseOfTheExactPowerByTwoAtMost) {
  for (const auto& row : golden("needed"))
    EXPECT_NEAR(static_cast<double>(pairs_needed(row[0][0], 1, row[1][0])), std::ceil(row[2][0]), 2);
  EXPECT_EQ(pairs_needed(100, 1e-9, 0.05), 2U);
  EXPECT_EQ(pairs_needed(1e-9, 1, 0.05), 1'000'000U);
}

}  // namespace
}  // namespace glidepath
