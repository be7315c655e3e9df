// src/study/plan/settings.cpp - train options as a study file or the command line gives them.
#include "study/plan/settings.h"

#include <map>

#include <fmt/format.h>

#include "glidepath/error.h"
#include "glidepath/study.h"

namespace glidepath {
namespace {

std::string value_text(const toml::node& node, const std::string& where, const std::string& key) {
  try {
    return toml_value_text(node, key);
  } catch (const InputError& error) {
    throw InputError(fmt::format("{}: {}", where, error.what()));
  }
}

/// The value as a run's config.toml has it; checks it.
std::string checked_value(const std::string& key, const std::string& text, const std::string& where) {
  try {
    TrainConfig config;
    set_config_value(config, key, text);
    return config_value(config, key);
  } catch (const InputError& error) {
    throw InputError(fmt::format("{}: {}", where, error.what()));
  }
}

void check_axis(const Setting& axis, const std::string& where) {
  const auto& keys = train_config_keys();
  const auto known =
      std::find_if(keys.begin(), keys.end(), [&](const ConfigKey& k) { return k.name == axis.key; });
  if (known != keys.end() && !known->affects_result) {
    throw InputError(fmt::format(
        "{}: {}: does not change a run's result, so it cannot be a list; give one value", where, axis.key));
  }
  std::map<std::string, std::string> spelling;  // of the runs that the values stand for
  for (const std::string& value : axis.values) {
    TrainConfig config;
    set_config_value(config, axis.key, value);
    const auto [same, is_new] = spelling.emplace(run_id(config), value);
    if (is_new) continue;
    const std::string reason = same->second == value
                                   ? "is in the list twice"
                                   : fmt::format("is the same as \"{}\" of the list", same->second);
    throw InputError(fmt::format("{}: {}: \"{}\" {}", where, axis.key, value, reason));
  }
}

Setting make_axis(const std::vector<std::string>& texts, const std::string& where, const std::string& key) {
  Setting setting{key, {}, true};
  if (texts.empty()) {
    throw InputError(fmt::format("{}: {}: an empty list; give at least one value", where, key));
  }
  for (const std::string& text : texts) setting.values.push_back(checked_value(key, text, where));
  check_axis(setting, where);
  return setting;
}

}  // namespace

void check_key(const std::string& key, const std::string& where) {
  try {
    config_value(TrainConfig(), key);
  } catch (const InputError& error) {
    throw InputError(fmt::format("{}: {}", where, error.what()));
  }
}

Setting read_setting(const toml::node& node, const std::string& where, const std::string& key) {
  check_key(key, where);
  if (const auto* array = node.as_array()) {
    std::vector<std::string> texts;
    for (const toml::node& item : *array) texts.push_back(value_text(item, where, key));
    return make_axis(texts, where, key);
  }
  return {key, {checked_value(key, value_text(node, where, key), where)}, false};
}

namespace {

std::string trimmed(const std::string& text) {
  const auto first = text.find_first_not_of(" \t"), last = text.find_last_not_of(" \t");
  return first == std::string::npos ? "" : text.substr(first, last - first + 1);
}

/// The items of `[a, "b", htd(-6,3)]`: commas in parentheses do not part, quotes may be left out.
std::vector<std::string> split_list(const std::string& list, const std::string& where) {
  if (list.size() < 2 || list.back() != ']') {
    throw InputError(fmt::format("{}: the list has no end; write it as [a, b]", where));
  }
  std::vector<std::string> items(1);
  int depth = 0;
  for (const char c : list.substr(1, list.size() - 2)) {
    depth += c == '(' ? 1 : c == ')' ? -1 : 0;
    if (c == ',' && depth == 0) {
      items.emplace_back();
    } else {
      items.back() += c;
    }
  }
  for (std::string& item : items) {
    item = trimmed(item);
    const bool is_quoted =
        item.size() > 1 && item.front() == item.back() && (item[0] == '"' || item[0] == '\'');
    if (is_quoted) item = item.substr(1, item.size() - 2);
  }
  if (items.back().empty()) items.pop_back();  // as TOML has it: the last comma is free
  return items;
}

}  // namespace

Setting read_change(const std::string& key, const std::string& text) {
  const std::string where = fmt::format("--set {}={}", key, text);
  check_key(key, where);
  if (text.empty() || text.front() != '[') return {key, {checked_value(key, text, where)}, false};
  return make_axis(split_list(text, where), where, key);
}

}  // namespace glidepath
