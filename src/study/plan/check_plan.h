// src/study/plan/check_plan.h - what a study says of itself, checked whoever wrote it.
#pragma once
#include <cstddef>
#include <string>

#include "glidepath/study.h"

namespace glidepath {

/// Of a name, a title, and whose the numbers of [reference] are.
inline constexpr std::size_t kMostPlanTextBytes = 1000;
/// Of the name of a measure.
inline constexpr std::size_t kMostMeasureNameBytes = 200;
/// Of a file of train options or of a study.
inline constexpr std::size_t kMostConfigBytes = std::size_t{4} << 20;

/// What a store or a submitted study says of itself must be what a study file may say. Throws InputError that
/// begins with `place` otherwise: texts that are no line, axes that are no train options, values that their
/// options refuse, figures that there are not.
void check_plan(const std::string& name, const std::string& title, const std::vector<std::string>& axes,
                const std::map<std::string, std::vector<std::string>>& values,
                const std::vector<std::string>& figures, const std::string& place);

/// Names and texts of labels must be lines. Throws InputError that begins with the name.
void check_label(const std::string& name, const std::string& text);

/// As check_plan() of published results.
void check_reference(const StudyReference& reference, const std::string& place);

/// Whether it is one of run_id()'s.
bool is_run_id(const std::string& text);
/// Likewise of a run's id, a part of the name of its folder.
void check_run_id(const std::string& id, const std::string& place);

/// Likewise of its result.
/// Whether it has what a finished run must have: an accuracy in [0, 1], or none and a loss.
bool has_outcome(const RunRecord& run);
void check_result(const RunRecord& run, const std::string& place);

/// What a run said when it failed, as one line of a sensible length.
std::string plain_error(const std::string& text);

}  // namespace glidepath
