// src/run/same_run.h - whether a run in a folder is one to go on with.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "glidepath/train_config.h"
#include "run/data_record.h"

namespace glidepath {

/// summary.json of a run that has ended; null where there is none, or none that can be read.
nlohmann::json summary_in(const std::filesystem::path& run);
bool is_finished(const std::filesystem::path& run);

/// Throws InputError for a configuration that is not the run's. True where its budget is another.
bool check_same_run(const std::filesystem::path& run, const TrainConfig& config);

/// Throws InputError where the run, whose config.toml is given, was begun with other data.
void check_same_data(const std::filesystem::path& run, const std::string& config_toml, const DataRecord& data,
                     const std::vector<std::string>& class_names);
[[noreturn]] void refuse_data(const std::filesystem::path& run, const DataRecord& then, const DataRecord& now,
                              const std::vector<std::string>& names_then,
                              const std::vector<std::string>& names_now);

/// Throws InputError for a run that has its result, and says how it is trained on.
void refuse_finished(const std::filesystem::path& run, const TrainConfig& config, bool another_budget);

}  // namespace glidepath
