// src/run/data_record.h - which data a run trains on, so that it does not go on with others.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "glidepath/dataset.h"

namespace glidepath {

/// Counts and checksums of a data set as it was found. A folder's are over the names of all images, below the
/// data set's own folder, and the sizes of some thousands; other stores' and those of images in memory take
/// in what they hold. Moving a data set changes nothing.
struct DataRecord {
  std::int64_t train_images = 0, test_images = 0, classes = 0;
  std::string tested_on;    ///< Dataset::tested_on
  std::string class_names;  ///< "sha256:..." of the names in their order
  std::string images;       ///< "sha256:..."

  bool operator==(const DataRecord& other) const;
  bool operator!=(const DataRecord& other) const { return !(*this == other); }
};

/// Of a whole data set, before limits.
DataRecord describe_data(const Dataset& dataset);

/// The names of the classes, their numbers where they have none.
std::vector<std::string> names_of_classes(const Dataset& dataset);

/// What differs, "245 training images, not 244; ..."; empty where nothing does. Where the names of the
/// classes then are known, the first that changed is named.
std::string difference(const DataRecord& then, const DataRecord& now,
                       const std::vector<std::string>& names_then = {},
                       const std::vector<std::string>& names_now = {});

/// The table [dataset] of a run's config.toml.
std::string to_toml(const DataRecord& record);
/// That table of a whole config.toml; nothing where there is none, as in runs of earlier versions.
std::optional<DataRecord> data_record_in(const std::string& config_toml);

nlohmann::json to_json(const DataRecord& record);
/// Null for none.
nlohmann::json to_json(const std::optional<DataRecord>& record);
/// Nothing for null, as in checkpoints of earlier versions. Throws what nlohmann::json does for other things.
std::optional<DataRecord> data_record_from(const nlohmann::json& json);

/// The file classes.json of a run: a list of names. What is no UTF-8 in a name is replaced.
std::string class_names_json(const std::vector<std::string>& names);
/// Empty for a text that is none.
std::vector<std::string> class_names_from(const std::string& text);

}  // namespace glidepath
