// tests/support/run_results.h - what a run left in its folder.
#pragma once
#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "support/files.h"

namespace glidepath {

inline nlohmann::json summary_of(const std::filesystem::path& run) {
  return nlohmann::json::parse(text_of(run / "summary.json"));
}

/// The lines of metrics.jsonl, in their order; of one kind unless that is empty.
inline std::vector<nlohmann::json> records_of(const std::filesystem::path& run,
                                              const std::string& kind = "") {
  std::istringstream lines(text_of(run / "metrics.jsonl"));
  std::vector<nlohmann::json> records;
  for (std::string line; std::getline(lines, line);) {
    auto record = nlohmann::json::parse(line);
    if (kind.empty() || record.at("kind") == kind) records.push_back(std::move(record));
  }
  return records;
}

}  // namespace glidepath
