// tests/core/wildcard_test.cpp - patterns against a slow reading of what they mean.
#include "core/wildcard.h"

#include <random>
#include <string>

#include <gtest/gtest.h>

namespace glidepath {
namespace {

/// By definition.
bool fits_slowly(const std::string& name, const std::string& pattern) {
  if (pattern.empty()) return name.empty();
  if (pattern[0] == '*') {
    return fits_slowly(name, pattern.substr(1)) || (!name.empty() && fits_slowly(name.substr(1), pattern));
  }
  return !name.empty() && (pattern[0] == '?' || pattern[0] == name[0]) &&
         fits_slowly(name.substr(1), pattern.substr(1));
}

TEST(Wildcard, NamesOfParameters) {
  EXPECT_TRUE(fits_pattern("layer1.0.conv1.weight", "layer1.*"));
  EXPECT_TRUE(fits_pattern("layer1.0.conv1.weight", "*.conv?.weight"));
  EXPECT_FALSE(fits_pattern("layer10.0.conv1.weight", "layer1.*"));
  EXPECT_FALSE(fits_pattern("fc.weight", "fc"));
  EXPECT_TRUE(fits_pattern("", "**"));
  EXPECT_FALSE(fits_pattern("", "?"));
}

TEST(Wildcard, EqualsItsDefinition) {
  std::mt19937 random(1);
  const auto text = [&](const std::string& letters, unsigned longest) {
    std::string made;
    for (unsigned length = random() % (longest + 1); length > 0; --length)
      made += letters[random() % letters.size()];
    return made;
  };
  int fitting = 0;
  for (int i = 0; i < 20'000; ++i) {
    const std::string name = text("ab", 8), pattern = text("ab*?", 6);
    ASSERT_EQ(fits_pattern(name, pattern), fits_slowly(name, pattern)) << name << " " << pattern;
    fitting += fits_pattern(name, pattern) ? 1 : 0;
  }
  EXPECT_GT(fitting, 1000);
}

}  // namespace
}  // namespace glidepath
