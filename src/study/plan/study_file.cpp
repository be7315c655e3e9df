// src/study/plan/study_file.cpp - a study file as it stands: names, figures, and the grids of a profile.
#include "study/plan/study_file.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/safe_text.h"
#include "files/read_file.h"
#include "glidepath/error.h"
#include "study/plan/check_plan.h"
#include "study/plan/reference.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

std::string read_text(const fs::path& file) {
  auto text = try_read_given_file(file, kMostConfigBytes);
  if (!text) throw InputError(fmt::format("{}: cannot be read; give a study file in TOML", file.string()));
  return *std::move(text);
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

/// Options read from one table; a list is an axis.
Settings with_table(Settings settings, const std::vector<Setting>& table) {
  for (const Setting& setting : table) settings.put(setting);
  return settings;
}

}  // namespace

StudyFile::StudyFile(const fs::path& file)
    : name_(file.string()), text_(read_text(file)), table_(parse_toml(text_, name_)) {
  for (const auto& [key, node] : table_) {
    const std::string_view known[] = {"name", "title",   "figures",   "default_profile", "base",
                                      "grid", "profile", "reference", "slurm",           "labels"};
    if (std::find(std::begin(known), std::end(known), key.str()) == std::end(known)) {
      throw InputError(fmt::format("{}: \"{}\" is not a key of a study file; those are {}", where(key),
                                   key.str(), fmt::join(known, ", ")));
    }
  }
}

StudyReference StudyFile::reference() const { return read_reference(table_, name_); }

std::string StudyFile::text_of(const char* key, const std::string& fallback) const {
  const toml::node* node = table_.get(key);
  if (node == nullptr) return fallback;
  if (!node->is_string()) throw InputError(fmt::format("{}: {}: must be a text", line_of(*node), key));
  const std::string text = node->as_string()->get();
  if (const std::string problem = problem_of_line(text, kMostPlanTextBytes); !problem.empty())
    throw InputError(fmt::format("{}: {}: {}", line_of(*node), key, problem));
  return text;
}

std::vector<std::string> StudyFile::figures() const {
  const toml::node* node = table_.get("figures");
  if (node == nullptr) return {};
  const std::vector<std::string>& known = figure_ids();
  std::vector<std::string> figures;
  if (node->is_array()) {
    for (const toml::node& item : *node->as_array())
      figures.push_back(item.is_string() ? item.as_string()->get() : "");
  }
  for (const std::string& id : figures) {
    if (std::find(known.begin(), known.end(), id) != known.end()) continue;
    throw InputError(fmt::format("{}: figures: \"{}\" is not a figure; those are {}", line_of(*node), id,
                                 fmt::join(known, ", ")));
  }
  if (figures.empty()) {
    throw InputError(
        fmt::format("{}: figures: must be a list of texts, for example [\"1\", \"A\"]", line_of(*node)));
  }
  return figures;
}

std::map<std::string, std::string> StudyFile::labels() const {
  std::map<std::string, std::string> labels;
  const auto* table = table_of(table_, "labels");
  if (table == nullptr) return labels;
  for (const auto& [key, node] : in_file_order(*table)) {
    const std::string name(key->str());
    if (!node->is_string())
      throw InputError(fmt::format("{}: [labels] {}: must be a text", where(*key), name));
    labels[name] = node->as_string()->get();
    try {
      check_label(name, labels[name]);
    } catch (const InputError& error) {
      throw InputError(fmt::format("{}: [labels] {}", where(*key), error.what()));
    }
  }
  return labels;
}

SlurmSettings StudyFile::slurm() const {
  SlurmSettings settings;
  const auto* table = table_of(table_, "slurm");
  if (table == nullptr) return settings;
  for (const auto& [key, node] : in_file_order(*table)) {
    try {
      const std::string name(key->str());
      if (const auto* list = node->as_array(); list != nullptr && name == "sbatch_option") {
        for (const toml::node& item : *list) set_slurm_value(settings, name, toml_value_text(item, name));
      } else {
        set_slurm_value(settings, name, toml_value_text(*node, name));
      }
    } catch (const InputError& error) {
      throw InputError(fmt::format("{}: [slurm] {}", where(*key), error.what()));
    }
  }
  return settings;
}

std::vector<Settings> StudyFile::products(const std::string& profile) const {
  const Settings base = with_table({}, read_base());
  const auto* single = grid_table();
  std::vector<Settings> products;
  if (single != nullptr) products.push_back(with_table(base, read_single_grid(*single, base)));
  for (const auto& grid : read_grids(table_, "grid")) products.push_back(with_table(base, grid));
  if (products.empty()) products.push_back(base);
  if (profile.empty()) return products;

  const toml::table& wanted = profile_table(profile);
  const std::vector<Setting> changes = read_profile(wanted);
  for (Settings& product : products) product = with_table(product, changes);
  const Settings changed_base = with_table(base, changes);
  for (const auto& grid : read_grids(wanted, profile + ".grid"))
    products.push_back(with_table(changed_base, grid));
  return products;
}

