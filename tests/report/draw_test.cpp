// tests/report/draw_test.cpp - pictures that are whole and show every series; gnuplot missing or complaining.
#include "report/figures/draw.h"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "glidepath/error.h"
#include "glidepath/report.h"
#include "report/figures/figures.h"
#include "report/figures/gnuplot.h"
#include "report/made_study.h"
#include "support/files.h"
#include "support/temporary_folder.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

class PictureTest : public testing::Test {
 protected:
  const TemporaryFolder temporary_{"figures"};
  const fs::path& folder_ = temporary_.path();
};

TEST_F(PictureTest, EverySvgIsXmlWithItsTitlesAndEverySeriesName) {
  const StudyData data = whole_study();
  std::string files;
  for (const std::string& id : figure_ids()) {
    SCOPED_TRACE(id);
    Figure figure = make_figure(id, data);
    figure.panels[0].title = "a_b^{c} 'quoted'";  // nothing in a text is interpreted
    const fs::path file = folder_ / (figure_file_name(id) + ".svg");
    draw_figure(figure, file);
    files += " " + file.string();
    const std::string svg = text_of(file);
    EXPECT_THAT(svg, testing::HasSubstr(figure.title));
    EXPECT_THAT(svg, testing::HasSubstr("invented"));
    EXPECT_THAT(svg, testing::HasSubstr("a_b^{c}"));
    for (const Panel& panel : figure.panels) {
      EXPECT_THAT(svg, testing::HasSubstr(panel.x_label));
      EXPECT_THAT(svg, testing::HasSubstr(panel.y_label));
      EXPECT_THAT(svg, testing::HasSubstr(panel.right_label));
      for (const Series& series : panel.series) EXPECT_THAT(svg, testing::HasSubstr(series.name));
    }
  }
  const std::string check =
      "python3 -c \"import sys, xml.dom.minidom; [xml.dom.minidom.parse(f) for f in sys.argv[1:]]\"" + files;
  EXPECT_EQ(std::system(check.c_str()), 0);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()),
            static_cast<std::ptrdiff_t>(figure_ids().size()))
      << "only the pictures are left";
}

TEST_F(PictureTest, PngHasItsSignatureAndTwiceTheSizeOfTheSvg) {
  const Figure figure = make_figure1(whole_study());
  draw_figure(figure, folder_ / "fig1.png");
  draw_figure(figure, folder_ / "fig1.svg");
  const std::string png = text_of(folder_ / "fig1.png");
  ASSERT_GT(png.size(), 1000U);
  EXPECT_EQ(png.substr(0, 8), "\x89PNG\r\n\x1a\n");
  const auto width = static_cast<unsigned char>(png[18]) * 256 + static_cast<unsigned char>(png[19]);
  EXPECT_THAT(text_of(folder_ / "fig1.svg"),
              testing::HasSubstr("viewBox=\"0 0 " + std::to_string(width / 2) + " "));
}

// A page of a PDF is told in points, 72 to an inch.
TEST_F(PictureTest, PdfIsAsWideAsWasAskedFor) {
  const Folder folder = Folder::make(folder_);
  draw_figure(make_figure1(whole_study()), folder, "a.pdf", {false, 8.5});
  const std::string pdf = text_of(folder_ / "a.pdf");
  EXPECT_EQ(pdf.substr(0, 5), "%PDF-");
  const auto box = pdf.find("/MediaBox [");
  ASSERT_NE(box, std::string::npos);
  double left = 0, bottom = 0, width = 0, height = 0;
  ASSERT_EQ(std::sscanf(pdf.c_str() + box, "/MediaBox [ %lf %lf %lf %lf", &left, &bottom, &width, &height),
            4);
  EXPECT_NEAR(width, 8.5 / 2.54 * 72, 1.5);
  EXPECT_GT(height, 2 * width);  // one panel above the other
}

