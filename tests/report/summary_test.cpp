// tests/report/summary_test.cpp - the answer in words.
#include "report/summary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "report/grid_study.h"
#include "study/results/judge.h"

namespace glidepath {
namespace {

using testing::ElementsAre;

StudyTable table_of(std::vector<std::string> rows, std::vector<std::vector<TableCell>> cells) {
  StudyTable table;
  table.row_axis = "schedule";
  table.column_axis = "budget";
  table.rows = std::move(rows);
  for (std::size_t column = 0; column < cells.front().size(); ++column)
    table.columns.push_back(column == 0 ? "1%" : "100%");
  table.cells = std::move(cells);
  for (std::size_t column = 0; column < table.columns.size(); ++column) {
    table.verdicts.push_back(judge(column_of(table, column)));
  }
  rank_rows(table);
  return table;
}

TEST(Answer, TellsClearLeadsFromLevelOnes) {
  const StudyTable table =
      table_of({"linear", "step-d2"}, {{cell_of({70, 71, 72}), cell_of({93.0, 93.2, 93.4})},
                                       {cell_of({50, 51, 52.5}), cell_of({93.1, 93.3, 93.45})}});
  const StudyAnswer answer = make_answer(table);
  EXPECT_THAT(answer.rows, ElementsAre("linear", "step-d2"));
  ASSERT_EQ(answer.by_column.size(), 2U);
  EXPECT_EQ(answer.by_column[0].verdict, Verdict::kClear);
  EXPECT_NEAR(answer.by_column[0].lead, 59.5 / 3, 1e-12);
  EXPECT_EQ(confidence_text(answer.by_column[0]), "clear");
  EXPECT_EQ(confidence_text(answer.by_column[1]), "clear");  // by little, and in every seed
  EXPECT_EQ(
      headline(table, answer),
      "Nothing here tells linear and step-d2 apart: each is shown to be behind at 1 of 2 budgets, and their "
      "average ranks are equal.");
}

TEST(Answer, NamesTheBestRankOfThoseThatAreLeastOftenBehind) {
  const StudyTable table =
      table_of({"linear", "step-d2", "const"}, {{cell_of({70, 71, 72}), cell_of({80, 81, 82})},
                                                {cell_of({50, 51, 52}), cell_of({93.1, 93.3, 93.2})},
                                                {cell_of({70, 71, 71.5}), cell_of({10, 11, 12})}});
  const StudyAnswer answer = make_answer(table);
  EXPECT_EQ(
      headline(table, answer),
      "Use linear: it is shown to be behind at 1 of 2 budgets only. Ahead of it: step-d2 at 100%. The same "
      "is "
      "true of step-d2 and const; its average rank is better. Nowhere are all others shown to be behind it.");
  EXPECT_EQ(confidence_text(answer.by_column[0]), "too noisy to tell from const");
}

TEST(Answer, EqualRowsAreNotChosenBetween) {
  const StudyTable table =
      table_of({"linear", "rex", "const"}, {{cell_of({70, 71, 72}), cell_of({80, 81, 82})},
                                            {cell_of({70, 71, 72}), cell_of({80, 81, 82})},
                                            {cell_of({50, 51, 52}), cell_of({60, 61, 62})}});
  EXPECT_EQ(
      headline(table, make_answer(table)),
      "Nothing here tells linear and rex apart: each is shown to be behind at 0 of 2 budgets, and their "
      "average ranks are equal.");
}

TEST(Answer, WithNothingShownItSaysSoFirstAndHowManySeedsWouldTell) {
  const StudyTable table =
      table_of({"linear", "step-d2"}, {{cell_of({70, 75, 72})}, {cell_of({71, 70, 74})}});
  const StudyAnswer answer = make_answer(table);
  EXPECT_EQ(confidence_text(answer.by_column[0]), "too noisy to tell from step-d2");
  // Differences -1, 5, -2: spread 3.786. sqrt(31) 2 = 11.14 is above (t(.975, 30) + t(.8, 30)) 3.786 = 10.96,
  // and sqrt(30) 2 = 10.95 is below (t(.975, 29) + t(.8, 29)) 3.786 = 10.98.
  EXPECT_EQ(headline(table, answer),
            "No difference shown; 28 more seeds would tell a difference of 2 points. The best average rank, "
            "which is no "
            "proof: linear 1.00.");
}

TEST(Answer, OneSeedSupportsNoClaim) {
  const StudyTable table = table_of({"linear", "step-d2"}, {{cell_of({70})}, {cell_of({50})}});
  const StudyAnswer answer = make_answer(table);
  EXPECT_THAT(headline(table, answer), testing::StartsWith("No difference shown: there is one seed each"));
  EXPECT_EQ(confidence_text(answer.by_column[0]), "cannot be told: one seed");
}

TEST(Answer, NothingFinishedSaysSo) {
  const StudyTable table = table_of({"linear", "step-d2"}, {{cell_of({})}, {cell_of({})}});
  EXPECT_EQ(headline(table, make_answer(table)), "No run has finished yet.");
}

TEST(Answer, RunsThatHaveALossAloneAreSaidToBeShownAndNotJudged) {
  StudyTable table = table_of({"linear", "step-d2"}, {{cell_of({})}, {cell_of({})}});
  table.cells[0][0].losses = {0.5};
  EXPECT_EQ(headline(table, make_answer(table)),
            "Runs without an accuracy: the table shows their losses, lower being better.");
}

}  // namespace
}  // namespace glidepath
