// tests/report/summary_test.cpp - the answer against numbers of scipy and of published tables.
#include "report/summary.h"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "report/grid_study.h"

namespace glidepath {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

StudyTable table_of(std::vector<std::string> rows, std::vector<std::vector<TableCell>> cells) {
  StudyTable table;
  table.row_axis = "schedule";
  table.column_axis = "budget";
  table.rows = std::move(rows);
  for (std::size_t column = 0; column < cells.front().size(); ++column)
    table.columns.push_back(column == 0 ? "1%" : "100%");
  table.cells = std::move(cells);
  return table;
}

TEST(Welch, EqualsItsFormulaWorkedByHand) {
  // a: mean 5, variance 1, n 3; b: mean 2, variance 4, n 3: t = 3 / sqrt(1/3 + 4/3), degrees
  // (5/3)^2 / ((1/9)/2 + (16/9)/2) = 50/17.
  const WelchTest test = welch(cell_of({4, 5, 6}), cell_of({0, 2, 4}));
  EXPECT_NEAR(test.t, 3 / std::sqrt(5.0 / 3), 1e-12);
  EXPECT_NEAR(test.degrees, 50.0 / 17, 1e-12);
}

TEST(Welch, HasNoValueForOneSeedAndNoLimitWithoutSpread) {
  EXPECT_TRUE(std::isnan(welch(cell_of({5}), cell_of({1, 2})).t));
  EXPECT_EQ(welch(cell_of({2, 2}), cell_of({1, 1})).t, INFINITY);
  EXPECT_EQ(welch(cell_of({2, 2}), cell_of({2, 2})).t, 0);
}

TEST(CriticalT, IsThatOfPublishedTablesAndCautiousBetween) {
  EXPECT_EQ(critical_t(1), 12.706);
  EXPECT_EQ(critical_t(4), 2.776);
  EXPECT_EQ(critical_t(4.99), 2.776);
  EXPECT_EQ(critical_t(1000), 1.980);
  EXPECT_EQ(critical_t(0.5), INFINITY);
}

TEST(Answer, TellsClearLeadsFromLevelOnes) {
  const StudyTable table =
      table_of({"linear", "step-d2"}, {{cell_of({70, 71, 72}), cell_of({93.0, 93.2, 93.4})},
                                       {cell_of({50, 51, 52}), cell_of({93.1, 93.3, 93.2})}});
  const StudyAnswer answer = make_answer(table);
  EXPECT_EQ(answer.row, "linear");
  EXPECT_EQ(answer.level_columns, 2U);
  ASSERT_EQ(answer.by_column.size(), 2U);
  EXPECT_TRUE(answer.by_column[0].is_clear);
  EXPECT_NEAR(answer.by_column[0].lead, 20, 1e-12);
  EXPECT_NEAR(answer.by_column[0].lead_errors, 20 / std::sqrt(2.0 / 3), 1e-12);
  EXPECT_FALSE(answer.by_column[1].is_clear);
  EXPECT_THAT(answer.by_column[1].level, testing::UnorderedElementsAre("linear", "step-d2"));
  EXPECT_EQ(headline(table, answer),
            "Use linear: it is best, or level with the best, at all 2 budgets. Its lead is clear at 1%.");
  EXPECT_EQ(confidence_text(answer.by_column[0]), "clear");
}

TEST(Answer, NamesWhereAnotherIsClearlyBetter) {
  const StudyTable table =
      table_of({"linear", "step-d2", "const"}, {{cell_of({70, 71, 72}), cell_of({80, 81, 82})},
                                                {cell_of({50, 51, 52}), cell_of({93.1, 93.3, 93.2})},
                                                {cell_of({70, 71, 72.5}), cell_of({10, 11, 12})}});
  const StudyAnswer answer = make_answer(table);
  EXPECT_EQ(answer.level_columns, 1U);
  EXPECT_THAT(headline(table, answer), HasSubstr("Clearly better: step-d2 at 100%."));
}

TEST(Answer, OneSeedSupportsNoClaim) {
  const StudyTable table = table_of({"linear", "step-d2"}, {{cell_of({70})}, {cell_of({50})}});
  const StudyAnswer answer = make_answer(table);
  EXPECT_FALSE(answer.by_column[0].is_clear);
  EXPECT_THAT(answer.by_column[0].level, ElementsAre("linear"));
  EXPECT_THAT(headline(table, answer), HasSubstr("one seed"));
  EXPECT_EQ(confidence_text(answer.by_column[0]), "cannot be told: one seed");
}

TEST(Answer, NothingFinishedSaysSo) {
  const StudyTable table = table_of({"linear", "step-d2"}, {{cell_of({})}, {cell_of({})}});
  EXPECT_EQ(headline(table, make_answer(table)), "No run has finished yet.");
}

}  // namespace
}  // namespace glidepath
