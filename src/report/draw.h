// src/report/draw.h - figures as gnuplot scripts.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "glidepath/schedule.h"
#include "report/figures.h"

namespace glidepath {

void draw_figure1(const Figure1& figure, const std::string& caption, const std::filesystem::path& file);

struct Figure2 {
  std::vector<Schedule> schedules;     ///< left: against progress
  std::vector<std::string> palette;    ///< every schedule of the study, so that colours equal figure 1's
  std::vector<double> budget_updates;  ///< right: linear at each of these budgets
  double base_lr = 1;
};
void draw_figure2(const Figure2& figure, const std::string& caption, const std::filesystem::path& file);

}  // namespace glidepath
