// tests/cli/other_commands_test.cpp - study, report and schedules from end to end, and every --help.
#include <algorithm>
#include <cmath>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "cli/support.h"
#include "glidepath/train_config.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

using testing::HasSubstr;

constexpr const char* kStudy =
    "[base]\ndata = \"digits\"\nmodel = \"mlp\"\nfull = \"2ep\"\neval_every = \"end\"\n"
    "[grid]\nschedule = [\"linear\", \"step-d2\"]\nbudget = [\"50%\", \"100%\"]\n";

TEST_F(CliTest, StudyThenReport) {
  write("s.toml", kStudy);
  const ProcessResult study = shell("glidepath study s.toml --out out --json --quiet");
  ASSERT_EQ(study.exit_status, 0) << study.err;
  EXPECT_EQ(study.err, "");
  const auto told = nlohmann::json::parse(study.out);
  ASSERT_EQ(told.at("runs").size(), 4U);
  for (const auto& run : told.at("runs")) EXPECT_EQ(run.at("status"), "done");
  for (const char* file : {"study.sqlite", "table.md", "table.csv", "table.tex", "results.csv"})
    EXPECT_GT(fs::file_size(folder_ / "out" / file), 0U) << file;

  const ProcessResult again = shell("glidepath study s.toml --out out");
  EXPECT_EQ(again.exit_status, 0);
  EXPECT_EQ(again.err, "") << "a finished run was repeated";
  EXPECT_THAT(again.out, testing::AllOf(HasSubstr("step-d2"), HasSubstr("100%")));

  const ProcessResult report = shell("glidepath report out");
  ASSERT_EQ(report.exit_status, 0) << report.err;
  std::istringstream files(report.out);
  for (std::string file; std::getline(files, file);) EXPECT_GT(fs::file_size(folder_ / file), 0U) << file;
  EXPECT_THAT(report.out, testing::AllOf(HasSubstr("fig1.svg"), HasSubstr("fig1.png"), HasSubstr("fig2.svg"),
                                         HasSubstr("report.html")));
  const ProcessResult paper = shell(
      "glidepath report out --out p --format pdf --no-caption --width 8.5 --envelope linear "
      "--label 'step-d2=step decay'");
  ASSERT_EQ(paper.exit_status, 0) << paper.err;
  EXPECT_EQ(text_of(folder_ / "p/figures/fig1.pdf").substr(0, 5), "%PDF-");
  EXPECT_THAT(text_of(folder_ / "p/table.tex"),
              testing::AllOf(HasSubstr("\\caption{s. Mean and"), HasSubstr("\nstep decay & ")));
  EXPECT_THAT(text_of(folder_ / "p/report.html"), HasSubstr("<code>step decay</code>"));
  const ProcessResult named = shell(
      "glidepath report out --out l --format svg --envelope step-d2 --label step-d2=slow --label "
      "linear=fast");
  ASSERT_EQ(named.exit_status, 0) << named.err;
  const std::string drawn = text_of(folder_ / "l/figures/fig1.svg");
  EXPECT_THAT(drawn, testing::AllOf(HasSubstr("% of slow's full-budget accuracy"), HasSubstr(">fast<")));
  EXPECT_THAT(drawn, testing::Not(HasSubstr("step-d2")));
  const ProcessResult no_line = shell("glidepath report out --out q --envelope cosine");
  EXPECT_EQ(no_line.exit_status, 2);
  EXPECT_EQ(no_line.err,
            "glidepath report: --envelope \"cosine\": no finished run of it; there are linear, step-d2\n");
  const ProcessResult no_name = shell("glidepath report out --out q --label cosine=Cosine");
  EXPECT_EQ(no_name.exit_status, 2);
  EXPECT_EQ(
      no_name.err,
      "glidepath report: --label \"cosine=Cosine\": there is no \"cosine\" in this study; there are linear, "
      "step-d2\n");
  EXPECT_FALSE(fs::exists(folder_ / "q"));

  const ProcessResult in_the_way = shell("touch f; glidepath report out --out f");
  EXPECT_EQ(in_the_way.exit_status, 2);
  EXPECT_EQ(in_the_way.err,
            "glidepath report: f: cannot make this folder: Not a directory; give another --out\n");
}

