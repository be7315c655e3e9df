// src/config/config_entry.cpp - the kinds of train options: how each is checked, set from text and shown.
#include "config/config_entry.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/safe_text.h"
#include "core/words.h"
#include "glidepath/error.h"

namespace glidepath {
namespace {

constexpr std::size_t kMostBytes = 65536;  // of a value; a path has 4096 at most

/// Puts the option's name before what `set` throws. Whatever the option, its text is one line of UTF-8: TOML
/// is UTF-8, and what is shown of a run must not steer what shows it.
ConfigEntry named(ConfigKey key, const std::function<void(TrainConfig&, const std::string&)>& set,
                  std::function<std::string(const TrainConfig&)> get) {
  const std::string name = key.name;
  return {std::move(key),
          [name, set](TrainConfig& config, const std::string& text) {
            try {
              if (const std::string problem = problem_of_line(text, kMostBytes); !problem.empty())
                refuse_value(text, problem);
              set(config, text);
            } catch (const InputError& error) {
              throw InputError(fmt::format("{} {}", name, error.what()));
            }
          },
          std::move(get)};
}

}  // namespace

void refuse_value(const std::string& text, const std::string& wanted) {
  constexpr std::size_t kShown = 1000;
  const std::string shown = text.size() > kShown ? text.substr(0, kShown) + "..." : text;
  throw InputError(fmt::format("\"{}\": {}", shown, wanted));
}

ConfigEntry text_entry(std::string TrainConfig::*field, std::string name, std::string help,
                       bool affects_result, std::function<void(const std::string&)> check) {
  return named(
      {std::move(name), std::move(help), TrainConfig().*field, affects_result},
      [field, check = std::move(check)](TrainConfig& config, const std::string& text) {
        if (check) check(text);
        config.*field = text;
      },
      [field](const TrainConfig& config) { return config.*field; });
}

ConfigEntry canonical_entry(std::string TrainConfig::*field, std::string name, std::string help,
                            std::function<std::string(const std::string&)> canonical, bool affects_result) {
  return named(
      {std::move(name), std::move(help), TrainConfig().*field, affects_result},
      [field, canonical = std::move(canonical)](TrainConfig& config, const std::string& text) {
        config.*field = canonical(text);
      },
      [field](const TrainConfig& config) { return config.*field; });
}

ConfigEntry choice_entry(std::string TrainConfig::*field, std::string name, std::string help,
                         std::vector<std::string> choices, bool affects_result) {
  const auto check = [choices = std::move(choices)](const std::string& text) {
    if (std::find(choices.begin(), choices.end(), text) == choices.end())
      refuse_value(text, fmt::format("must be one of {}", fmt::join(choices, ", ")));
  };
  return text_entry(field, std::move(name), std::move(help), affects_result, check);
}

ConfigEntry share_entry(double TrainConfig::*field, std::string name, std::string help) {
  return named(
      {std::move(name), std::move(help), fmt::format("{}", TrainConfig().*field), true},
      [=](TrainConfig& config, const std::string& text) {
        const bool is_percent = !text.empty() && text.back() == '%';
        const auto value = words::number(is_percent ? text.substr(0, text.size() - 1) : text);
        const double share = value.value_or(0) / (is_percent ? 100 : 1);
        if (!(share > 0 && share <= 1))
          refuse_value(text, "must be a share in (0, 1], for example 0.25 or 25%");
        config.*field = share;
      },
      [field](const TrainConfig& config) { return fmt::format("{}", config.*field); });
}

ConfigEntry real_entry(double TrainConfig::*field, std::string name, std::string help, double low,
                       double high, bool open) {
  const std::string wanted = std::isinf(high)
                                 ? fmt::format("must be a number {} {}", open ? "above" : "of at least", low)
                                 : fmt::format("must be a number in {}{}, {})", open ? "(" : "[", low, high);
  return named(
      {std::move(name), std::move(help), fmt::format("{}", TrainConfig().*field), true},
      [=](TrainConfig& config, const std::string& text) {
        const auto value = words::number(text);
        if (!value || *value < low || (open && *value == low) || *value >= high) refuse_value(text, wanted);
        config.*field = *value;
      },
      [field](const TrainConfig& config) { return fmt::format("{}", config.*field); });
}

template <typename Integer>
ConfigEntry whole_entry(Integer TrainConfig::*field, std::string name, std::string help, std::int64_t low,
                        std::int64_t high, bool affects_result) {
  const std::string wanted = fmt::format("must be a whole number in [{}, {}]", low, high);
  return named(
      {std::move(name), std::move(help), fmt::format("{}", TrainConfig().*field), affects_result},
      [=](TrainConfig& config, const std::string& text) {
        const auto value = words::whole(text);
        if (!value || *value < low || *value > high) refuse_value(text, wanted);
        config.*field = static_cast<Integer>(*value);
      },
      [field](const TrainConfig& config) { return fmt::format("{}", config.*field); });
}

template ConfigEntry whole_entry(std::int64_t TrainConfig::*, std::string, std::string, std::int64_t,
                                 std::int64_t, bool);
template ConfigEntry whole_entry(std::uint64_t TrainConfig::*, std::string, std::string, std::int64_t,
                                 std::int64_t, bool);

ConfigEntry flag_entry(bool TrainConfig::*field, std::string name, std::string help) {
  const auto shown = [field](const TrainConfig& config) {
    return std::string(config.*field ? "true" : "false");
  };
  return named(
      {std::move(name), std::move(help), shown(TrainConfig()), true},
      [field](TrainConfig& config, const std::string& text) {
        if (text != "true" && text != "false") refuse_value(text, "must be true or false");
        config.*field = text == "true";
      },
      shown);
}

}  // namespace glidepath
