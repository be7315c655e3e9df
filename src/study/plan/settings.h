// src/study/plan/settings.h - train options as a study file or the command line gives them: values and lists.
#pragma once
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "config/toml.h"

namespace glidepath {

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

/// The option `key` with the value or list of a study file; `where` (file:line) begins every InputError:
/// unknown keys, values that their option refuses, empty lists, values twice in a list.
Setting read_setting(const toml::node& node, const std::string& where, const std::string& key);

/// The same from the command line: a text that starts with `[` is a list.
Setting read_change(const std::string& key, const std::string& text);

/// Throws InputError with the nearest known key unless `key` is a train option.
void check_key(const std::string& key, const std::string& where);

}  // namespace glidepath
