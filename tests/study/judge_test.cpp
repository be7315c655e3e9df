// tests/study/judge_test.cpp - verdicts against scipy's and statsmodels', and how often they are wrong.
#include "study/results/judge.h"

#include <cmath>
#include <fstream>
#include <random>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "study/tables_support.h"

namespace glidepath {
namespace {

using testing::ElementsAre;

std::vector<const TableCell*> pointers_to(const std::vector<TableCell>& cells) {
  std::vector<const TableCell*> column;
  for (const TableCell& cell : cells) column.push_back(&cell);
  return column;
}

ColumnVerdict judge_cells(const std::vector<TableCell>& cells) { return judge(pointers_to(cells)); }

std::vector<TableCell> cells_of(const std::vector<std::vector<double>>& values) {
  std::vector<TableCell> cells;
  for (const auto& of_row : values) cells.push_back(cell_of(of_row));
  return cells;
}

std::string name_of(Standing standing) {
  return standing == Standing::kBehind ? "behind" : standing == Standing::kLevel ? "level" : "unsure";
}

TEST(Judge, AgreesWithScipyAndStatsmodels) {
  std::ifstream file(GLIDEPATH_TEST_DATA "/study/verdicts.json");
  const auto columns = nlohmann::json::parse(file);
  ASSERT_EQ(columns.size(), 48U);
  for (const auto& expected : columns) {
    SCOPED_TRACE(expected.dump());
    const ColumnVerdict found =
        judge_cells(cells_of(expected.at("cells").get<std::vector<std::vector<double>>>()));
    EXPECT_EQ(found.best, expected.at("best").get<std::size_t>());
    EXPECT_EQ(found.verdict == Verdict::kClear   ? "clear"
              : found.verdict == Verdict::kLevel ? "level"
                                                 : "noisy",
              expected.at("verdict"));
    ASSERT_EQ(found.rivals.size(), expected.at("rivals").size());
    for (std::size_t i = 0; i < found.rivals.size(); ++i) {
      const Rival& rival = found.rivals[i];
      const auto& wanted = expected.at("rivals")[i];
      EXPECT_EQ(rival.row, wanted.at("row"));
      EXPECT_NEAR(rival.p_value, wanted.at("p_value").get<double>(), 1e-9);
      EXPECT_NEAR(rival.difference.mean, wanted.at("difference").get<double>(), 1e-9);
      EXPECT_NEAR(rival.half_width, wanted.at("half_width").get<double>(), 1e-6 * rival.half_width);
      EXPECT_EQ(name_of(rival.standing), wanted.at("standing"));
    }
  }
}

// Ten rows that are equal, three seeds: a test of the best against each alone would call one behind in every
// second column, and Holm over the pairs with the best in every tenth.
TEST(Judge, OfEqualRowsCallsOneBehindInFivePercentOfColumnsAtMost) {
  constexpr int kColumns = 2000;
  std::mt19937_64 random(1);
  std::normal_distribution<double> normal;
  int wrong = 0;
  for (int i = 0; i < kColumns; ++i) {
    const std::vector<double> luck = {3 * normal(random), 3 * normal(random), 3 * normal(random)};
    std::vector<std::vector<double>> rows(10);
    for (auto& row : rows) {
      for (const double of_seed : luck) row.push_back(60 + of_seed + normal(random));
    }
    const ColumnVerdict verdict = judge_cells(cells_of(rows));
    wrong += std::any_of(verdict.rivals.begin(), verdict.rivals.end(),
                         [](const Rival& rival) { return rival.standing == Standing::kBehind; })
                 ? 1
                 : 0;
  }
  EXPECT_LE(wrong, 0.05 * kColumns + 2 * std::sqrt(0.05 * 0.95 * kColumns));
}

// The seeds' own luck is shared: of each alone the spread is 10 points, of the differences 0.1.
TEST(Judge, ComparesSeedBySeed) {
  const ColumnVerdict verdict = judge_cells(cells_of({{50, 60, 70}, {51.1, 61.2, 71}}));
  EXPECT_EQ(verdict.best, 1U);
  EXPECT_EQ(verdict.verdict, Verdict::kClear);
  TableCell other_seeds = cell_of({50, 60, 70});
  other_seeds.seeds = {4, 5, 6};
  EXPECT_EQ(judge_cells({other_seeds, cell_of({51.1, 61.2, 71})}).verdict, Verdict::kOneSeed);
}

TEST(Judge, ASpreadIsNoLevel) {
  EXPECT_EQ(judge_cells(cells_of({{50, 60, 70}, {70, 60, 50.5}})).verdict, Verdict::kNoisy);
  EXPECT_EQ(judge_cells(cells_of({{50, 60, 70}, {50.01, 60, 69.99}})).verdict, Verdict::kLevel);
  EXPECT_EQ(judge_cells(cells_of({{50, 60, 70}, {50, 60, 70}})).verdict, Verdict::kLevel);
}

TEST(Judge, OneSeedOneRowAndNoneSayNothing) {
  EXPECT_EQ(judge_cells(cells_of({{70}, {50}})).verdict, Verdict::kOneSeed);
  EXPECT_EQ(judge_cells(cells_of({{70, 71}, {}})).verdict, Verdict::kAlone);
  EXPECT_EQ(judge_cells(cells_of({{}, {}})).verdict, Verdict::kNoResult);
  EXPECT_FALSE(judge_cells(cells_of({{}, {}})).best);
}

// What a seed that diverged would have reached is not known; it is no reason to count the lucky one alone.
TEST(Judge, DivergedSeedsAreBehindAnyMean) {
  std::vector<TableCell> cells = cells_of({{90}, {50, 51, 52}, {}, {40, 41, 42}});
  cells[0].diverged = 2;
  cells[2].diverged = 3;
  const ColumnVerdict verdict = judge_cells(cells);
  EXPECT_EQ(verdict.best, 1U);
  ASSERT_EQ(verdict.rivals.size(), 3U);
  EXPECT_EQ(verdict.rivals[0].row, 3U);
  EXPECT_EQ(verdict.rivals[1].row, 0U);
  EXPECT_TRUE(verdict.rivals[1].by_divergence);
  EXPECT_EQ(verdict.rivals[1].standing, Standing::kBehind);
  EXPECT_EQ(verdict.rivals[2].row, 2U);
  EXPECT_THAT(ranks_of(pointers_to(cells)), ElementsAre(3, 1, 4, 2));
  cells[3] = TableCell();  // nothing has ended there yet
  EXPECT_TRUE(ranks_of(pointers_to(cells)).empty());
}

}  // namespace
}  // namespace glidepath