TEST_F(PictureTest, WithoutCaptionThereAreOnlyThePanels) {
  const Folder folder = Folder::make(folder_);
  const Figure figure = make_figure1(whole_study());
  draw_figure(figure, folder, "with.svg");
  draw_figure(figure, folder, "without.svg", {false, 0});
  const std::string with = text_of(folder_ / "with.svg"), without = text_of(folder_ / "without.svg");
  for (const char* text : {"Accuracy against budget", "invented"}) {
    EXPECT_THAT(with, testing::HasSubstr(text));
    EXPECT_THAT(without, testing::Not(testing::HasSubstr(text)));
  }
  EXPECT_THAT(without, testing::HasSubstr("(a) accuracy"));
}

TEST_F(PictureTest, AnyUnitOfBudgetsHasItsPlacesNamed) {
  StudyData data{"made", "made up", {}};
  for (const char* budget : {"0.25ep", "1500ep"}) data.runs.push_back(made_run("linear", budget, 1, 0.5));
  draw_figure(make_figure1(data), folder_ / "a.svg");
  for (const char* text : {">0.25<", ">1500<", "budget (epochs)"})
    EXPECT_THAT(text_of(folder_ / "a.svg"), testing::HasSubstr(text));
  data.runs.pop_back();
  EXPECT_NO_THROW(draw_figure(make_figure1(data), folder_ / "one.svg"));
}

// gnuplot's svg forgets a line's dashes where it has the colour and the width of the line before.
TEST_F(PictureTest, TheLegendTellsDashedFromSolid) {
  const auto dashes = [&](const std::string& second) {
    Panel panel;
    for (const std::string& subject : {std::string("cut(step-d2)"), second}) {
      Series line;
      line.name = line.subject = subject;
      line.x = {0, 1};
      line.y = {1, 2};
      if (panel.series.empty()) line.style = LineStyle::kDashed;
      panel.series.push_back(line);
    }
    draw_figure({"x", "Dashes", "", 1, {panel}}, folder_ / "a.svg");
    const std::string svg = text_of(folder_ / "a.svg");
    int count = 0;
    for (auto place = svg.find("stroke-dasharray"); place != std::string::npos;
         place = svg.find("stroke-dasharray", place + 1))
      ++count;
    return count;
  };
  EXPECT_EQ(dashes("step-d2"), dashes("cosine"));
}

TEST_F(PictureTest, GapsNothingAndASinglePointAreBorne) {
  Figure figure{"x", "Odd", "", 2, {}};
  Panel panel;
  panel.log_y = true;
  Series gap;
  gap.name = gap.subject = "gap";
  gap.x = {0, 1, 2, 3};
  gap.y = {1, std::nan(""), 0, 2};  // zero is nowhere on a logarithmic axis
  gap.spread = {2, 0, 0, 0.5};
  Series point = gap;
  point.name = point.subject = "point";
  point.x = {1};
  point.y = {1};
  point.spread = {0};
  Series none;
  none.name = "none";
  panel.series = {gap, point, none};
  figure.panels = {panel};
  EXPECT_NO_THROW(draw_figure(figure, folder_ / "odd.svg"));
  figure.panels[0].series = {none};
  EXPECT_THROW(draw_figure(figure, folder_ / "none.svg"), InputError);
  figure.panels.clear();
  EXPECT_THROW(draw_figure(figure, folder_ / "none.svg"), InputError);
}

TEST_F(PictureTest, SchedulesAreDrawnAndWrongEndingsRefused) {
  plot_schedules({"linear", "step-d2", "cosine(warmup=5%)"}, {}, folder_ / "s.svg");
  EXPECT_THAT(text_of(folder_ / "s.svg"), testing::HasSubstr("cosine(warmup=5%)"));
  EXPECT_THROW(plot_schedules({"linear"}, {}, folder_ / "s.eps"), InputError);
  EXPECT_THROW(plot_schedules({}, {}, folder_ / "s.svg"), InputError);
}

