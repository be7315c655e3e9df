// tests/core/words_test.cpp - texts that are numbers, and those that only look like it.
#include "core/words.h"

#include <limits>

#include <gtest/gtest.h>

namespace glidepath {
namespace {

TEST(Words, WholeTakesAMinusAndCountDoesNot) {
  struct Case {
    const char* text;
    std::optional<std::int64_t> whole, count;
  };
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  for (const Case& c : {Case{"0", 0, 0},
                        {"007", 7, 7},
                        {"9223372036854775807", kMost, kMost},
                        {"9223372036854775808", {}, {}},
                        {"-1", -1, {}},
                        {"-0", 0, {}},
                        {"+1", {}, {}},
                        {" 1", {}, {}},
                        {"1 ", {}, {}},
                        {"1.0", {}, {}},
                        {"1e3", {}, {}},
                        {"0x1", {}, {}},
                        {"-", {}, {}},
                        {"", {}, {}}}) {
    SCOPED_TRACE(c.text);
    EXPECT_EQ(words::whole(c.text), c.whole);
    EXPECT_EQ(words::count(c.text), c.count);
  }
}

TEST(Words, NumberIsFiniteAndAllOfTheText) {
  for (const auto& [text, expected] : {std::pair<const char*, std::optional<double>>{"0.25", 0.25},
                                       {"-2", -2.0},
                                       {"1e3", 1000.0},
                                       {".5", 0.5},
                                       {"1e400", {}},
                                       {"inf", {}},
                                       {"nan", {}},
                                       {"10k", {}},
                                       {"1e", {}},
                                       {"+1", {}},
                                       {" 1", {}},
                                       {"", {}}}) {
    SCOPED_TRACE(text);
    EXPECT_EQ(words::number(text), expected);
  }
}

}  // namespace
}  // namespace glidepath
