// src/report/page/reference_table.h - published results beside those of a study.
#pragma once
#include <string>

#include "report/figures/chart.h"
#include "report/study_data.h"

namespace glidepath {

/// The accuracies of one schedule in the study's reference, drawn as "paper: linear" with open points.
Series reference_series(const StudyReference& reference, std::size_t schedule);

/// A table in Markdown, ours and theirs by schedule and budget; empty when the study has no reference.
std::string render_reference(const StudyData& data);

}  // namespace glidepath
