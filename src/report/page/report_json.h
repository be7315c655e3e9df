// src/report/page/report_json.h - what the report's page and the live page both tell, as JSON.
#pragma once
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace glidepath {

/// Null for a number that is not finite: JSON has none.
nlohmann::ordered_json number_json(double value);
nlohmann::ordered_json numbers_json(const std::vector<double>& values);

/// Each with its look.
nlohmann::ordered_json subjects_json(const std::vector<std::string>& subjects);

}  // namespace glidepath
