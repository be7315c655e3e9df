// src/cli/data_info.h - `glidepath data info`.
#pragma once
#include <CLI/CLI.hpp>

namespace glidepath::cli {

void add_info(CLI::App& command);

}  // namespace glidepath::cli
