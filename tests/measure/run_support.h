// tests/measure/run_support.h - runs with instruments, in a folder of their own.
#pragma once
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "glidepath/measure.h"
#include "glidepath/train.h"

namespace glidepath {

class MeasuredRunTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "glidepath-measure-XXXXXX").string();
    folder_ = mkdtemp(name.data());
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  static TrainConfig digits(const std::string& model, const std::string& budget, const std::string& measure) {
    TrainConfig config;
    config.data = "digits";
    config.model = model;
    config.width = 0.25;
    config.full = "10ep";
    config.budget = budget;
    config.batch_size = 64;
    config.base_lr = 0.05;
    config.precision = "fp32";
    config.threads = 1;
    config.eval_every = "end";
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
    std::ifstream file(folder_ / run / "metrics.jsonl");
    std::vector<nlohmann::json> list;
    for (std::string line; std::getline(file, line);) {
      auto record = nlohmann::json::parse(line);
      record.erase("seconds");
      if ((record.at("kind") == "measure") == measures) list.push_back(std::move(record));
    }
    return list;
  }
  static std::string text_of(const std::filesystem::path& file) {
    std::ifstream stream(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  }

  std::filesystem::path folder_;
};

}  // namespace glidepath