TEST_F(CliTest, UnionOfGridsIsOneTableAndItsFiguresAreThoseThatTheFileNames) {
  write(
      "u.toml",
      "figures = [\"B\", \"C\", \"3\"]\ndefault_profile = \"tiny\"\n"
      "[base]\ndata = \"digits\"\nmodel = \"mlp\"\neval_every = \"end\"\n"
      "[[grid]]\nschedule = [\"linear\", \"step-d2\"]\nbudget = [\"50%\", \"100%\"]\n"
      "[[grid]]\nschedule = [\"linear\", \"sgdr-r2\"]\nbudget = \"100%\"\nbatch_size = 128\n"
      "[profile.tiny]\nfull = \"2ep\"\n[[profile.tiny.grid]]\nschedule = \"sgdr(1,2)\"\nbudget = \"100%\"\n");
  const ProcessResult study = shell("glidepath study u.toml --out out");
  ASSERT_EQ(study.exit_status, 0) << study.err;
  std::istringstream table(study.out);
  std::vector<std::string> first_words;
  for (std::string line; std::getline(table, line);) first_words.push_back(line.substr(0, line.find(' ')));
  EXPECT_THAT(first_words,
              testing::ElementsAre("u", "", "schedule", "linear", "step-d2", "sgdr-r2", "sgdr(1,2)"));

  const ProcessResult report = shell("glidepath report out --format svg");
  ASSERT_EQ(report.exit_status, 0) << report.err;
  EXPECT_EQ(report.out,
            "out/figures/figB.svg\nout/figures/figB.csv\nout/figures/figC.svg\nout/figures/figC.csv\n"
            "out/report.md\nout/report.html\n");
  EXPECT_THAT(report.err, HasSubstr("glidepath report: study \"u\": figure 3 needs runs with the measure "
                                    "grad-norm of four schedules beside linear"));
  EXPECT_THAT(shell("cat out/figures/figB.csv").out,
              HasSubstr("\nB,(a) accuracy,sgdr-r2,sgdr-r2,,left,100,"));
}

TEST_F(CliTest, WatchOfAStudyThatIsOver) {
  write("s.toml", kStudy);
  ASSERT_EQ(shell("glidepath study s.toml --out out --quiet --set budget=50%").exit_status, 0);
  const auto snapshot = nlohmann::json::parse(shell("glidepath watch out --json").out);
  EXPECT_EQ(snapshot.at("done"), 2);
  EXPECT_EQ(snapshot.at("over"), true);
  // study status tells of local studies too.
  EXPECT_EQ(shell("glidepath study status out").out, "s: 2 runs: 2 done\n");
  const auto status = nlohmann::json::parse(shell("glidepath study status out --json").out);
  EXPECT_EQ(status.at("counts").at("done"), 2);
  EXPECT_EQ(status.at("runs").size(), 2U);
  EXPECT_EQ(status.at("runs")[0].at("progress"), 1.0);
  const ProcessResult lines = shell("glidepath watch out --terminal");
  EXPECT_EQ(lines.exit_status, 0);
  EXPECT_EQ(lines.out, "[####################] 100 % 2 of 2 runs done\n");

  const ProcessResult stopped = shell(
      "glidepath watch out > address & until grep -qs http address; do sleep 0.05; done; kill -TERM $!; wait "
      "$!");
  EXPECT_EQ(stopped.exit_status, 143);
  EXPECT_EQ(stopped.err, "glidepath watch: stopped; the study itself goes on\n");
  EXPECT_THAT(shell("cat address").out,
              testing::MatchesRegex("watch at http://127.0.0.1:[0-9]+/[0-9a-f]+/  .Ctrl-C ends it.\n"));
}

