// tests/report/numbers_test.cpp - numbers of made-up runs whose norms follow a formula; figures as CSV.
#include "report/numbers.h"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "report/made_study.h"

namespace glidepath {
namespace {

using testing::HasSubstr;

TEST(Numbers, CourseOfANormThatIsALineOfTheRate) {
  const NormCourse course = norm_course(measured(made_run("linear", "100%", 1, 0.5)), "grad_norm");
  EXPECT_NEAR(course.first, 2.101, 1e-12);
  EXPECT_NEAR(course.largest, 2.101, 1e-12);
  EXPECT_NEAR(course.last, 0.101, 1e-12);
  EXPECT_NEAR(course.lr_correlation, 1, 1e-12);
  EXPECT_NEAR(course.late_lr_correlation, 1, 1e-12);
  // ‖w‖ grows as the rate falls.
  EXPECT_NEAR(norm_course(measured(made_run("linear", "100%", 1, 0.5)), "weight_norm").lr_correlation, -1,
              1e-12);
}

TEST(Numbers, CorrelationIsPearsonsAndLeavesTheStartOutWhereAsked) {
  StudyRun run = made_run("linear", "100%", 1, 0.5);
  const double norms[] = {9, 1, 3, 2}, lrs[] = {0.1, 0.3, 0.2, 0.1}, progress[] = {0, 0.1, 0.5, 1};
  for (int i = 0; i < 4; ++i) run.measures.push_back({"grad_norm", i, progress[i], lrs[i], norms[i]});
  const NormCourse course = norm_course(run, "grad_norm");
  EXPECT_EQ(course.largest, 9);
  // By hand: norms less 3.75, rates less 0.175; then 1, 3, 2 less 2 and 0.3, 0.2, 0.1 less 0.2.
  EXPECT_NEAR(course.lr_correlation, -0.625 / std::sqrt(38.75 * 0.0275), 1e-12);
  EXPECT_NEAR(course.late_lr_correlation, -0.1 / std::sqrt(2 * 0.02), 1e-12);
}

TEST(Numbers, ConstantRateAndMissingMeasureHaveNoCorrelation) {
  EXPECT_TRUE(
      std::isnan(norm_course(measured(made_run("const", "100%", 1, 0.5)), "weight_norm").lr_correlation));
  EXPECT_TRUE(std::isnan(norm_course(made_run("linear", "100%", 1, 0.5), "grad_norm").last));
}

TEST(Numbers, EstimateIsCheckedAgainstTheExactNorm) {
  const EstimateCheck check = check_estimate(measured(made_run("linear", "100%", 1, 0.5)));
  EXPECT_EQ(check.moments, 11U);
  EXPECT_NEAR(check.mean_error, 0.1, 1e-12);
  EXPECT_NEAR(check.within_errors, 6.0 / 11, 1e-12);  // 0.1 is more than 2 x 0.04 and less than 2 x 0.2
}

TEST(Numbers, TablesHaveEverySubjectAndBudget) {
  const std::string text = render_numbers(whole_study());
  for (const char* row :
       {"| linear | 100% | 2 | 2.101 ± 0.001 | 2.101 ± 0.001 | 0.102 ± 0.001 | 0.048 ± 0.000 | 1.000 ± 0.000 "
        "|",
        "| const | 100% | 2 | 2.101 ± 0.001 | 2.101 ± 0.001 | 2.101 ± 0.001 | 1.000 ± 0.000 | - | - |",
        "| cut(exp(0.97)) | 25% | 2 | 2.101 ± 0.001 |", "### Weight norm", "### Online estimate",
        "and effective learning rate β (median)", "| adam | 50% | 2 |"}) {
    EXPECT_THAT(text, HasSubstr(row));
  }
}

TEST(Numbers, FigureAsCsvHasOneLineAPoint) {
  Figure figure{"3", "t", "", 1, {}};
  Panel panel;
  panel.title = "(a) htd(-6,3)";
  Series line{"n \"x\"", "s", 25, LineStyle::kSolid, false, {0, 0.5}, {1, std::nan("")}, {0.25, 0}};
  Series rate{"r", "lr", std::nan(""), LineStyle::kSolid, true, {1}, {0.125}, {}};
  panel.series = {line, rate};
  figure.panels = {panel};
  EXPECT_EQ(figure_csv(figure),
            "figure,panel,series,subject,budget,axis,x,y,spread\n"
            "3,\"(a) htd(-6,3)\",\"n \"\"x\"\"\",s,25,left,0,1,0.25\n"
            "3,\"(a) htd(-6,3)\",\"n \"\"x\"\"\",s,25,left,0.5,,0\n"
            "3,\"(a) htd(-6,3)\",r,lr,,right,1,0.125,\n");
}

}  // namespace
}  // namespace glidepath
