// tests/measure/run_support.h - runs with instruments, in a folder of their own.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "glidepath/measure.h"
#include "glidepath/train.h"
#include "loop/digits_run.h"
#include "support/run_results.h"
#include "support/temporary_folder.h"

namespace glidepath {

class MeasuredRunTest : public testing::Test {
 protected:
  static TrainConfig digits(const std::string& model, const std::string& budget, const std::string& measure) {
    TrainConfig config = digits_run(budget);
    config.model = model;
    config.width = 0.25;
    set_config_value(config, "measure", measure);
    return config;
  }
  TrainOptions options(const std::string& name) const {
    TrainOptions options;
    options.out = folder_ / name;
    options.measurer = instruments();
    return options;
  }
  std::vector<nlohmann::json> records(const std::string& run, bool measures) const {
    std::vector<nlohmann::json> list;
    for (nlohmann::json& record : records_of(folder_ / run)) {
      record.erase("seconds");
      if ((record.at("kind") == "measure") == measures) list.push_back(std::move(record));
    }
    return list;
  }

  const TemporaryFolder temporary_{"measure"};
  const std::filesystem::path& folder_ = temporary_.path();
};

}  // namespace glidepath
