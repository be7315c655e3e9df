// src/setup/rank_facts.cpp - what a rank trains, as it sees it.
#include "setup/rank_facts.h"

#include <fmt/format.h>

namespace glidepath {

Facts rank_facts(const TrainConfig& config, const Dataset& dataset, const DataRecord& record,
                 const ComputePlan& plan) {
  Facts facts;
  for (const ConfigKey& key : train_config_keys()) {
    if (key.affects_result) facts.emplace_back(key.name, config_value(config, key.name));
  }
  const std::string of_data = fmt::format("data \"{}\": ", config.data);
  facts.emplace_back(of_data + "training images", std::to_string(dataset.train.size()));
  facts.emplace_back(of_data + "test images", std::to_string(dataset.test.size()));
  facts.emplace_back(of_data + "classes", std::to_string(dataset.classes));
  facts.emplace_back(of_data + "size of images", std::to_string(dataset.image_size()));
  // Copies on the disks of several machines are easily of several days.
  facts.emplace_back(of_data + "the split that is tested on", record.tested_on);
  facts.emplace_back(of_data + "checksum of the classes' names", record.class_names);
  facts.emplace_back(of_data + "checksum of the images", record.images);
  facts.emplace_back("what precision comes to", plan.precision());
  facts.emplace_back("whether the loss is scaled", plan.scales_loss ? "yes" : "no");
  return facts;
}

}  // namespace glidepath
