// tests/report/figures_test.cpp - what figures show against sums of the test's own; pictures that are whole.
#include "report/figures.h"

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "glidepath/error.h"
#include "glidepath/report.h"
#include "report/draw.h"
#include "report/gnuplot.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

RunRecord run_of(const std::string& schedule, const std::string& budget, std::uint64_t seed,
                 double accuracy) {
  RunRecord run;
  run.config.schedule = schedule;
  run.config.budget = budget;
  run.config.seed = seed;
  run.status = RunStatus::kDone;
  run.test_accuracy = accuracy;
  return run;
}

StudyResults made_study() {
  StudyResults results;
  results.name = "made";
  results.runs = {run_of("linear", "10%", 1, 0.5),  run_of("linear", "10%", 2, 0.6),
                  run_of("linear", "100%", 1, 0.9), run_of("step-d2", "10%", 1, 0.4),
                  run_of("step-d2", "10%", 2, 0.4), run_of("cut(a_b^{c})", "100%", 1, 0.8)};
  results.runs.push_back(run_of("linear", "1%", 1, 0.99));
  results.runs.back().status = RunStatus::kFailed;
  results.runs.push_back(run_of("linear", "20ep", 1, 0.99));  // not on this axis
  return results;
}

TEST(Figure1, MeansSpreadAndEnvelope) {
  const Figure1 figure = make_figure1(made_study());
  ASSERT_EQ(figure.lines.size(), 3U);
  EXPECT_EQ(figure.lines[0].schedule, "cut(a_b^{c})");  // best average first
  EXPECT_TRUE(figure.lines[0].cut);
  const AccuracyLine& linear = figure.lines[1];
  EXPECT_EQ(linear.schedule, "linear");
  EXPECT_FALSE(linear.cut);
  EXPECT_THAT(linear.budget, testing::ElementsAre(10, 100));
  EXPECT_NEAR(linear.mean[0], 55, 1e-12);
  EXPECT_NEAR(linear.stddev[0], std::sqrt(50.0), 1e-12);
  EXPECT_EQ(linear.stddev[1], 0);
  EXPECT_NEAR(figure.reference, 90, 1e-12);
  EXPECT_THAT(figure.budget, testing::ElementsAre(10, 100));
  EXPECT_NEAR(figure.envelope[0], 100 * 55.0 / 90, 1e-12);
  EXPECT_NEAR(figure.envelope[1], 100, 1e-12);
}

TEST(Figure1, StudyWithoutFinishedRunsIsRefused) {
  StudyResults results;
  results.name = "empty";
  try {
    make_figure1(results);
    FAIL();
  } catch (const InputError& error) {
    EXPECT_STREQ(error.what(),
                 "study \"empty\": no run with its budget in percent has finished; figure 1 needs some");
  }
}

class PictureTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "glidepath-figures-XXXXXX").string();
    folder_ = mkdtemp(name.data());
  }
  void TearDown() override { fs::remove_all(folder_); }
  static std::string bytes_of(const fs::path& file) {
    std::ostringstream text;
    text << std::ifstream(file, std::ios::binary).rdbuf();
    return text.str();
  }
  fs::path folder_;
};

TEST_F(PictureTest, SvgIsXmlWithAxesAndLiteralNames) {
  draw_figure1(make_figure1(made_study()), "a caption", folder_ / "fig1.svg");
  const std::string svg = bytes_of(folder_ / "fig1.svg");
  for (const char* text : {"test accuracy (%)", "budget (% of the full budget)", "linear", "step-d2",
                           "cut(a_b^{c})", "best trade-off", "a caption"}) {
    EXPECT_THAT(svg, testing::HasSubstr(text));
  }
  const std::string check =
      "python3 -c \"import sys, xml.dom.minidom; xml.dom.minidom.parse(sys.argv[1])\" " +
      (folder_ / "fig1.svg").string();
  EXPECT_EQ(std::system(check.c_str()), 0);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()), 1)
      << "only the picture is left";
}

TEST_F(PictureTest, PngHasItsSignatureAndTwiceTheSize) {
  draw_figure1(make_figure1(made_study()), "", folder_ / "fig1.png");
  const std::string png = bytes_of(folder_ / "fig1.png");
  ASSERT_GT(png.size(), 1000U);
  EXPECT_EQ(png.substr(0, 8), "\x89PNG\r\n\x1a\n");
  const auto width = static_cast<unsigned char>(png[18]) * 256 + static_cast<unsigned char>(png[19]);
  EXPECT_EQ(width, 2400);
}

TEST_F(PictureTest, SchedulesAreDrawnAndWrongEndingsRefused) {
  plot_schedules({"linear", "step-d2", "cosine(warmup=5%)"}, {}, folder_ / "s.svg");
  EXPECT_THAT(bytes_of(folder_ / "s.svg"), testing::HasSubstr("cosine(warmup=5%)"));
  EXPECT_THROW(plot_schedules({"linear"}, {}, folder_ / "s.pdf"), InputError);
  EXPECT_THROW(plot_schedules({}, {}, folder_ / "s.svg"), InputError);
}

TEST_F(PictureTest, MissingGnuplotSaysHowToGetIt) {
  const std::string path = std::getenv("PATH");
  setenv("PATH", "/nowhere", 1);
  std::string message;
  try {
    run_gnuplot("plot 1\n", folder_ / "a.svg", 100, 100);
  } catch (const RunError& error) {
    message = error.what();
  }
  setenv("PATH", path.c_str(), 1);
  EXPECT_THAT(message, testing::HasSubstr("apt-get install gnuplot-nox"));
}

TEST_F(PictureTest, GnuplotsComplaintsArePassedOnAndNothingIsLeft) {
  try {
    run_gnuplot("plot nonsense(\n", folder_ / "a.svg", 100, 100);
    FAIL();
  } catch (const RunError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("gnuplot failed"));
  }
  EXPECT_TRUE(fs::is_empty(folder_));
}

}  // namespace
}  // namespace glidepath
