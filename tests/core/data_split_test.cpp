// tests/core/data_split_test.cpp - shares of a data set as text.
#include "core/data_split.h"

#include <gtest/gtest.h>

#include "glidepath/error.h"

namespace glidepath {
namespace {

TEST(DataSplit, ReadsSharesInPercentAndOfOne) {
  struct Case {
    const char *text, *canonical;
    double train, val, test;
    std::uint64_t seed;
  };
  for (const Case& c : {Case{"80/20", "80/20", 0.8, 0.2, 0, 0},
                        {"80/10/10", "80/10/10", 0.8, 0.1, 0.1, 0},
                        {"0.8/0.1/0.1", "80/10/10", 0.8, 0.1, 0.1, 0},
                        {"70 / 30@7", "70/30@7", 0.7, 0.3, 0, 7},
                        {"99.5/0.5", "99.5/0.5", 0.995, 0.005, 0, 0},
                        {"60/40@0", "60/40", 0.6, 0.4, 0, 0}}) {
    SCOPED_TRACE(c.text);
    const DataSplit split = DataSplit::parse(c.text);
    EXPECT_NEAR(split.train, c.train, 1e-12);
    EXPECT_NEAR(split.val, c.val, 1e-12);
    EXPECT_NEAR(split.test, c.test, 1e-12);
    EXPECT_EQ(split.seed, c.seed);
    EXPECT_EQ(split.text(), c.canonical);
    EXPECT_EQ(DataSplit::parse(split.text()).text(), split.text());
  }
}

TEST(DataSplit, SaysWhatIsWrong) {
  const auto wrong = [](const char* text) -> std::string {
    try {
      DataSplit::parse(text);
    } catch (const InputError& error) {
      return error.what();
    }
    return "no error";
  };
  const std::string advice =
      "; give shares for training, validation and, where wanted, a last test, for example 80/20 or 80/10/10";
  EXPECT_EQ(wrong("80"), "\"80\": must be two shares or three" + advice);
  EXPECT_EQ(wrong("70/10/10/10"), "\"70/10/10/10\": must be two shares or three" + advice);
  EXPECT_EQ(wrong("80/10"), "\"80/10\": the shares must sum to 100" + advice);
  EXPECT_EQ(wrong("0.5/0.4"), "\"0.5/0.4\": the shares must sum to 100" + advice);
  EXPECT_EQ(wrong("100/0"), "\"100/0\": every share must be a number above 0" + advice);
  EXPECT_EQ(wrong("80/-10/30"), "\"80/-10/30\": every share must be a number above 0" + advice);
  EXPECT_EQ(wrong("80/nan"), "\"80/nan\": every share must be a number above 0" + advice);
  EXPECT_EQ(wrong("a/b"), "\"a/b\": every share must be a number above 0" + advice);
  EXPECT_EQ(wrong("80/20@x"), "\"80/20@x\": the seed behind the @ is no whole number" + advice);
  EXPECT_EQ(wrong(""), "\"\": every share must be a number above 0" + advice);
}

}  // namespace
}  // namespace glidepath