// What stands in a study's texts is shown, whatever it is in gnuplot's language, and never done.
TEST_F(PictureTest, TextsAreNoPartOfTheProgram) {
  const fs::path touched = folder_ / "touched";
  const std::string command = "system(\"touch " + touched.string() + "\")";
  Figure figure = make_figure1(whole_study());
  for (const std::string& text : {"x\n" + command + "\n#", "x'\n" + command + "\n'", "EOD\n" + command,
                                  "x\r" + command + "\r", std::string("`touch ") + touched.string() + "`",
                                  "@" + command, std::string("<script>alert(1)</script>")}) {
    SCOPED_TRACE(text);
    figure.title = figure.text = figure.panels[0].title = figure.panels[0].x_label = text;
    figure.panels[0].y_label = figure.panels[0].series[0].name = figure.panels[0].series[0].subject = text;
    draw_figure(figure, folder_ / "a.svg");
    EXPECT_FALSE(fs::exists(touched));
    EXPECT_THAT(text_of(folder_ / "a.svg"), testing::Not(testing::HasSubstr("<script>")));
  }
}

TEST_F(PictureTest, TheUsersOwnGnuplotSettingsDoNotMatter) {
  draw_figure(make_figure1(whole_study()), folder_ / "before.svg");
  std::ofstream(folder_ / ".gnuplot")
      << "set terminal dumb\nset output 'elsewhere'\nset key on\nset size 0.1,0.1\n";
  const std::string home = std::getenv("HOME");
  ::setenv("HOME", folder_.c_str(), 1);
  ::setenv("GNUTERM", "dumb", 1);
  draw_figure(make_figure1(whole_study()), folder_ / "after.svg");
  ::setenv("HOME", home.c_str(), 1);
  ::unsetenv("GNUTERM");
  EXPECT_EQ(text_of(folder_ / "after.svg"), text_of(folder_ / "before.svg"));
}

TEST_F(PictureTest, FoldersOfAnyNameDo) {
  const fs::path odd = folder_ / "a 'quoted'\nset output \"x\"";
  fs::create_directory(odd);
  draw_figure(make_figure1(whole_study()), odd / "a.svg");
  EXPECT_GT(fs::file_size(odd / "a.svg"), 1000U);
}

// A store may hold any number that a double can be. The decades of an axis are counted from its smallest.
TEST_F(PictureTest, NumbersAtTheEndsOfADoubleAreGaps) {
  for (const double extreme : {5e-324, 1e-300, 1e300, 1.7976931348623157e308, -1e300}) {
    SCOPED_TRACE(extreme);
    Figure figure{"x", "Odd", "", 2, {}};
    Series line;
    line.name = line.subject = "line";
    line.x = {0, 1, 2};
    line.y = {1, extreme, extreme};
    Panel panel;
    panel.series = {line};
    for (const bool log : {false, true}) {
      panel.log_y = log;
      figure.panels = {panel};
      EXPECT_NO_THROW(draw_figure(figure, folder_ / "odd.svg"));
    }
  }
}

TEST_F(PictureTest, MissingGnuplotSaysHowToGetIt) {
  const std::string path = std::getenv("PATH");
  setenv("PATH", "/nowhere", 1);
  std::string message;
  try {
    run_gnuplot("plot 1\n", Folder::open(folder_), "a.svg", 100, 100);
  } catch (const RunError& error) {
    message = error.what();
  }
  setenv("PATH", path.c_str(), 1);
  EXPECT_THAT(message, testing::HasSubstr("apt-get install gnuplot-nox"));
}

TEST_F(PictureTest, GnuplotsComplaintsArePassedOnAndNothingIsLeft) {
  try {
    run_gnuplot("plot nonsense(\n", Folder::open(folder_), "a.svg", 100, 100);
    FAIL();
  } catch (const RunError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("gnuplot failed"));
  }
  EXPECT_TRUE(fs::is_empty(folder_));
}

}  // namespace
}  // namespace glidepath
