// src/report/page/report_json.h - what the report's page and the live page both tell, as JSON.
#pragma once
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "glidepath/study.h"

namespace glidepath {

/// Null for a number that is not finite: JSON has none.
nlohmann::ordered_json number_json(double value);
nlohmann::ordered_json numbers_json(const std::vector<double>& values);

/// What run_score() says of it: null, or its text, the same with the score's name, and what is to be large.
nlohmann::ordered_json score_json(const RunRecord& run);

/// Each with its look.
nlohmann::ordered_json subjects_json(const std::vector<std::string>& subjects);

}  // namespace glidepath
