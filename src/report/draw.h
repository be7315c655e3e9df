// src/report/draw.h - figures as static pictures.
#pragma once
#include <filesystem>
#include <string>

#include "files/folder.h"
#include "report/chart.h"

namespace glidepath {

/// Draws every panel with one legend for all, the title above and the text below. Throws InputError for a
/// file that ends neither in .svg nor in .png and for a figure without a point, RunError when gnuplot is
/// missing or fails.
void draw_figure(const Figure& figure, const std::filesystem::path& file);
void draw_figure(const Figure& figure, const Folder& folder, const std::string& name);

}  // namespace glidepath
