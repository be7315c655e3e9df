// src/study/plan/reference.cpp - the [reference] table of a study file: published results to compare with.
#include "study/plan/reference.h"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "core/safe_text.h"
#include "glidepath/budget.h"
#include "glidepath/error.h"
#include "glidepath/schedule.h"
#include "study/plan/check_plan.h"

namespace glidepath {
namespace {

std::string where(const std::string& name, const toml::node& node) {
  return fmt::format("{}:{}", name, node.source().begin.line);
}

const toml::node& need(const toml::table& table, const std::string& key, const std::string& name) {
  const toml::node* node = table.get(key);
  if (node == nullptr) throw InputError(fmt::format("{}: reference: has no \"{}\"", where(name, table), key));
  return *node;
}

std::vector<double> read_budgets(const toml::node& node, const std::string& name) {
  std::vector<double> budgets;
  const toml::array* list = node.as_array();
  for (std::size_t i = 0; list != nullptr && i < list->size(); ++i) {
    const std::string text = (*list)[i].value_or(std::string());
    const Budget budget = parse_budget(text);
    const bool rises = budgets.empty() || budget.amount > budgets.back();
    if (budget.unit != BudgetUnit::kPercent || !rises) {
      throw InputError(fmt::format("{}: reference: budget \"{}\": must be percentages that rise",
                                   where(name, node), text));
    }
    budgets.push_back(budget.amount);
  }
  if (budgets.empty()) {
    throw InputError(fmt::format("{}: reference: budget must be a list, for example [\"1%\", \"100%\"]",
                                 where(name, node)));
  }
  return budgets;
}

std::vector<double> read_accuracies(const toml::node& node, const std::string& schedule, std::size_t count,
                                    const std::string& name) {
  std::vector<double> values;
  const toml::array* list = node.as_array();
  for (std::size_t i = 0; list != nullptr && i < list->size(); ++i) {
    const double value = (*list)[i].value_or(-1.0);
    if (!(value >= 0 && value <= 100)) break;
    values.push_back(value);
  }
  if (list == nullptr || values.size() != list->size() || values.size() != count) {
    throw InputError(fmt::format("{}: reference: {}: must be {} accuracies in percent, one for each budget",
                                 where(name, node), schedule, count));
  }
  return values;
}

}  // namespace

StudyReference read_reference(const toml::table& study, const std::string& name) {
  StudyReference reference;
  const toml::node* node = study.get("reference");
  if (node == nullptr) return reference;
  const toml::table* table = node->as_table();
  if (table == nullptr) throw InputError(fmt::format("{}: reference: must be a table", where(name, *node)));
  for (const auto& [key, value] : *table) {
    if (key.str() == "source" || key.str() == "budget" || key.str() == "accuracy") continue;
    throw InputError(
        fmt::format("{}: reference: \"{}\" is not a key of it; those are source, budget, accuracy",
                    where(name, value), key.str()));
  }
  const toml::node& source = need(*table, "source", name);
  reference.source = source.value_or(std::string());
  if (reference.source.empty()) {
    throw InputError(fmt::format("{}: reference: source: must be a text that says whose numbers these are",
                                 where(name, source)));
  }
  if (const std::string problem = problem_of_line(reference.source, kMostPlanTextBytes); !problem.empty())
    throw InputError(fmt::format("{}: reference: source: {}", where(name, source), problem));
  reference.budgets = read_budgets(need(*table, "budget", name), name);
  const toml::node& accuracy = need(*table, "accuracy", name);
  if (!accuracy.is_table() || accuracy.as_table()->empty()) {
    throw InputError(
        fmt::format("{}: reference: accuracy: must be a table of schedules", where(name, accuracy)));
  }
  for (const auto& [key, value] : *accuracy.as_table()) {
    std::string schedule(key.str());
    try {
      schedule = canonical_schedule(schedule);
    } catch (const InputError& error) {
      throw InputError(fmt::format("{}: reference: {}", where(name, value), error.what()));
    }
    reference.accuracy.emplace_back(schedule,
                                    read_accuracies(value, schedule, reference.budgets.size(), name));
  }
  return reference;
}

void to_json(nlohmann::json& json, const StudyReference& reference) {
  json = {{"source", reference.source}, {"budgets", reference.budgets}, {"accuracy", reference.accuracy}};
}

void from_json(const nlohmann::json& json, StudyReference& reference) {
  json.at("source").get_to(reference.source);
  json.at("budgets").get_to(reference.budgets);
  json.at("accuracy").get_to(reference.accuracy);
}

}  // namespace glidepath