bool StudyFile::is_union(const std::string& profile) const {
  const auto has_grids = [](const toml::table& table) {
    const toml::node* node = table.get("grid");
    return node != nullptr && node->is_array();
  };
  return has_grids(table_) || (!profile.empty() && has_grids(profile_table(profile)));
}

void StudyFile::check_profiles() const {
  for (const std::string& profile : profile_names()) products(profile);
  const std::string chosen = text_of("default_profile", "");
  if (!chosen.empty()) profile_table(chosen);
}

std::string StudyFile::where(const toml::key& key) const {
  return fmt::format("{}:{}", name_, key.source().begin.line);
}

std::string StudyFile::line_of(const toml::node& node) const {
  return fmt::format("{}:{}", name_, node.source().begin.line);
}

const toml::table* StudyFile::table_of(const toml::table& table, const std::string& key) const {
  const toml::node* node = table.get(key);
  if (node != nullptr && !node->is_table()) {
    throw InputError(fmt::format("{}: {}: must be a table", line_of(*node), key));
  }
  return node == nullptr ? nullptr : node->as_table();
}

const toml::table* StudyFile::grid_table() const {
  const toml::node* node = table_.get("grid");
  if (node == nullptr || node->is_array_of_tables()) return nullptr;
  return table_of(table_, "grid");
}

std::vector<Setting> StudyFile::read_base() const {
  std::vector<Setting> settings;
  const auto* base = table_of(table_, "base");
  if (base == nullptr) return settings;
  for (const auto& [key, node] : in_file_order(*base)) {
    if (node->is_array()) {
      check_key(std::string(key->str()), where(*key));
      throw InputError(
          fmt::format("{}: {}: a list belongs in [grid]; [base] takes one value", where(*key), key->str()));
    }
    settings.push_back(read_setting(*node, where(*key), std::string(key->str())));
  }
  return settings;
}

std::vector<Setting> StudyFile::read_single_grid(const toml::table& grid, const Settings& base) const {
  std::vector<Setting> settings;
  for (const auto& [key, node] : in_file_order(grid)) {
    const std::string name(key->str());
    settings.push_back(read_setting(*node, where(*key), name));
    if (!settings.back().is_axis) {
      throw InputError(
          fmt::format("{}: {}: a single value belongs in [base]; [grid] takes lists", where(*key), name));
    }
    if (base.has(name)) {
      throw InputError(fmt::format("{}: {}: is in [base] and in [grid]; leave one", where(*key), name));
    }
  }
  return settings;
}

std::vector<std::vector<Setting>> StudyFile::read_grids(const toml::table& table,
                                                        const std::string& shown) const {
  std::vector<std::vector<Setting>> grids;
  const toml::node* node = table.get("grid");
  if (node == nullptr || !node->is_array_of_tables()) {
    if (node != nullptr && &table != &table_) {
      throw InputError(fmt::format("{}: {}: must be [[profile.{}]] tables", line_of(*node), shown, shown));
    }
    return grids;
  }
  for (const toml::node& item : *node->as_array()) {
    grids.emplace_back();
    for (const auto& [key, value] : in_file_order(*item.as_table()))
      grids.back().push_back(read_setting(*value, where(*key), std::string(key->str())));
  }
  return grids;
}

std::vector<Setting> StudyFile::read_profile(const toml::table& profile) const {
  std::vector<Setting> settings;
  for (const auto& [key, node] : in_file_order(profile)) {
    if (key->str() == "grid") continue;
    settings.push_back(read_setting(*node, where(*key), std::string(key->str())));
  }
  return settings;
}

std::vector<std::string> StudyFile::profile_names() const {
  std::vector<std::string> names;
  if (const auto* profiles = table_of(table_, "profile")) {
    for (const auto& [key, node] : in_file_order(*profiles)) names.emplace_back(key->str());
  }
  return names;
}

const toml::table& StudyFile::profile_table(const std::string& wanted) const {
  const std::vector<std::string> names = profile_names();
  if (std::find(names.begin(), names.end(), wanted) == names.end()) {
    throw InputError(
        fmt::format("{}: no profile \"{}\"; {}", name_, wanted,
                    names.empty() ? "the file has none" : fmt::format("it has {}", fmt::join(names, ", "))));
  }
  return *table_of(*table_of(table_, "profile"), wanted);
}

const std::vector<std::string>& figure_ids() {
  static const std::vector<std::string> ids = {"1", "2", "3", "4", "5", "A", "B", "C", "D", "estimate"};
  return ids;
}

}  // namespace glidepath
