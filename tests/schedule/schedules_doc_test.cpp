// tests/schedule/schedules_doc_test.cpp - docs/schedules.md says what the code does: its tables, its texts,
// its C++. (What its commands print is checked by tests/docs.)
#include <cmath>
#include <cstdlib>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/golden_csv.h"
#include "glidepath/budget.h"
#include "glidepath/error.h"
#include "glidepath/schedule.h"
#include "support/markdown.h"

namespace glidepath {
namespace {

const Markdown& doc() {
  static const Markdown document(GLIDEPATH_SOURCE_DIR "/docs/schedules.md");
  return document;
}

TEST(SchedulesDoc, ListsEveryScheduleAsTheProgramDoes) {
  const auto rows = doc().table("f(p)");
  ASSERT_EQ(rows.size(), schedule_list().size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const ScheduleInfo& info = schedule_list()[i];
    SCOPED_TRACE(info.name);
    EXPECT_EQ(rows[i].at("schedule"), "`" + info.form + "`");
    EXPECT_EQ(rows[i].at("f(p)"), "`" + info.formula + "`");
    EXPECT_EQ(rows[i].at("f(1)"), info.ends_at);
    EXPECT_EQ(rows[i].at("source"), info.source.empty() ? "none" : info.source);
    if (info.name == "plateau") continue;
    const Schedule schedule = parse_schedule(info.form, {7820, 391, 78200, 0.1});
    EXPECT_NEAR(schedule(0), std::stod(rows[i].at("f(0)")), 5e-7);
    char* end = nullptr;
    const double last = std::strtod(info.ends_at.c_str(), &end);
    if (*end == '\0') {
      EXPECT_NEAR(schedule(1), last, last == 0 ? 0 : 5e-5);
    }
    EXPECT_EQ(schedule(1) == 0, info.ends_at == "0");
  }
}

TEST(SchedulesDoc, SaysHowTheFormulasInWordsEnd) {
  const ScheduleContext run{7820, 391, 78200, 0.1};
  EXPECT_DOUBLE_EQ(parse_schedule("step-d2", run)(1), std::pow(0.1, 2));
  EXPECT_DOUBLE_EQ(parse_schedule("step(0.5,0.75)", run)(1), std::pow(0.1, 2));
  EXPECT_DOUBLE_EQ(parse_schedule("exp(0.97)", run)(1), std::pow(0.97, 200));
  EXPECT_DOUBLE_EQ(parse_schedule("onecycle", run)(1), 1 / (25 * 1e4));
  EXPECT_DOUBLE_EQ(parse_schedule("inverse-sqrt", run)(1), std::sqrt(0.05));
}

TEST(SchedulesDoc, ArgumentsHaveTheDefaultsThatItSays) {
  std::map<std::string, int> documented;
  for (const auto& row : doc().table("argument")) {
    const std::string name = unquoted(row.at("schedule")), key = unquoted(row.at("argument"));
    SCOPED_TRACE(name + " " + key);
    const std::string argument = key + "=" + unquoted(row.at("default"));
    const std::string given = name.back() == ')' ? name.substr(0, name.size() - 1) + "," + argument + ")"
                                                 : name + "(" + argument + ")";
    EXPECT_EQ(canonical_schedule(given), canonical_schedule(name));
    EXPECT_THROW(canonical_schedule(name + "(" + key + "=x)"), InputError);
    ++documented[key];
  }
  // Every argument that a form shows has its row.
  for (const ScheduleInfo& info : schedule_list()) {
    for (std::size_t equals = info.form.find('='); equals != std::string::npos;
         equals = info.form.find('=', equals + 1)) {
      const std::size_t begin = info.form.find_last_of("(,", equals) + 1;
      EXPECT_GE(documented[info.form.substr(begin, equals - begin)], 1) << info.form;
    }
  }
}

TEST(SchedulesDoc, ItsTextsCanBeRead) {
  const auto blocks = doc().blocks("schedules");
  ASSERT_EQ(blocks.size(), 1U);
  int texts = 0;
  for (const std::string& text : blocks[0]) {
    EXPECT_NO_THROW(parse_schedule(text, {7820, 391, 78200, 0.1})) << text;
    ++texts;
  }
  EXPECT_GE(texts, 10);
}

TEST(SchedulesDoc, ItsProgramIsTheOneThatIsBuiltAgainstTheInstalledLibrary) {
  const auto blocks = doc().blocks("cpp");
  ASSERT_EQ(blocks.size(), 1U);
  EXPECT_EQ(blocks[0], lines_of(GLIDEPATH_SOURCE_DIR "/tests/install/core_consumer/main.cpp"));
}

// T = 20 updates of 5 an epoch, W = 4.
constexpr int kUpdates = 20, kWarmup = 4, kPerEpoch = 5;

/// Our progress where the peer's scheduler is at update `step`, and the updates it counts over.
std::pair<int, int> position(const std::string& text, int step) {
  if (text == "s/T") return {step, kUpdates};
  if (text == "s/(T-1)") return {step, kUpdates - 1};
  if (text == "(s+1)/T") return {step + 1, kUpdates};
  if (text == "s/(T+W)") return {step, kUpdates + kWarmup};
  if (text == "epoch/T") return {step / kPerEpoch, kUpdates};
  throw std::runtime_error("p = " + text + ": unknown to this test");
}

bool is_past(const std::string& word, const std::map<int, std::string>& lr) {
  if (word == "raises") return lr.at(kUpdates) != "raises" && lr.at(kUpdates + 1) == "raises";
  const double first = std::stod(lr.at(0)), end = std::stod(lr.at(kUpdates)),
               next = std::stod(lr.at(kUpdates + 1)), late = std::stod(lr.at(2 * kUpdates));
  if (word == "stays") return end == next && end == late;
  if (word == "falls") return next <= end && late < end;
  if (word == "rises") return next > end && late > next;
  if (word == "restarts") return end == first && next < end && std::stod(lr.at(kUpdates - 1)) < 0.1;
  return false;
}

TEST(SchedulesDoc, PeersDoWhatItsTableSays) {
  std::map<std::pair<std::string, std::string>, std::map<int, std::string>> recorded;
  for (const auto& f : read_csv(GLIDEPATH_TEST_DATA "/core/conventions.csv"))
    recorded[{f[0], f[1]}][std::stoi(f[2])] = f[3];
  const auto rows = doc().table("peer");
  EXPECT_EQ(rows.size(), recorded.size());
  int compared = 0;
  for (const auto& row : rows) {
    SCOPED_TRACE(row.at("peer") + " " + row.at("scheduler"));
    const auto& lr = recorded.at({row.at("peer"), unquoted(row.at("scheduler"))});
    for (const auto& [column, step] :
         {std::pair{"s = 0", 0}, {"s = T - 1", kUpdates - 1}, {"s = T", kUpdates}}) {
      const double value = std::stod(lr.at(step));
      EXPECT_NEAR(std::stod(row.at(column)), value, 5.1e-4 * std::abs(value)) << column;
    }
    EXPECT_TRUE(is_past(row.at("past T"), lr)) << row.at("past T");
    if (row.at("is our") == "-") continue;
    for (int step = 0; step < kUpdates; ++step) {
      const auto [at, updates] = position(unquoted(row.at("at p =")), step);
      const Schedule ours =
          parse_schedule(unquoted(row.at("is our")), {static_cast<double>(updates), kPerEpoch, kUpdates, 1});
      // optax counts in float32, OneCycleLR's peak is written with six digits, lr_end can be 1e-7, and timm's
      // first update uses base_lr where tanh would give 0.999994 of it.
      ASSERT_NEAR(ours(progress_at(at, updates)), std::stod(lr.at(step)), 1e-5) << "update " << step;
      ++compared;
    }
  }
  EXPECT_EQ(compared, (static_cast<int>(rows.size()) - 1) * kUpdates);
}

TEST(SchedulesDoc, TheMistakesItListsAreTests) {
  std::string tests;
  for (const char* file :
       {"schedule/peers_mistakes_test.cpp", "loop/peers_mistakes_test.cpp", "loop/user_pain_test.cpp"}) {
    for (const std::string& line : lines_of(std::string(GLIDEPATH_SOURCE_DIR "/tests/") + file))
      tests += line + "\n";
  }
  int named = 0;
  for (const auto& row : doc().table("mistake")) {
    std::string cell = row.at("test");
    for (std::size_t begin = cell.find('`'); begin != std::string::npos; begin = cell.find('`', begin + 1)) {
      const std::size_t end = cell.find('`', begin + 1);
      const std::string name = cell.substr(begin + 1, end - begin - 1);
      EXPECT_THAT(tests, testing::AnyOf(testing::HasSubstr("TEST(PeersMistakes, " + name + ")"),
                                        testing::HasSubstr("TEST_F(UserPain, " + name + ")")));
      ++named;
      begin = end;
    }
  }
  EXPECT_EQ(named, 14);  // each of them
}

}  // namespace
}  // namespace glidepath
