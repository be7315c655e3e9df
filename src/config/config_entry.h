// src/config/config_entry.h - the kinds of train options: how each is checked, set from text and shown.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "glidepath/train_config.h"

namespace glidepath {

struct ConfigEntry {
  ConfigKey key;
  std::function<void(TrainConfig&, const std::string&)> set;  ///< throws InputError that begins with the key
  std::function<std::string(const TrainConfig&)> get;
};

/// Throws InputError `"TEXT": WANTED`; entries put their key before it.
[[noreturn]] void refuse_value(const std::string& text, const std::string& wanted);

/// Any line of UTF-8 that `check` does not throw at.
ConfigEntry text_entry(std::string TrainConfig::*field, std::string name, std::string help,
                       bool affects_result = true, std::function<void(const std::string&)> check = {});

/// A text kept as `canonical` gives it back, so that what means the same is one run however it is written.
ConfigEntry canonical_entry(std::string TrainConfig::*field, std::string name, std::string help,
                            std::function<std::string(const std::string&)> canonical,
                            bool affects_result = true);

ConfigEntry choice_entry(std::string TrainConfig::*field, std::string name, std::string help,
                         std::vector<std::string> choices, bool affects_result = true);

/// A number in [low, high), or (low, high) when `open`.
ConfigEntry real_entry(double TrainConfig::*field, std::string name, std::string help, double low,
                       double high, bool open);

/// A share in (0, 1], also as a percentage: 0.25, 25%.
ConfigEntry share_entry(double TrainConfig::*field, std::string name, std::string help);

/// A whole number in [low, high]; Integer is std::int64_t or std::uint64_t.
template <typename Integer>
ConfigEntry whole_entry(Integer TrainConfig::*field, std::string name, std::string help, std::int64_t low,
                        std::int64_t high, bool affects_result = true);

ConfigEntry flag_entry(bool TrainConfig::*field, std::string name, std::string help);

}  // namespace glidepath
