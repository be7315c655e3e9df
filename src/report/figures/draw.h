// src/report/figures/draw.h - figures as static pictures.
#pragma once
#include <filesystem>
#include <string>

#include "files/folder.h"
#include "report/figures/chart.h"

namespace glidepath {

struct FigureStyle {
  bool caption = true;  ///< the title above and the text below
  double width_cm = 0;  ///< of the whole figure, letters keeping their size; 0: as wide as its panels
};

/// Draws every panel with one legend for all. Throws InputError for a file that ends in none of .svg, .png
/// and .pdf and for a figure without a point, RunError when gnuplot is missing or fails.
void draw_figure(const Figure& figure, const std::filesystem::path& file);
void draw_figure(const Figure& figure, const Folder& folder, const std::string& name,
                 const FigureStyle& style = {});

}  // namespace glidepath
