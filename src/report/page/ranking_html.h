// src/report/page/ranking_html.h - the order of a study's rows as a section of the report's page.
#pragma once
#include <functional>
#include <optional>
#include <string>

#include "glidepath/study.h"

namespace glidepath {

/// A table for each ranking (study/results/ranking.h): ranks, groups that cannot be told apart, and
/// P(row is better than column) in blue and orange, which every kind of sight tells apart, with numbers
/// besides. Of more than 60 rows the first 60. Why there is no order, where rows cannot be ordered yet; empty
/// where there is but one row.
std::string ranking_html(const StudyResults& results,
                         const std::function<std::optional<double>(const std::string& data)>& chance);

}  // namespace glidepath
