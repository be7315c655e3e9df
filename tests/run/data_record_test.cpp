// tests/run/data_record_test.cpp - which data a run trains on, as it is kept and compared.
#include "run/data_record.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <torch/types.h>

namespace glidepath {
namespace {

Dataset small_dataset() {
  Dataset dataset;
  dataset.classes = 3;
  dataset.class_names = {"ant", "bee", "cat"};
  for (Split* split : {&dataset.train, &dataset.test}) {
    split->images = torch::arange(6 * 12, torch::kUInt8).view({6, 3, 2, 2});
    split->labels = torch::tensor({0, 1, 2, 0, 1, 2}, torch::kInt64);
  }
  return dataset;
}

TEST(DataRecord, IsAnotherForOtherImagesLabelsAndNames) {
  const DataRecord then = describe_data(small_dataset());
  EXPECT_EQ(describe_data(small_dataset()), then);
  EXPECT_EQ(difference(then, then), "");
  Dataset changed = small_dataset();
  changed.train.labels = changed.train.labels.clone();
  changed.train.labels[3] = 1;
  EXPECT_EQ(difference(then, describe_data(changed)), "as many images, of other names, sizes or labels");
  changed = small_dataset();
  changed.test.images = changed.test.images.clone();
  changed.test.images[5][2][1][1] = 200;
  EXPECT_EQ(difference(then, describe_data(changed)), "as many images, of other names, sizes or labels");
  changed = small_dataset();
  changed.class_names[2] = "cow";
  EXPECT_EQ(difference(then, describe_data(changed)), "classes of other names");
  EXPECT_EQ(
      difference(then, describe_data(changed), names_of_classes(small_dataset()), names_of_classes(changed)),
      "class 2 is \"cow\", not \"cat\"");
  changed.test = changed.test.first(4);
  changed.tested_on = "valid";
  EXPECT_EQ(difference(then, describe_data(changed)),
            "4 test images, not 6; tested on \"valid\", not \"\"; classes of other names");
}

TEST(DataRecord, IsReadBackFromConfigAndCheckpoint) {
  Dataset dataset = small_dataset();
  dataset.tested_on = "a \"val\"\\\n\xFF\x7F \xF0\x9F\x98\x80";
  const DataRecord record = describe_data(dataset);
  const std::string config = "seed = 1\n" + to_toml(record) + "\n[versions]\nglidepath = \"0\"\n";
  EXPECT_EQ(data_record_in(config), record);
  EXPECT_EQ(data_record_in("seed = 1\n"), std::nullopt);
  EXPECT_EQ(data_record_from(nlohmann::json::parse(to_json(record).dump())), record);
  EXPECT_EQ(data_record_from(nlohmann::json()), std::nullopt);
}

TEST(DataRecord, NamesOfClassesAreKeptAsJson) {
  const std::vector<std::string> names = {"ant", "b\"e\ne", "caf\xC3\xA9"};
  EXPECT_EQ(class_names_from(class_names_json(names)), names);
  EXPECT_EQ(class_names_from("not JSON"), std::vector<std::string>());
  Dataset numbered = small_dataset();
  numbered.class_names.clear();
  EXPECT_EQ(names_of_classes(numbered), (std::vector<std::string>{"0", "1", "2"}));
}

}  // namespace
}  // namespace glidepath
