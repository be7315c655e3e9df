// src/config/config_table.h - the one table of train options; flags, TOML and help all come from it.
#pragma once
#include <vector>

#include "config/config_entry.h"

namespace glidepath {

/// In the order in which help and config.toml show them.
const std::vector<ConfigEntry>& config_table();

}  // namespace glidepath
