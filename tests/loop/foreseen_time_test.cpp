// tests/loop/foreseen_time_test.cpp - what many batches will take, told from a few.
#include "loop/foreseen_time.h"

#include <gtest/gtest.h>

namespace glidepath {
namespace {

TEST(ForeseenTime, TheMiddleDuration) {
  EXPECT_EQ(middle_between({}), 0);
  EXPECT_EQ(middle_between({5}), 0);
  EXPECT_EQ(middle_between({5, 6}), 1);
  EXPECT_EQ(middle_between({0, 3, 4}), 1);
  EXPECT_EQ(middle_between({0, 9, 10, 12}), 2);
}

TEST(ForeseenTime, BeforeThePaceIsKnownWhatWasMeasuredCounts) {
  ForeseenTime time;
  EXPECT_EQ(time.foresee(7, {}), 7);
  EXPECT_EQ(time.foresee(1, {}), 1);  // caches are warm
}

// Measured twelve times as long as before where updates are five times as slow: a few batches' luck.
TEST(ForeseenTime, WhatUpdatesDoNotBearOutIsNotBelieved) {
  ForeseenTime time;
  time.foresee(1, {});
  EXPECT_DOUBLE_EQ(time.foresee(12, {0.1, 0.02}), 10);
  EXPECT_DOUBLE_EQ(time.foresee(0.5, {0.1, 0.02}), 2.5);
  EXPECT_DOUBLE_EQ(time.foresee(7, {0.1, 0.02}), 7);
  EXPECT_DOUBLE_EQ(time.foresee(12, {0.024, 0.02}), 2.4);  // the load has gone
}

// Measured first while others had the cores: what is measured later, alone, is what to compare with.
TEST(ForeseenTime, ACalmerMachineIsTheNewMeasure) {
  ForeseenTime time;
  time.foresee(5, {});
  EXPECT_DOUBLE_EQ(time.foresee(1, {0.02, 0.02}), 1);
  EXPECT_DOUBLE_EQ(time.foresee(12, {0.1, 0.02}), 10);
}

}  // namespace
}  // namespace glidepath
