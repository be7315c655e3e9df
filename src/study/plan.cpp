// src/study/plan.cpp - reading a study file: its grids with the profile and what the command line changes, as
// one list of runs.
#include <algorithm>
#include <set>
#include <tuple>

#include <fmt/format.h>

#include "files/read_file.h"
#include "glidepath/budget.h"
#include "glidepath/error.h"
#include "glidepath/study.h"
#include "study/estimate.h"
#include "study/reference.h"
#include "study/settings.h"
#include "train/toml.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

constexpr std::size_t kMostRuns = 100'000;

std::string read_text(const fs::path& file) {
  auto text = try_read_file(file);
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

class StudyFile {
 public:
  explicit StudyFile(const fs::path& file)
      : name_(file.string()), text_(read_text(file)), table_(parse_toml(text_, name_)) {
    for (const auto& [key, node] : table_) {
      const std::string_view known[] = {"name",    "title",     "figures", "default_profile", "base", "grid",
                                        "profile", "reference", "slurm"};
      if (std::find(std::begin(known), std::end(known), key.str()) == std::end(known)) {
        throw InputError(fmt::format("{}: \"{}\" is not a key of a study file; those are {}", where(key),
                                     key.str(), fmt::join(known, ", ")));
      }
    }
  }

  const std::string& text() const { return text_; }
  StudyReference reference() const { return read_reference(table_, name_); }

  std::string text_of(const char* key, const std::string& fallback) const {
    const toml::node* node = table_.get(key);
    if (node == nullptr) return fallback;
    if (!node->is_string()) throw InputError(fmt::format("{}: {}: must be a text", line_of(*node), key));
    return node->as_string()->get();
  }

  std::vector<std::string> figures() const {
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

  SlurmSettings slurm() const {
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

  /// The products that the study is the union of, with a profile ("": none) applied to each.
  std::vector<Settings> products(const std::string& profile) const {
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

  bool is_union(const std::string& profile) const {
    const auto has_grids = [](const toml::table& table) {
      const toml::node* node = table.get("grid");
      return node != nullptr && node->is_array();
    };
    return has_grids(table_) || (!profile.empty() && has_grids(profile_table(profile)));
  }

  /// Reads every profile, so that a mistake in one is found before it is needed.
  void check_profiles() const {
    for (const std::string& profile : profile_names()) products(profile);
    const std::string chosen = text_of("default_profile", "");
    if (!chosen.empty()) profile_table(chosen);
  }

 private:
  std::string where(const toml::key& key) const {
    return fmt::format("{}:{}", name_, key.source().begin.line);
  }
  std::string line_of(const toml::node& node) const {
    return fmt::format("{}:{}", name_, node.source().begin.line);
  }
  const toml::table* table_of(const toml::table& table, const std::string& key) const {
    const toml::node* node = table.get(key);
    if (node != nullptr && !node->is_table()) {
      throw InputError(fmt::format("{}: {}: must be a table", line_of(*node), key));
    }
    return node == nullptr ? nullptr : node->as_table();
  }
  const toml::table* grid_table() const {
    const toml::node* node = table_.get("grid");
    if (node == nullptr || node->is_array_of_tables()) return nullptr;
    return table_of(table_, "grid");
  }

  std::vector<Setting> read_base() const {
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

  std::vector<Setting> read_single_grid(const toml::table& grid, const Settings& base) const {
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

  /// Each table of [[grid]]; a single value of it replaces that of [base].
  std::vector<std::vector<Setting>> read_grids(const toml::table& table, const std::string& shown) const {
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

  std::vector<Setting> read_profile(const toml::table& profile) const {
    std::vector<Setting> settings;
    for (const auto& [key, node] : in_file_order(profile)) {
      if (key->str() == "grid") continue;
      settings.push_back(read_setting(*node, where(*key), std::string(key->str())));
    }
    return settings;
  }

  std::vector<std::string> profile_names() const {
    std::vector<std::string> names;
    if (const auto* profiles = table_of(table_, "profile")) {
      for (const auto& [key, node] : in_file_order(*profiles)) names.emplace_back(key->str());
    }
    return names;
  }

  const toml::table& profile_table(const std::string& wanted) const {
    const std::vector<std::string> names = profile_names();
    if (std::find(names.begin(), names.end(), wanted) == names.end()) {
      throw InputError(fmt::format(
          "{}: no profile \"{}\"; {}", name_, wanted,
          names.empty() ? "the file has none" : fmt::format("it has {}", fmt::join(names, ", "))));
    }
    return *table_of(*table_of(table_, "profile"), wanted);
  }

  std::string name_, text_;
  toml::table table_;
};

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

void check_size(const std::vector<Settings>& products, const std::string& name) {
  std::size_t runs = 0;
  for (const Settings& settings : products) {
    std::size_t product = 1;
    for (const Setting& setting : settings.list()) {
      product *= setting.values.size();
      if (product + runs > kMostRuns) {
        throw InputError(
            fmt::format("{}: the grid has more than {} runs; shorten its lists", name, kMostRuns));
      }
    }
    runs += product;
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

void add_value(StudyPlan& plan, const std::string& key, const std::string& value) {
  std::vector<std::string>& values = plan.values[key];
  if (std::find(values.begin(), values.end(), value) == values.end()) values.push_back(value);
}

/// Runs without those that are the same as one before.
std::vector<TrainConfig> distinct(const std::vector<TrainConfig>& runs) {
  std::set<std::string> known;
  std::vector<TrainConfig> kept;
  for (const TrainConfig& run : runs) {
    if (known.insert(run_id(run)).second) kept.push_back(run);
  }
  return kept;
}

/// True if two runs that have equal values for all of `axes` differ.
bool are_told_apart(const std::vector<TrainConfig>& runs, const std::vector<std::string>& axes) {
  std::set<std::vector<std::string>> seen;
  return std::all_of(runs.begin(), runs.end(), [&](const TrainConfig& run) {
    std::vector<std::string> values;
    for (const std::string& axis : axes) values.push_back(config_value(run, axis));
    return seen.insert(values).second;
  });
}

/// Axes of a union of products: of the keys that vary, those that readers look for, and as many more as it
/// takes to tell all runs apart. What goes with another (a base_lr for each optimizer) is left out.
void find_axes(StudyPlan& plan) {
  std::vector<std::string> varying;
  for (const ConfigKey& key : train_config_keys()) {
    const std::string first = config_value(plan.runs.front(), key.name);
    if (std::any_of(plan.runs.begin(), plan.runs.end(),
                    [&](const TrainConfig& run) { return config_value(run, key.name) != first; })) {
      varying.push_back(key.name);
    }
  }
  for (const char* usual : {"schedule", "optimizer", "model", "data", "budget", "seed"}) {
    const auto found = std::find(varying.begin(), varying.end(), usual);
    if (found == varying.end()) continue;
    plan.axes.push_back(*found);
    varying.erase(found);
  }
  for (const std::string& key : varying) {
    if (are_told_apart(plan.runs, plan.axes)) break;
    plan.axes.push_back(key);
  }
  for (const std::string& axis : plan.axes) {
    for (const TrainConfig& run : plan.runs) add_value(plan, axis, config_value(run, axis));
  }
  // No grid alone says in which order all budgets are: those of one unit rise.
  const auto budgets = plan.values.find("budget");
  if (budgets == plan.values.end()) return;
  std::stable_sort(budgets->second.begin(), budgets->second.end(),
                   [](const std::string& a, const std::string& b) {
                     const Budget left = parse_budget(a), right = parse_budget(b);
                     return std::tie(left.unit, left.amount) < std::tie(right.unit, right.amount);
                   });
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
  study.check_profiles();
  const std::string profile =
      changes.profile.empty() ? study.text_of("default_profile", "") : changes.profile;
  std::vector<Settings> products = study.products(profile);
  for (Settings& settings : products) {
    for (const auto& [key, text] : changes.set) settings.put(read_change(key, text));
  }
  check_size(products, file.string());

  StudyPlan plan;
  plan.name = study.text_of("name", file.stem().string());
  plan.title = study.text_of("title", plan.name);
  plan.figures = study.figures();
  plan.reference = study.reference();
  plan.is_union = study.is_union(profile);
  plan.source_toml = study.text();
  plan.slurm = study.slurm();
  for (const Settings& settings : products) {
    const std::vector<TrainConfig> runs = product(settings.list());
    plan.runs.insert(plan.runs.end(), runs.begin(), runs.end());
  }
  if (plan.is_union) {
    plan.runs = distinct(plan.runs);
    find_axes(plan);
  } else {
    for (const Setting& setting : products.front().list()) {
      if (!setting.is_axis) continue;
      plan.axes.push_back(setting.key);
      plan.values[setting.key] = setting.values;
    }
  }
  check_runs(plan.runs, plan.axes, file.string());
  order_runs(plan);
  return plan;
}

const std::vector<std::string>& figure_ids() {
  static const std::vector<std::string> ids = {"1", "2", "3", "4", "5", "A", "B", "C", "D", "estimate"};
  return ids;
}

}  // namespace glidepath
