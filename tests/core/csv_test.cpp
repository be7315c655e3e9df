// tests/core/csv_test.cpp - what RFC 4180 and Python's csv module say of the same texts.
#include "core/csv.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "glidepath/error.h"

namespace glidepath {
namespace {

using testing::ElementsAre;

std::vector<std::vector<std::string>> fields_of(const std::string& text) {
  std::vector<std::vector<std::string>> rows;
  for (const CsvRow& row : parse_csv(text, "a.csv")) rows.push_back(row.fields);
  return rows;
}

TEST(Csv, FieldsQuotesAndLines) {
  EXPECT_THAT(fields_of("a,b\r\n 1 ,\"x, \"\"y\"\"\nz\"\r\n\r\n,\n"),
              ElementsAre(ElementsAre("a", "b"), ElementsAre("1", "x, \"y\"\nz"), ElementsAre("", "")));
  EXPECT_THAT(fields_of("\xEF\xBB\xBF"
                        "a,\"\""),
              ElementsAre(ElementsAre("a", "")));
  EXPECT_THAT(fields_of(""), ElementsAre());
  const auto rows = parse_csv("a\n\"b\nc\"\nd", "a.csv");
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[1].line, 2U);
  EXPECT_EQ(rows[2].line, 4U);
}

TEST(Csv, WhatIsNoCsvIsRefused) {
  EXPECT_THROW(parse_csv("a,\"b", "a.csv"), InputError);
  EXPECT_THROW(parse_csv("\"a\"b,c", "a.csv"), InputError);
}

}  // namespace
}  // namespace glidepath
