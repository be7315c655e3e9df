// tests/core/statistics_test.cpp - means, deviations, ranks and correlations worked out by hand.
#include "glidepath/statistics.h"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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

}  // namespace
}  // namespace glidepath
