// tests/schedule/schedule_points_test.cpp - points(...) and file(...): values, texts, files of other
// programs, errors.
#include "schedule/schedule_points.h"

#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <sys/stat.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/golden_csv.h"
#include "glidepath/budget.h"
#include "glidepath/error.h"
#include "glidepath/schedule.h"
#include "support/temporary_folder.h"

namespace glidepath {
namespace {

std::string refusal_of_points(const std::string& text) {
  try {
    parse_schedule(text);
  } catch (const InputError& error) {
    return error.what();
  }
  return "no error";
}

class SchedulePoints : public testing::Test {
 protected:
  std::string file(const std::string& name, const std::string& text) const {
    const std::string path = (folder_.path() / name).string();
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }
  /// The canonical text of file(...) of such a file.
  std::string read(const std::string& text) const {
    return canonical_schedule("file(" + file("my.csv", text) + ")");
  }
  std::string refusal(const std::string& text) const {
    const std::string path = file("my.csv", text), begin = "\"file(" + path + ")\": " + path;
    const std::string message = refusal_of_points("file(" + path + ")");
    EXPECT_EQ(message.substr(0, begin.size()), begin);
    return message.substr(std::min(begin.size(), message.size()));
  }
  TemporaryFolder folder_{"points"};
};

TEST_F(SchedulePoints, AreJoinedByStraightLines) {
  struct Case {
    const char* text;
    double progress, expected;
  };
  for (const Case& c : {Case{"points(0:1,30%:1,100%:0)", 0, 1},
                        {"points(0:1,30%:1,100%:0)", 0.3, 1},
                        {"points(0:1,30%:1,100%:0)", 0.65, 0.5},
                        {"points(0:1,30%:1,100%:0)", 1, 0},
                        {"points(0:1,0.5:0.25,1:0)", 0.25, 0.625},
                        {"points(20%:50%,80%:0)", 0.1, 0.5},  // flat before the first
                        {"points(20%:50%,80%:0)", 0.5, 0.25},
                        {"points(20%:50%,80%:0)", 0.9, 0},
                        {"points(0:1,0.5:1,0.5:0.1,1:0.1)", 0.499, 1},  // a jump
                        {"points(0:1,0.5:1,0.5:0.1,1:0.1)", 0.5, 0.1},
                        {"points(0:1,0.5:0.1,shape=hold)", 0.4999, 1},
                        {"points(0:1,0.5:0.1,shape=hold)", 0.5, 0.1},
                        {"points(0:1,1:0,shape=cosine)", 1.0 / 3, 0.75},
                        {"points(0:1,1:0,warmup=50%,warmup_start=0)", 0.25, 0.5},
                        {"points(0:1,1:0,warmup=50%,warmup_start=0)", 0.75, 0.5},
                        {"points(0:1,1:0,floor=20%)", 0.5, 0.6}}) {
    EXPECT_NEAR(parse_schedule(c.text)(c.progress), c.expected, 1e-15) << c.text << " at " << c.progress;
  }
  const ScheduleContext half{100, 0, 200, 1};
  EXPECT_NEAR(parse_schedule("cut(points(0:1,1:0))", half)(1), 0.5, 1e-15);
}

// Other schedules are special cases.
TEST_F(SchedulePoints, EqualTheSchedulesThatAreMadeOfLines) {
  struct Case {
    const char *points, *same;
  };
  for (const Case& c : {Case{"points(0:1,1:0)", "linear"},
                        {"points(0:1,1:0,shape=cosine)", "cosine"},
                        {"points(0:1,80%:1,1:0)", "wsd(decay=20%,shape=linear)"},
                        {"points(0:1,50%:0.1,75%:0.01,shape=hold)", "step(0.5,0.75)"},
                        {"points(0:0.04,30%:1,1:0.000004,shape=cosine)", "onecycle"},
                        {"points(0:1,1:0,warmup=5%)", "linear(warmup=5%)"}}) {
    const ScheduleContext context{782, 391, 7820, 0.1};
    const Schedule points = parse_schedule(c.points, context), same = parse_schedule(c.same, context);
    for (int step = 0; step <= 782; ++step)
      ASSERT_NEAR(points(progress_at(step, 782)), same(progress_at(step, 782)), 1e-14)
          << c.points << " " << step;
  }
}

TEST_F(SchedulePoints, HaveOneCanonicalText) {
  EXPECT_EQ(canonical_schedule("points( 0 : 1 , 30% : 100% , 100%:0 )"), "points(0:1,0.3:1,1:0)");
  EXPECT_EQ(canonical_schedule("points(0:1,1:0,shape=linear,name=mine)"), "points(0:1,1:0,name=mine)");
  EXPECT_EQ(canonical_schedule("points(0:1,1:0,warmup=5%,shape=hold)"),
            "points(0:1,1:0,shape=hold,warmup=5%)");
}

TEST_F(SchedulePoints, WrongOnesAreNamedWithWhatIsRight) {
  struct Case {
    const char *text, *message;
  };
  for (const Case& c : {
           Case{"points", "needs two points at least, for example points(0:1, 30%:1, 100%:0)"},
           {"points(0:1)", "needs two points at least, for example points(0:1, 30%:1, 100%:0)"},
           {"points(0:1,1)",
            "point \"1\" must be progress:factor, both shares in [0, 1], for example 30%:1 or 1:0"},
           {"points(0:2,1:0)",
            "point \"0:2\" must be progress:factor, both shares in [0, 1], for example 30%:1 or 1:0"},
           {"points(0:1,500it:0)",
            "point \"500it:0\" must be progress:factor, both shares in [0, 1], for example 30%:1 or 1:0"},
           {"points(0:1,0.5:nan)",
            "point \"0.5:nan\" must be progress:factor, both shares in [0, 1], for example 30%:1 or 1:0"},
           {"points(0:1,0.5:1,0.4:0)",
            "points must rise in progress, and 0.4 follows 0.5; two at one place are a jump"},
           {"points(0:1,0:0.5,0:0)",
            "points must rise in progress, and 0 follows 0; two at one place are a jump"},
           {"points(0:1,1:0,shape=round)", "shape \"round\" must be one of linear, cosine, hold"},
           {"points(0:1,1:0,name=a b)",
            "name \"a b\" must be letters, digits, -, _ and ., 40 at most, for example name=trapezoid"},
           {"points(0:1,1:0,power=2)",
            "points has no argument \"power\"; it has shape, name, warmup, warmup_start, "
            "floor, min_lr"},
           {"file", "needs a CSV file, for example file(my.csv)"},
           {"file(/nowhere/my.csv)",
            "/nowhere/my.csv: no such file; give a CSV file with the columns progress and factor"},
           {"file(/)", "/: is no regular file; give a CSV file with the columns progress and factor"},
           {"file(/dev/zero)",
            "/dev/zero: is no regular file; give a CSV file with the columns progress and factor"},
           {"file(a.csv,b.csv)", "a.csv: no such file; give a CSV file with the columns progress and factor"},
       }) {
    EXPECT_EQ(refusal_of_points(c.text), "\"" + std::string(c.text) + "\": " + c.message);
  }
  std::string many = "points(0:1";
  for (int i = 1; i <= 1000; ++i) many += ",1:0";
  EXPECT_THAT(refusal_of_points(many + ")"), testing::EndsWith("1001 points; at most 1000 can be given"));
}

TEST_F(SchedulePoints, AFileIsReadAsThePointsThatItHolds) {
  EXPECT_EQ(read("progress,factor\n0,1\n30%,1\n1,0\n"), "points(0:1,0.3:1,1:0,name=my)");
  EXPECT_EQ(read("0,1\n0.3,1\n1,0"), "points(0:1,0.3:1,1:0,name=my)");  // no header, no last newline
  EXPECT_EQ(read("\xEF\xBB\xBF# mine\r\nprogress , factor\r\n\r\n0, 1\r\n0.3 ,1\r\n1,0\r\n"),
            "points(0:1,0.3:1,1:0,name=my)");
  EXPECT_EQ(read("0,1\n0.5,0.5\n0.5,0.1\n1,0\n"), "points(0:1,0.5:0.5,0.5:0.1,1:0,name=my)");
  // On a line: left out.
  EXPECT_EQ(read("0,1\n0.25,0.75\n0.5,0.5\n0.75,0.25\n1,0\n"), "points(0:1,1:0,name=my)");
  // As `glidepath schedules --format csv` prints linear over 4 updates with base_lr 0.2.
  EXPECT_EQ(read("step,lr\n0,0.2\n1,0.15\n2,0.1\n3,0.05\n"), "points(0:1,0.75:0.25,name=my)");
  // Its arguments stay, and its own name wins.
  EXPECT_EQ(canonical_schedule("file(" + file("a b.csv", "0,1\n1,0\n") + ",warmup=5%)"),
            "points(0:1,1:0,name=a-b,warmup=5%)");
  EXPECT_EQ(canonical_schedule("file(path=" + file("a.csv", "0,1\n1,0\n") + ",name=mine)"),
            "points(0:1,1:0,name=mine)");
  EXPECT_EQ(canonical_schedule("cut(file(" + file("my.csv", "0,1\n1,0\n") + "))"),
            "cut(points(0:1,1:0,name=my))");
}

// A schedule of another program, recorded by tests/data/golden/core/make_peers.py, becomes ours through a
// file.
TEST_F(SchedulePoints, AFileOfAnothersRatesGivesThemBack) {
  std::map<std::string, std::vector<std::string>> rates;  // by peer and schedule, of 100 updates
  for (const auto& row : read_csv(GLIDEPATH_TEST_DATA "/core/peers.csv")) {
    if (row[2] == "100" && row[3] == "0") rates[row[0] + " " + row[1]].push_back(row[5]);
  }
  ASSERT_GE(rates.size(), 5U);
  for (const auto& [name, lrs] : rates) {
    SCOPED_TRACE(name);
    std::string csv = "step,lr\n";
    double largest = 0;
    for (std::size_t step = 0; step < lrs.size(); ++step) {
      csv += std::to_string(step) + "," + lrs[step] + "\n";
      largest = std::max(largest, std::stod(lrs[step]));
    }
    const auto updates = static_cast<std::int64_t>(lrs.size());
    const Schedule schedule = parse_schedule(read(csv));
    for (std::int64_t step = 0; step < updates; ++step) {
      const double lr = std::stod(lrs[static_cast<std::size_t>(step)]);
      ASSERT_NEAR(largest * schedule(progress_at(step, updates)), lr, 1e-11) << step;
    }
  }
}

TEST_F(SchedulePoints, AWrongFileIsNamedWithItsLine) {
  EXPECT_EQ(refusal("0,1\n0.5\n1,0\n"), ", line 2: must be two columns, progress,factor, for example 0.3,1");
  EXPECT_EQ(refusal("0,1\n0.5,1,2\n"), ", line 2: must be two columns, progress,factor, for example 0.3,1");
  EXPECT_EQ(refusal("epoch,lr\n0,1\n"),
            ", line 1: the columns \"epoch,lr\" must be progress,factor or step,lr");
  EXPECT_EQ(refusal("0,1\n0.5,1.5\n"),
            ", line 2: \"0.5,1.5\" must be a progress and its factor, both in [0, 1], for example 0.3,1");
  EXPECT_EQ(refusal("0,1\n0.5,\n"),
            ", line 2: \"0.5,\" must be a progress and its factor, both in [0, 1], for example 0.3,1");
  EXPECT_EQ(refusal("step,lr\n0,-1\n"),
            ", line 2: \"0,-1\" must be a step and its lr, numbers of at least 0");
  EXPECT_EQ(refusal("step,lr\n0,0\n1,0\n"), ", line 2: no lr is above 0");
  EXPECT_EQ(refusal("0,1\n0.5,1\n0.4,0\n"), ", line 3: 0.4 follows 0.5; lines must rise");
  EXPECT_EQ(refusal("0,1\n"), ", line 1: needs two points at least, such as 0,1 and 1,0");
  EXPECT_EQ(refusal(""), ", line 0: needs two points at least, such as 0,1 and 1,0");
  std::string curve;
  for (int i = 0; i <= 1100; ++i)
    curve += std::to_string(i / 1100.0) + "," + std::to_string(i * i / 1210000.0) + "\n";
  EXPECT_THAT(refusal(curve), testing::HasSubstr("points that no straight line spares; at most 1000"));
  EXPECT_EQ(refusal(std::string(5 << 20, '\n')), ": is above 4 MiB; no list of points is");
  const std::string pipe = (folder_.path() / "pipe").string();
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);  // is not waited for
  EXPECT_THAT(refusal_of_points("file(" + pipe + ")"), testing::HasSubstr("is no regular file"));
}

TEST_F(SchedulePoints, AConfigurationKeepsThePointsAndOtherTextsAsTheyAre) {
  EXPECT_EQ(without_files("poly( 2 )"), "poly( 2 )");
  EXPECT_EQ(without_files("points(0:1, 100%:0)"), "points(0:1, 100%:0)");
  EXPECT_EQ(without_files("file(" + file("my.csv", "0,1\n1,0\n") + ")"), "points(0:1,1:0,name=my)");
  EXPECT_EQ(without_files("bac(file(" + file("my.csv", "0,1\n1,0\n") + "))"), "bac(points(0:1,1:0,name=my))");
  EXPECT_EQ(without_files("plateau"), "plateau");
}

TEST_F(SchedulePoints, LabelsAreShort) {
  EXPECT_EQ(schedule_label("linear"), "linear");
  EXPECT_EQ(schedule_label("step(0.5,0.75,gamma=0.2)"), "step(0.5,0.75,gamma=0.2)");
  EXPECT_EQ(schedule_label("points(0:1,0.3:1,1:0)"), "points(0:1,0.3:1,1:0)");
  EXPECT_EQ(schedule_label("points(0:1,0.3:1,1:0,name=mine)"), "mine");
  EXPECT_EQ(schedule_label("points(0:1,1:0,name=mine,warmup=5%)"), "mine(warmup=5%)");
  EXPECT_EQ(schedule_label("points(0:1,0.1:0.9,0.2:0.5,0.3:0.2,1:0)"), "points(0:1,0.1:0.9,..2 more..,1:0)");
  EXPECT_EQ(schedule_label("cut(points(0:1,1:0,name=mine))"), "cut(mine)");
}

}  // namespace
}  // namespace glidepath
