// src/study/plan.cpp - reading a study file: its settings, what the command line changes, and their product.
#include <algorithm>
#include <fstream>
#include <sstream>
#include <tuple>

#include <fmt/format.h>

#include "glidepath/error.h"
#include "glidepath/study.h"
#include "study/estimate.h"
#include "train/toml.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

constexpr std::size_t kMostRuns = 100'000;

/// One train option of a study: a single value, or an axis of the grid.
struct Setting {
  std::string key;
  std::vector<std::string> values;
  bool is_axis = false;
};

/// In the order in which they were first given; giving a key again replaces it in place.
class Settings {
 public:
  void put(Setting setting) {
    const auto same = std::find_if(list_.begin(), list_.end(),
                                   [&](const Setting& known) { return known.key == setting.key; });
    if (same == list_.end()) {
      list_.push_back(std::move(setting));
    } else {
      *same = std::move(setting);
    }
  }
  bool has(const std::string& key) const {
    return std::any_of(list_.begin(), list_.end(), [&](const Setting& known) { return known.key == key; });
  }
  const std::vector<Setting>& list() const { return list_; }

 private:
  std::vector<Setting> list_;
};

std::string read_text(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream || fs::is_directory(file)) {
    throw InputError(fmt::format("{}: cannot be read; give a study file in TOML", file.string()));
  }
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

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

/// A table's entries in the file's order, which toml++ does not keep.
std::vector<std::pair<const toml::key*, const toml::node*>> in_file_order(const toml::table& table) {
  std::vector<std::pair<const toml::key*, const toml::node*>> entries;
  for (const auto& [key, node] : table) entries.emplace_back(&key, &node);
  std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) {
    const auto place = [](const toml::key& key) {
      return std::make_pair(key.source().begin.line, key.source().begin.column);
    };
    return place(*a.first) < place(*b.first);
  });
  return entries;
}

class StudyFile {
 public:
  explicit StudyFile(const fs::path& file)
      : name_(file.string()), text_(read_text(file)), table_(parse_toml(text_, name_)) {
    for (const auto& [key, node] : table_) {
      const std::string_view known[] = {"name", "title", "base", "grid", "profile"};
      if (std::find(std::begin(known), std::end(known), key.str()) == std::end(known)) {
        throw InputError(
            fmt::format("{}: \"{}\" is not a key of a study file; those are name, title, base, grid, profile",
                        where(key), key.str()));
      }
    }
  }

  const std::string& text() const { return text_; }

  std::string text_of(const char* key, const std::string& fallback) const {
    const toml::node* node = table_.get(key);
    if (node == nullptr) return fallback;
    if (!node->is_string()) {
      throw InputError(fmt::format("{}:{}: {}: must be a text", name_, node->source().begin.line, key));
    }
    return node->as_string()->get();
  }

  void put_base_and_grid(Settings& settings) const {
    const auto* base = table_of(table_, "base");
    const auto* grid = table_of(table_, "grid");
    if (base != nullptr) {
      for (const auto& [key, node] : in_file_order(*base)) {
        if (node->is_array()) {
          check_key(std::string(key->str()), where(*key));
          throw InputError(fmt::format("{}: {}: a list belongs in [grid]; [base] takes one value",
                                       where(*key), key->str()));
        }
        settings.put(read_setting(*node, where(*key), std::string(key->str())));
      }
    }
    if (grid == nullptr) return;
    for (const auto& [key, node] : in_file_order(*grid)) {
      const std::string name(key->str());
      Setting setting = read_setting(*node, where(*key), name);
      if (!setting.is_axis) {
        throw InputError(
            fmt::format("{}: {}: a single value belongs in [base]; [grid] takes lists", where(*key), name));
      }
      if (settings.has(name)) {
        throw InputError(fmt::format("{}: {}: is in [base] and in [grid]; leave one", where(*key), name));
      }
      settings.put(std::move(setting));
    }
  }

  void put_profile(Settings& settings, const std::string& wanted) const {
    const auto* profiles = table_of(table_, "profile");
    std::vector<std::string> names;
    if (profiles != nullptr) {
      for (const auto& [key, node] : in_file_order(*profiles)) names.emplace_back(key->str());
    }
    if (std::find(names.begin(), names.end(), wanted) == names.end()) {
      throw InputError(fmt::format(
          "{}: no profile \"{}\"; {}", name_, wanted,
          names.empty() ? "the file has none" : fmt::format("it has {}", fmt::join(names, ", "))));
    }
    for (const auto& [key, node] : in_file_order(*table_of(*profiles, wanted))) {
      settings.put(read_setting(*node, where(*key), std::string(key->str())));
    }
  }

