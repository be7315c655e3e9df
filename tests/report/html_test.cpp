// tests/report/html_test.cpp - the report's page: whole, safe, self-contained and small.
#include "report/page/html.h"

#include <cmath>
#include <cstdlib>
#include <regex>
#include <stdexcept>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/safe_text.h"
#include "report/figures/palette.h"
#include "report/grid_study.h"
#include "report/page/page.h"

namespace glidepath {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string between(const std::string& text, const std::string& begin, const std::string& end) {
  const std::size_t from = text.find(begin);
  if (from == std::string::npos) return {};
  return text.substr(from + begin.size(), text.find(end, from + begin.size()) - from - begin.size());
}

nlohmann::json data_of(const std::string& page) {
  return nlohmann::json::parse(between(page, "id=\"data\">", "</script>"));
}

/// The page without the chart library, whose licence names an address.
std::string without_library(std::string page) {
  const std::string library(asset("echarts.min.js"));
  return page.erase(page.find(library), library.size());
}

Figure figure_of(const std::string& name) {
  Series series;
  series.name = series.subject = name;
  series.x = {1, 10};
  series.y = {50, std::nan("")};
  series.spread = {0.5, 0.25};
  series.right_axis = true;
  series.style = LineStyle::kDashed;
  Panel panel;
  panel.title = "a panel";
  panel.x_is_budget = panel.log_x = panel.log_right = true;
  panel.right_label = "learning rate";
  panel.series = {series};
  return {"3", "a figure", "what is seen", 2, {panel}};
}

TEST(Page, EscapesWhatHtmlAndScriptsWouldRead) {
  EXPECT_EQ(html_text("<a href=\"x\">'&"), "&lt;a href=&quot;x&quot;&gt;&#39;&amp;");
  EXPECT_EQ(escape_json_for_script("\"</script><!--\""), "\"\\u003c/script>\\u003c!--\"");
  EXPECT_EQ(escape_json_for_script("\"\u2028\u2029\u2027\""), "\"\\u2028\\u2029\u2027\"");
  EXPECT_EQ(nlohmann::json::parse(escape_json_for_script("\"</script>\u2028\"")).get<std::string>(),
            "</script>\u2028");
}

TEST(Page, TemplatesTakeValuesAsTheyAre) {
  EXPECT_EQ(fill_template("a{{x}}b{{y}}{{x}}", {{"x", "{{y}}"}, {"y", "2"}}), "a{{y}}b2{{y}}");
  EXPECT_THROW(fill_template("{{z}}", {}), std::out_of_range);
}

TEST(Report, HostileNamesStayText) {
  StudyResults results = grid_study({"linear"}, {"10%"}, 1);
  results.title = "</title><script>alert(1)</script>";
  results.runs[0].error = "</script><script>alert(2)</script> \xff";
  const std::string page = render_html(results, "<b>", {figure_of("</script><script>alert(3)")}, {});
  EXPECT_THAT(page, Not(HasSubstr("<script>alert")));
  EXPECT_EQ(data_of(page)["title"], results.title);
  EXPECT_EQ(data_of(page)["figures"][0]["panels"][0]["series"][0]["name"], "</script><script>alert(3)");
}

TEST(Report, HoldsFiguresAsTheyAre) {
  const auto panel = data_of(render_html(grid_study({"linear"}, {"10%"}, 1), "", {figure_of("linear")},
                                         {}))["figures"][0]["panels"][0];
  EXPECT_EQ(panel["right_label"], "learning rate");
  EXPECT_EQ(panel["log_right"], true);
  EXPECT_EQ(panel["series"][0]["x"], nlohmann::json({1.0, 10.0}));
  EXPECT_EQ(panel["series"][0]["y"], nlohmann::json({50.0, nullptr}));
  EXPECT_EQ(panel["series"][0]["spread"], nlohmann::json({0.5, 0.25}));
  EXPECT_EQ(panel["series"][0]["style"], "dashed");
  EXPECT_EQ(panel["series"][0]["right"], true);
  EXPECT_EQ(panel["series"][0]["reference"], false);
  EXPECT_TRUE(panel["series"][0]["budget"].is_null());
}

TEST(Report, TellsPublishedSeriesFromOurs) {
  Figure figure = figure_of("linear");
  figure.panels[0].series[0].is_reference = true;
  const std::string page = render_html(grid_study({"linear"}, {"10%"}, 1), "", {figure}, {});
  EXPECT_EQ(data_of(page)["figures"][0]["panels"][0]["series"][0]["reference"], true);
}

TEST(Report, SaysWhatItsTablesAreOfAndShowsBothKindsOfStatistics) {
  StudyResults results = grid_study({"linear", "const"}, {"10%"}, 2);
  results.table.labels = {{"const", "never <down>"}};
  std::string page = render_html(results, "", {figure_of("linear")}, {});
  EXPECT_THAT(page, HasSubstr("In percent: test accuracy, mean"));
  EXPECT_THAT(page, HasSubstr("<code>never &lt;down&gt;</code>"));
  EXPECT_THAT(page, Not(HasSubstr("running statistics")));
  results.runs[0].scores = {{"test_accuracy_running", 0.125}, {"val_accuracy", 0.25}};
  page = render_html(results, "", {figure_of("linear")}, {});
  EXPECT_THAT(
      page,
      HasSubstr("In percent: test accuracy with batch norm&#39;s running statistics in place of fresh"));
  EXPECT_THAT(page, HasSubstr(">12.50 (1 of 2)<"));
  results.table.score = "val_accuracy";
  page = render_html(results, "", {figure_of("linear")}, {});
  EXPECT_THAT(page, HasSubstr("In percent: validation accuracy, mean"));
  EXPECT_THAT(page, HasSubstr("<th scope=\"col\" class=\"number\">validation accuracy, %</th>"));
}

TEST(Report, ListsRunsByTheScoreOfTheirTask) {
  StudyResults results = grid_study({"linear"}, {"10%"}, 2);
  results.runs[0].test_accuracy = 0.125;
  auto data = data_of(render_html(results, "", {figure_of("linear")}, {}));
  EXPECT_EQ(data["score"], "test accuracy");
  EXPECT_EQ(data["runs"][0]["score"]["words"], "12.50 %");
  EXPECT_EQ(data["runs"][0]["score"]["goodness"], 0.125);
  for (RunRecord& run : results.runs) run.test_accuracy = NAN;
  results.runs[0].scores = {{"test_perplexity", 4.8}};
  data = data_of(render_html(results, "", {figure_of("linear")}, {}));
  EXPECT_EQ(data["score"], "test perplexity");
  EXPECT_EQ(data["runs"][0]["score"]["words"], "perplexity 4.800");
  EXPECT_EQ(data["runs"][0]["score"]["text"], "4.800");
  EXPECT_EQ(data["runs"][0]["score"]["goodness"], -4.8);
  EXPECT_TRUE(data["runs"][1]["score"].is_null()) << "it has none of its own";
}

TEST(Report, HasTheOrderOfItsRowsAndHowSureItIs) {
  StudyResults results = grid_study({"linear", "const", "cosine"}, {"100%"}, 3);
  const double accuracies[] = {0.75, 0.5, 0.751, 0.751, 0.515, 0.75, 0.752, 0.52, 0.753};
  for (std::size_t i = 0; i < results.runs.size(); ++i) results.runs[i].test_accuracy = accuracies[i];
  results.table.labels = {{"const", "never <down>"}};
  const std::string page = render_html(results, "", {figure_of("linear")}, {});
  EXPECT_THAT(page, HasSubstr("<a href=\"#order\">Order</a>"));
  const std::string order = between(page, "<section id=\"order\"", "</section>");
  EXPECT_THAT(order, HasSubstr("<code>never &lt;down&gt;</code>"));
  // The two that are level share a letter and no rank of their own, and const is shown to be behind.
  EXPECT_THAT(order,
              HasSubstr("<td class=\"number\">1\u20132</td><th scope=\"row\"><span class=\"muted\">1</span> "
                        "<code>cosine</code></th>"));
  EXPECT_THAT(order, HasSubstr("<td class=\"letters\">a</td>"));
  EXPECT_THAT(order, HasSubstr("<td class=\"letters\"> b</td>"));
  EXPECT_THAT(order, HasSubstr("<td class=\"odds w5\"><b>1.00</b></td>"));
  EXPECT_THAT(order, HasSubstr("<td class=\"odds l5\"><b>.00</b></td>"));
}

TEST(Report, HasNoOrderOfOneRowAndSaysWhyWhereThereIsNone) {
  const std::string one = render_html(grid_study({"linear"}, {"100%"}, 2), "", {figure_of("linear")}, {});
  EXPECT_THAT(one, Not(HasSubstr("id=\"order\"")));
  EXPECT_THAT(one, Not(HasSubstr("#order")));
  const std::string early =
      render_html(grid_study({"linear", "const"}, {"1%"}, 2), "", {figure_of("linear")}, {});
  EXPECT_THAT(early, HasSubstr("No order: the largest budget that all rows have, 1%, is below 5 % of 100%"));
}

TEST(Report, AnOrderOfManyRowsStaysSmall) {
  std::vector<std::string> schedules;
  for (int i = 1; i <= 90; ++i) schedules.push_back(fmt::format("poly({})", i));
  const std::string page = render_html(grid_study(schedules, {"100%"}, 2), "", {figure_of("poly(1)")}, {});
  const std::string order = between(page, "<section id=\"order\"", "</section>");
  EXPECT_THAT(order, HasSubstr("The first 60 of 90 rows."));
  EXPECT_LT(order.size(), 250'000U);
}

// What all runs have in common tells them not apart, and a folder of this machine is nobody else's.
TEST(Report, TheOnlyOptimizerAndTheDatasFolderAreLeftOut) {
  StudyResults results = grid_study({"linear", "const"}, {"10%"}, 1);
  for (RunRecord& run : results.runs) {
    run.config.optimizer = "adamw";
    run.config.data = "tokens:/home/somebody/texts/input.txt";
  }
  EXPECT_EQ(subjects_of(results, {}), (std::vector<std::string>{"const", "linear"}));
  EXPECT_EQ(study_caption(results), "tokens:input.txt, resnet18, full budget 200ep, 1 seed, 2 of 2 runs");
  results.runs.front().config.optimizer = "adam";
  EXPECT_EQ(subjects_of(results, {}), (std::vector<std::string>{"adam, linear", "adamw"}));
}

TEST(Report, LoadsNothing) {
  const std::string page = without_library(
      render_html(grid_study({"linear", "cosine"}, {"1%", "100%"}, 2), "caption", {figure_of("linear")}, {}));
  EXPECT_THAT(page, Not(HasSubstr("http://")));
  EXPECT_THAT(page, Not(HasSubstr("https://")));
  EXPECT_FALSE(std::regex_search(page, std::regex(R"((src|srcset|href|action)\s*=\s*["'](?!#|data:))")))
      << "an address in an attribute";
  EXPECT_THAT(page, Not(HasSubstr("@import")));
  EXPECT_THAT(page, Not(HasSubstr("url(")));
  EXPECT_THAT(page, HasSubstr("default-src 'none'"));  // and the browser holds the page to it
}

TEST(Report, OfManyLongRunsIsUnderThreeMegabytes) {
  const StudyResults results = grid_study({"const", "linear", "cosine", "step-d2", "exp(0.97)", "rex", "poly",
                                           "sgdr-r2", "htd(-6,3)", "htd(-4,4)"},
                                          {"1%", "5%", "10%", "25%", "50%", "100%"}, 3);
  ASSERT_EQ(results.runs.size(), 180U);
  RunCurves curves;
  for (const RunRecord& run : results.runs) curves[run.id] = long_curves(3000);
  const std::string page = render_html(results, "caption", {figure_of("linear")}, curves);
  EXPECT_LT(page.size(), 3'000'000U);
  EXPECT_GT(page.size(), 1'500'000U) << "thinned more than is needed";
  EXPECT_EQ(data_of(page)["curves"].size(), 180U);
  EXPECT_EQ(data_of(page)["curves"].begin().value()[0]["points"], 3000);
}

TEST(Curves, ThinningKeepsEndsSpikesAndRealPoints) {
  std::vector<CurvePoint> points;
  for (int i = 0; i < 1000; ++i)
    points.push_back({"train", i, i / 1000.0, NAN, i == 567 ? 99 : 1.0 / (i + 1), NAN});
  const CurveTable whole = curve_tables(points).front(), fewer = thinned(whole, 50);
  EXPECT_EQ(whole.columns, (std::vector<std::string>{"step", "progress", "loss"}));
  ASSERT_LE(fewer.points(), 50U);
  EXPECT_GE(fewer.points(), 40U);
  EXPECT_EQ(fewer.values[0].front(), 0);
  EXPECT_EQ(fewer.values[0].back(), 999);
  EXPECT_THAT(fewer.values[2], testing::Contains(99));
  for (std::size_t i = 0; i < fewer.points(); ++i) {
    const auto step = static_cast<std::size_t>(fewer.values[0][i]);
    EXPECT_EQ(fewer.values[2][i], whole.values[2][step]);
    if (i > 0) {
      EXPECT_GT(fewer.values[0][i], fewer.values[0][i - 1]);
    }
  }
  EXPECT_EQ(thinned(whole, 1000).points(), 1000U);
}

TEST(Palette, FollowsTheSubjectAlone) {
  EXPECT_EQ(colour_of("b", {"c", "b", "a"}), colour_of("b", {"a", "b", "c", "lr", "envelope", "b"}));
  EXPECT_NE(colour_of("a", {"a", "b"}), colour_of("b", {"a", "b"}));
  EXPECT_EQ(colour_of("lr", {"a"}), "#000000");
  EXPECT_EQ(colour_of("envelope", {}), "#009E73");
  std::vector<std::string> many;
  for (char letter = 'a'; letter < 'j'; ++letter) many.emplace_back(1, letter);
  EXPECT_EQ(look_of_subject("h", many).round, 1U);
  EXPECT_EQ(look_of_subject("h", many).colour, look_of_subject("a", many).colour);
}

TEST(Vendored, ChartLibraryIsTheOneItsChecksumNames) {
  const std::string command =
      "cd '" GLIDEPATH_SOURCE_DIR "/third_party/echarts' && sha256sum --check --status SHA256SUMS";
  EXPECT_EQ(std::system(command.c_str()), 0);
}

}  // namespace
}  // namespace glidepath
