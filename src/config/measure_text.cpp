// src/config/measure_text.cpp - the grammar of measures.
#include "config/measure_text.h"

#include <algorithm>
#include <cmath>
#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/words.h"
#include "glidepath/error.h"
#include "schedule/schedule_text.h"

namespace glidepath {
namespace {

constexpr double kMostPoints = 100'000;
constexpr double kMany = 1e9;
const std::vector<std::string> kNames = {"grad-norm", "weight-norm", "effective-lr", "grad-norm-online"};

[[noreturn]] void refuse(const std::string& text, const std::string& reason) {
  throw InputError(fmt::format("\"{}\": {}", text, reason));
}

/// Splits at commas outside parentheses.
std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> parts;
  int depth = 0;
  std::size_t begin = 0;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    if (i == text.size() || (text[i] == ',' && depth == 0)) {
      parts.emplace_back(words::trim(text.substr(begin, i - begin)));
      begin = i + 1;
    } else {
      depth += text[i] == '(' ? 1 : text[i] == ')' ? -1 : 0;
    }
  }
  return parts;
}

Measure measure_named(const std::string& name, const std::string& text) {
  const auto found = std::find(kNames.begin(), kNames.end(), name);
  if (found == kNames.end()) {
    refuse(text, fmt::format("no measure \"{}\"; the nearest is {}, and there are {}", name,
                             words::nearest(name, kNames), fmt::join(kNames, ", ")));
  }
  return static_cast<Measure>(found - kNames.begin());
}

void read_moments(MeasureItem& item, const std::string& moments, const std::string& text) {
  item.has_moments = true;
  const std::size_t equals = moments.find('=');
  const std::string key(words::trim(moments.substr(0, equals)));
  const std::string value(equals == std::string::npos ? "" : words::trim(moments.substr(equals + 1)));
  if (key == "points") {
    const auto points = words::number(value);
    if (!points || !(*points >= 1 && *points <= kMostPoints) || *points != std::floor(*points)) {
      refuse(text, fmt::format("points \"{}\" must be a whole number in [1, {:.0f}]", value, kMostPoints));
    }
    item.points = static_cast<std::int64_t>(*points);
    return;
  }
  if (key != "every") {
    refuse(text, fmt::format("\"@{}\": after @ comes every=1ep (or 500it, or 5%) or points=20", moments));
  }
  try {
    item.every = parse_budget(value);
  } catch (const InputError& error) {
    refuse(text, fmt::format("every {}", error.what()));
  }
  if (item.every->unit == BudgetUnit::kSeconds || item.every->unit == BudgetUnit::kFlops ||
      item.every->unit == BudgetUnit::kTokens) {
    refuse(text, fmt::format("every \"{}\" must be in epochs, iterations or percent of the budget", value));
  }
}

bool yes(ScheduleCall& call, const char* key) { return call.word(key, "no", {"no", "yes"}) == "yes"; }

std::int64_t count(ScheduleCall& call, const char* key, std::int64_t fallback, double low) {
  const double value = call.number(key, static_cast<double>(fallback), low, kMany);
  if (value != std::floor(value)) call.refuse(fmt::format("{} must be a whole number", key));
  return static_cast<std::int64_t>(value);
}

void read_options(MeasureItem& item, ScheduleCall& call) {
  if (item.what == Measure::kGradNorm) {
    const std::string statistics = call.word("bn", "batch", {"batch", "running", "fresh"});
    item.statistics = statistics == "fresh"     ? NormStatistics::kFresh
                      : statistics == "running" ? NormStatistics::kRunning
                                                : NormStatistics::kBatch;
    item.augment = yes(call, "augment");
    item.decay = yes(call, "decay");
    item.images = count(call, "images", 0, 1);
    item.bf16 = call.word("precision", "fp32", {"fp32", "bf16"}) == "bf16";
    item.layers = yes(call, "layers");
  } else if (item.what == Measure::kWeightNorm) {
    item.layers = yes(call, "layers");
  } else if (item.what == Measure::kGradNormOnline) {
    item.peek = count(call, "peek", item.peek, 1);
  }
  call.require_all_taken();
}

struct Parsed {
  MeasureItem item;
  std::string canonical;
};

Parsed parse_part(const std::string& part, const std::string& text) {
  int depth = 0;
  std::size_t at = 0;
  while (at < part.size() && !(part[at] == '@' && depth == 0)) {
    depth += part[at] == '(' ? 1 : part[at] == ')' ? -1 : 0;
    ++at;
  }
  const std::string what(words::trim(part.substr(0, at)));
  if (what.empty())
    refuse(text, fmt::format("a measure is missing; give one of {}", fmt::join(kNames, ", ")));
  const bool has_options = what.find('(') != std::string::npos;
  if (!has_options && what.find_first_of(")=") != std::string::npos)
    refuse(text,
           fmt::format("\"{}\": write a name and, where wanted, options, for example grad-norm(bn=running)",
                       what));
  Parsed parsed;
  try {
    ScheduleCall call = ScheduleCall::parse(what);
    parsed.item.what = measure_named(call.name(), text);
    if (parsed.item.what == Measure::kEffectiveRate && has_options)
      refuse(text, "effective-lr has no options");
    read_options(parsed.item, call);
    parsed.canonical = call.canonical();
  } catch (const InputError& error) {
    const std::string problem = error.what();
    if (what == text || problem.compare(0, text.size() + 2, '"' + text + '"') == 0) throw;
    refuse(text, problem);
  }
  if (at == part.size()) return parsed;
  read_moments(parsed.item, std::string(words::trim(part.substr(at + 1))), text);
  const MeasureItem& item = parsed.item;
  if (item.every) parsed.canonical += "@every=" + to_string(*item.every);
  if (!item.every && item.points != MeasureItem().points)
    parsed.canonical += fmt::format("@points={}", item.points);
  return parsed;
}

std::vector<Parsed> parse_list(const std::string& text) {
  std::vector<Parsed> list;
  if (words::trim(text).empty()) return list;
  for (const std::string& part : split_list(text)) {
    Parsed parsed = parse_part(part, text);
    for (const Parsed& other : list) {
      if (other.item.what == parsed.item.what)
        refuse(text, fmt::format("{} is given twice; give it once", to_string(parsed.item.what)));
    }
    list.push_back(std::move(parsed));
  }
  return list;
}

}  // namespace

std::vector<MeasureItem> parse_measures(const std::string& text) {
  std::vector<MeasureItem> items;
  for (const Parsed& parsed : parse_list(text)) items.push_back(parsed.item);
  return items;
}

std::string canonical_measures(const std::string& text) {
  std::string canonical;
  for (const Parsed& parsed : parse_list(text))
    canonical += (canonical.empty() ? "" : ",") + parsed.canonical;
  return canonical;
}

const char* to_string(Measure measure) { return kNames[static_cast<std::size_t>(measure)].c_str(); }

}  // namespace glidepath