  /// Reads every profile, so that a mistake in one is found before it is needed.
  void check_profiles() const {
    if (const auto* profiles = table_of(table_, "profile")) {
      for (const auto& [key, node] : *profiles) {
        Settings ignored;
        put_profile(ignored, std::string(key.str()));
      }
    }
  }

 private:
  std::string where(const toml::key& key) const {
    return fmt::format("{}:{}", name_, key.source().begin.line);
  }
  const toml::table* table_of(const toml::table& table, const std::string& key) const {
    const toml::node* node = table.get(key);
    if (node != nullptr && !node->is_table()) {
      throw InputError(fmt::format("{}:{}: {}: must be a table", name_, node->source().begin.line, key));
    }
    return node == nullptr ? nullptr : node->as_table();
  }

  std::string name_, text_;
  toml::table table_;
};

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

Setting read_change(const std::string& key, const std::string& text) {
  const std::string where = fmt::format("--set {}={}", key, text);
  check_key(key, where);
  if (text.empty() || text.front() != '[') return {key, {checked_value(key, text, where)}, false};
  return make_axis(split_list(text, where), where, key);
}

/// Every combination, the last axis changing fastest.
std::vector<TrainConfig> product(const std::vector<Setting>& settings) {
  TrainConfig base;
  base.threads = 1;
  std::vector<TrainConfig> runs = {base};
  for (const Setting& setting : settings) {
    std::vector<TrainConfig> larger;
    larger.reserve(runs.size() * setting.values.size());
    for (const TrainConfig& run : runs) {
      for (const std::string& value : setting.values) {
        larger.push_back(run);
        set_config_value(larger.back(), setting.key, value);
      }
    }
    runs = std::move(larger);
  }
  return runs;
}

void check_size(const std::vector<Setting>& settings, const std::string& name) {
  std::size_t runs = 1;
  for (const Setting& setting : settings) {
    runs *= setting.values.size();
    if (runs > kMostRuns) {
      throw InputError(fmt::format("{}: the grid has more than {} runs; shorten its lists", name, kMostRuns));
    }
  }
}

void check_runs(const std::vector<TrainConfig>& runs, const std::vector<std::string>& axes,
                const std::string& name) {
  for (const TrainConfig& run : runs) {
    try {
      check_config(run);
    } catch (const InputError& error) {
      std::vector<std::string> values;
      for (const std::string& axis : axes) values.push_back(axis + " " + config_value(run, axis));
      throw InputError(fmt::format("{}: run {}: {}", name, fmt::join(values, ", "), error.what()));
    }
  }
}

void order_runs(StudyPlan& plan) {
  const auto seeds = plan.values.find("seed");
  const auto seed_place = [&](const TrainConfig& run) -> std::ptrdiff_t {
    if (seeds == plan.values.end()) return 0;
    return std::find(seeds->second.begin(), seeds->second.end(), config_value(run, "seed")) -
           seeds->second.begin();
  };
  struct Place {
    std::ptrdiff_t seed;
    double images;
    std::size_t index;
    bool operator<(const Place& other) const {
      return std::tie(seed, images, index) < std::tie(other.seed, other.images, other.index);
    }
  };
  std::vector<Place> places;
  for (std::size_t i = 0; i < plan.runs.size(); ++i) {
    places.push_back({seed_place(plan.runs[i]), images_to_train(plan.runs[i]), i});
  }
  std::sort(places.begin(), places.end());
  std::vector<TrainConfig> ordered;
  for (const Place& place : places) ordered.push_back(std::move(plan.runs[place.index]));
  plan.runs = std::move(ordered);
}

}  // namespace

StudyPlan read_study_plan(const fs::path& file, const PlanChanges& changes) {
  const StudyFile study(file);
  Settings settings;
  study.put_base_and_grid(settings);
  study.check_profiles();
  if (!changes.profile.empty()) study.put_profile(settings, changes.profile);
  for (const auto& [key, text] : changes.set) settings.put(read_change(key, text));

  StudyPlan plan;
  plan.name = study.text_of("name", file.stem().string());
  plan.title = study.text_of("title", plan.name);
  plan.source_toml = study.text();
  check_size(settings.list(), file.string());
  for (const Setting& setting : settings.list()) {
    if (!setting.is_axis) continue;
    plan.axes.push_back(setting.key);
    plan.values[setting.key] = setting.values;
  }
  plan.runs = product(settings.list());
  check_runs(plan.runs, plan.axes, file.string());
  order_runs(plan);
  return plan;
}

}  // namespace glidepath
