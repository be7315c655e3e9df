// src/study/plan/reference.h - the [reference] table of a study file: published results to compare with.
#pragma once
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "config/toml.h"
#include "glidepath/study.h"

namespace glidepath {

/// Reads [reference] of a study file. `name` (the file) begins every InputError: a missing source, budgets
/// that are no percentages or do not rise, lists of another length than `budget`, accuracies outside [0,
/// 100].
StudyReference read_reference(const toml::table& study, const std::string& name);

/// For the store, as nlohmann::json calls them.
void to_json(nlohmann::json& json, const StudyReference& reference);
void from_json(const nlohmann::json& json, StudyReference& reference);

}  // namespace glidepath