TEST_F(CliTest, ScheduleValuesEqualTheirClosedForms) {
  const auto values = [&](const std::string& schedule) {
    std::istringstream lines(
        shell("glidepath schedules --budget 12it --base-lr 0.4 --format csv --schedule '" + schedule + "'")
            .out);
    std::string line;
    std::getline(lines, line);
    EXPECT_EQ(line, "step,lr");
    std::vector<double> list;
    while (std::getline(lines, line)) {
      EXPECT_EQ(line.substr(0, line.find(',')), std::to_string(list.size()));
      list.push_back(std::stod(line.substr(line.find(',') + 1)));
    }
    return list;
  };
  const double pi = std::acos(-1.0);
  const auto linear = values("linear"), cosine = values("cosine"), step = values("step-d2");
  ASSERT_EQ(linear.size(), 12U);
  ASSERT_EQ(cosine.size(), 12U);
  ASSERT_EQ(step.size(), 12U);
  for (int s = 0; s < 12; ++s) {
    const auto i = static_cast<std::size_t>(s);
    EXPECT_DOUBLE_EQ(linear[i], 0.4 * (1 - s / 12.0));
    EXPECT_NEAR(cosine[i], 0.4 * (1 + std::cos(pi * s / 12)) / 2, 1e-15);
    EXPECT_DOUBLE_EQ(step[i], 0.4 * std::pow(0.1, s / 4));  // drops at a third and two thirds
  }
}

TEST_F(CliTest, SchedulesAreListedAndDrawn) {
  const ProcessResult list = shell("glidepath schedules");
  EXPECT_THAT(list.out, testing::AllOf(HasSubstr("linear"), HasSubstr("htd"), HasSubstr("wsd")));
  for (const std::string format : {"svg", "png"}) {
    const ProcessResult drawn =
        shell("glidepath schedules --schedule rex --schedule 'cosine(warmup=5%)' --out a." + format);
    EXPECT_EQ(drawn.exit_status, 0) << drawn.err;
    EXPECT_EQ(drawn.out, "a." + format + "\n");
    const std::string picture = read("a." + format);
    EXPECT_TRUE(picture.find(format == "svg" ? "<svg" : "PNG") != std::string::npos);
  }
}

TEST_F(CliTest, HelpOfTrainNamesEveryOptionWithItsDefault) {
  const std::string help = shell("glidepath train --help").out;
  for (const ConfigKey& key : train_config_keys()) {
    std::string flag = "--" + key.name;
    std::replace(flag.begin(), flag.end(), '_', '-');
    const std::string type = key.default_text.empty() ? "TEXT" : "[" + key.default_text + "]";
    EXPECT_THAT(help, HasSubstr(flag + " " + type));
    EXPECT_THAT(help, HasSubstr("\n" + key.group + ":\n")) << key.name;
  }
  std::size_t place = 0;
  for (const char* group : {"Data", "Model", "Budget and schedule", "Optimizer", "Machine",
                            "Evaluation and measures", "Saving", "Run", "Several processes", "Output"}) {
    const std::size_t found = help.find("\n" + std::string(group) + ":\n");
    ASSERT_NE(found, std::string::npos) << group;
    EXPECT_GT(found, place) << group;
    place = found;
  }
}

TEST_F(CliTest, EveryCommandHasHelpAndTheProgramAVersion) {
  for (const std::string command :
       {"", "train", "study", "report", "watch", "schedules", "data", "data info"}) {
    SCOPED_TRACE(command);
    const ProcessResult result = shell("glidepath " + command + " --help");
    EXPECT_EQ(result.exit_status, 0);
    EXPECT_EQ(result.err, "");
    EXPECT_THAT(result.out, HasSubstr("--help"));
  }
  EXPECT_THAT(shell("glidepath --version").out, testing::MatchesRegex("[0-9]+\\.[0-9]+\\.[0-9]+\n"));
}

}  // namespace
}  // namespace glidepath
