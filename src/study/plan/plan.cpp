// src/study/plan/plan.cpp - the runs of a study: the grids of its file with what the command line changes, as
// one list.
#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "config/own_programs.h"
#include "core/blame.h"
#include "core/safe_text.h"
#include "glidepath/budget.h"
#include "glidepath/error.h"
#include "glidepath/schedule.h"
#include "glidepath/study.h"
#include "study/plan/estimate.h"
#include "study/plan/settings.h"
#include "study/plan/study_file.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

constexpr std::size_t kMostPlanned = 100'000;

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

/// A study's runs are of the programs that are there when it is read.
void identify(std::vector<TrainConfig>& runs, const std::string& name) {
  KnownHashes known;
  for (TrainConfig& run : runs) blame((name + ":").c_str(), [&] { identify_programs(run, known); });
}

void check_size(const std::vector<Settings>& products, const std::string& name) {
  std::size_t runs = 0;
  for (const Settings& settings : products) {
    std::size_t product = 1;
    for (const Setting& setting : settings.list()) {
      product *= setting.values.size();
      if (product + runs > kMostPlanned) {
        throw InputError(
            fmt::format("{}: the grid has more than {} runs; shorten its lists", name, kMostPlanned));
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
      values.reserve(axes.size());
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
    values.reserve(axes.size());
    for (const std::string& axis : axes) values.push_back(config_value(run, axis));
    return seen.insert(values).second;
  });
}

/// Axes of a union of products: of the keys that vary, those that readers look for, and as many more as it
/// takes to tell all runs apart. What goes with another (a base_lr for each optimizer) is left out.
void find_axes(StudyPlan& plan) {
  std::vector<std::string> varying;
  for (const ConfigKey& key : train_config_keys()) {
    if (is_program_hash(key.name)) continue;  // of what is named already
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

/// Tables and figures call schedules by their labels.
void check_labels(const std::vector<TrainConfig>& runs, const std::string& file) {
  std::map<std::string, std::string> known;
  for (const TrainConfig& run : runs) {
    const std::string canonical = canonical_schedule(run.schedule), label = schedule_label(canonical);
    const auto [place, is_new] = known.emplace(label, canonical);
    if (is_new || place->second == canonical) continue;
    throw InputError(
        fmt::format("{}: two schedules would both be called \"{}\"; give each a name of its own, for "
                    "example points(0:1,30%:1,100%:0,name=trapezoid)",
                    file, label));
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
  ordered.reserve(places.size());
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
  plan.name = study.text_of("name", plain_line(file.stem().string()));
  plan.title = study.text_of("title", plan.name);
  plan.figures = study.figures();
  plan.reference = study.reference();
  plan.is_union = study.is_union(profile);
  plan.source_toml = study.text();
  plan.slurm = study.slurm();
  plan.table.labels = study.labels();
  for (const Settings& settings : products) {
    std::vector<TrainConfig> runs = product(settings.list());
    identify(runs, file.string());
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
  check_labels(plan.runs, file.string());
  order_runs(plan);
  return plan;
}

}  // namespace glidepath
