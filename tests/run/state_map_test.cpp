// tests/run/state_map_test.cpp - keys and values of a checkpoint that anybody may have written.
#include "run/state_map.h"

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "glidepath/error.h"

namespace glidepath {
namespace {

struct Item {
  std::int64_t place = 0;
  void fields(StateFields& fields) { fields.count("place", place); }
};

struct Part {
  std::int64_t count = 3, none = -1;
  std::vector<std::int64_t> counts = {1, 2};
  bool flag = true;
  double number = 0.1, loss = std::numeric_limits<double>::quiet_NaN(), seconds = 1.5;
  std::vector<Item> items = {{4}, {5}};
  double newer = 2;

  void fields(StateFields& fields) {
    fields.count("count", count);
    fields.count_or_none("none", none);
    fields.counts("counts", counts);
    fields.flag("flag", flag);
    fields.number("number", number);
    fields.number_or_nan("loss", loss);
    fields.seconds("seconds", seconds);
    fields.list("items", items);
    if (fields.has("newer")) fields.number("newer", newer);
  }
};

constexpr const char* kText =
    R"({"count":3,"counts":[1,2],"flag":true,"items":[{"place":4},{"place":5}],"loss":null,"newer":2.0,)"
    R"("none":-1,"number":0.1,"seconds":1.5})";

/// The part in a text that has `value` for `key`.
Part with(const std::string& key, const nlohmann::json& value) {
  auto json = nlohmann::json::parse(kText);
  json[key] = value;
  return StateMap::parse(json.dump()).get<Part>();
}

TEST(StateMap, WritesKeysInTheirOrderAndReadsThemBack) {
  StateMap state;
  state.put(Part());
  EXPECT_EQ(state.text(), kText);
  for (const StateMap& from : {state, StateMap::parse(state.text())}) {  // in memory, and from a file
    const Part back = from.get<Part>();
    EXPECT_EQ(back.count, 3);
    EXPECT_EQ(back.none, -1);
    EXPECT_EQ(back.counts, (std::vector<std::int64_t>{1, 2}));
    EXPECT_TRUE(back.flag);
    EXPECT_EQ(back.number, 0.1);
    EXPECT_TRUE(std::isnan(back.loss));
    EXPECT_EQ(back.seconds, 1.5);
    ASSERT_EQ(back.items.size(), 2U);
    EXPECT_EQ(back.items[1].place, 5);
  }
}

TEST(StateMap, PartsShareOneStateAndKeysOfNobodyStay) {
  StateMap state = StateMap::parse(R"({"of_a_later_version":7,"place":1})");
  state.put(Part());
  state.put(Item{9});
  EXPECT_EQ(state.get<Item>().place, 9);
  EXPECT_EQ(state.get<Part>().count, 3);
  EXPECT_THAT(state.text(), testing::HasSubstr(R"("of_a_later_version":7,)"));
}

TEST(StateMap, AKeyThatOlderCheckpointsLackKeepsItsDefault) {
  auto json = nlohmann::json::parse(kText);
  json.erase("newer");
  EXPECT_EQ(StateMap::parse(json.dump()).get<Part>().newer, 2);
  EXPECT_EQ(with("newer", 5.0).newer, 5);
  EXPECT_THROW(with("newer", nullptr), InputError);
}

TEST(StateMap, RefusesWhatIsNeverWritten) {
  const nlohmann::json no_counts[] = {-2, 2.5, 1e300, 9223372036854775808U, "3", nullptr, true, {{"a", 1}}};
  for (const nlohmann::json& value : no_counts) {
    SCOPED_TRACE(value.dump());
    EXPECT_THROW(with("count", value), InputError);
    EXPECT_THROW(with("none", value), InputError);
    EXPECT_THROW(with("counts", value), InputError);
    EXPECT_THROW(with("counts", {1, value}), InputError);
    EXPECT_THROW(with("items", value), InputError);
    EXPECT_THROW(with("items", {{{"place", value}}}), InputError);
  }
  EXPECT_THROW(with("count", -1), InputError);
  EXPECT_THROW(with("seconds", -0.5), InputError);
  for (const nlohmann::json& value : {nlohmann::json("0.5"), nlohmann::json(true), nlohmann::json::array()}) {
    SCOPED_TRACE(value.dump());
    for (const char* key : {"number", "loss", "seconds"}) EXPECT_THROW(with(key, value), InputError);
  }
  EXPECT_THROW(with("number", nullptr), InputError);
  EXPECT_THROW(with("flag", 1), InputError);
}

TEST(StateMap, TellsWhichKeyIsWrong) {
  try {
    with("seconds", "soon");
    FAIL();
  } catch (const InputError& error) {
    EXPECT_STREQ(error.what(), "holds no run state (\"seconds\"); it is not a checkpoint of glidepath train");
  }
  for (const char* text : {"", "{", "[]", "3", "null", "{}x"}) {
    SCOPED_TRACE(text);
    EXPECT_THROW(StateMap::parse(text), InputError);
  }
  EXPECT_THROW(StateMap::parse("{}").get<Part>(), InputError);
}

}  // namespace
}  // namespace glidepath
