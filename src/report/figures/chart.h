// src/report/figures/chart.h - figures as data: what every drawing of them, static or interactive, shows.
#pragma once
#include <limits>
#include <string>
#include <vector>

namespace glidepath {

enum class LineStyle { kSolid, kDashed, kDotted };

/// One line of a panel.
struct Series {
  std::string name;  ///< in the legend
  /// What it is about, usually a schedule's text: series of one subject have one colour in every figure and
  /// are shown and hidden together. "lr" is black and "envelope" green, as in the paper.
  std::string subject;
  /// Percent of the full budget that all of the line is about; NaN: none, or the x axis is the budget.
  double budget = std::numeric_limits<double>::quiet_NaN();
  LineStyle style = LineStyle::kSolid;
  bool right_axis = false;
  std::vector<double> x, y;    ///< of one length; a NaN in y is a gap
  std::vector<double> spread;  ///< standard deviation of each y over seeds; empty: not told
  bool is_reference = false;   ///< published by others: drawn with open points
};

struct Panel {
  std::string title;
  std::string x_label, y_label;
  std::string right_label;  ///< empty: no right axis
  bool log_x = false, log_y = false, log_right = false;
  bool x_is_budget = false;  ///< percent of the full budget
  std::vector<Series> series;
};

struct Figure {
  std::string id;     ///< as the paper numbers it: "1", "3", "A"; "estimate" and the like for our own
  std::string title;  ///< "Full gradient norm and learning rate"
  std::string text;   ///< a few sentences: what is seen, and what made it
  std::size_t columns = 2;
  std::vector<Panel> panels;  ///< row by row
};

}  // namespace glidepath
