// src/report/figures/draw.cpp - figures as gnuplot scripts: panels in a grid, one legend below them.
#include "report/figures/draw.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "glidepath/error.h"
#include "report/figures/gnuplot.h"
#include "report/figures/palette.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

constexpr std::array<int, 6> kPoints{7, 5, 9, 11, 13, 15};
constexpr std::size_t kMostMarkedPoints = 30;  // of a line: more would hide it
constexpr std::size_t kMostNamedPlaces = 8;    // on a logarithmic axis

// Units of the layout, 96 to an inch as SVG's pixels.
constexpr double kTitle = 46, kPanelTop = 34, kPanelBottom = 66, kLeft = 72, kRight = 26, kRightAxis = 76;
constexpr double kUnitsPerCm = 96 / 2.54, kLeastPlot = 150;
constexpr double kLegendRow = 22, kLegendLine = 34, kTextRow = 16, kLetter = 7.2, kSmallLetter = 5.8;

struct Look {
  std::string colour;
  int point = 7, dash = 1;
  double width = 1.9;
  bool marked = false;
};

struct LegendEntry {
  std::string name;
  Look look;
};

/// What has a place on an axis. Others are gaps, as NaN is: a logarithm of what lies at the very ends of a
/// double has no decade below or above it.
bool is_drawable(double value) {
  constexpr double kLargest = 1e100;
  return std::isfinite(value) && std::abs(value) <= kLargest;
}

bool is_drawable_log(double value) {
  constexpr double kSmallest = 1e-100;
  return is_drawable(value) && value >= kSmallest;
}

struct Range {
  double low = std::numeric_limits<double>::infinity(), high = -std::numeric_limits<double>::infinity();
  void add(double value) {
    if (!is_drawable(value)) return;
    low = std::min(low, value);
    high = std::max(high, value);
  }
  bool is_empty() const { return !(low <= high); }
};

std::size_t letters(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

/// Lines of at most `width` letters, broken at spaces.
std::vector<std::string> wrapped(const std::string& text, std::size_t width) {
  std::vector<std::string> lines(1);
  std::size_t begin = 0;
  while (begin < text.size()) {
    const std::size_t end = std::min(text.find(' ', begin), text.size());
    const std::string word = text.substr(begin, end - begin);
    if (!lines.back().empty() && letters(lines.back()) + 1 + letters(word) > width) lines.emplace_back();
    lines.back() += (lines.back().empty() ? "" : " ") + word;
    begin = end + 1;
  }
  if (lines.back().empty()) lines.pop_back();
  return lines;
}

/// The budgets of a subject in a panel: lines of one subject are told apart by shade.
std::vector<double> budgets_in(const Panel& panel, const std::string& subject) {
  std::set<double> budgets;
  for (const Series& series : panel.series) {
    if (series.subject == subject && !std::isnan(series.budget)) budgets.insert(series.budget);
  }
  return {budgets.begin(), budgets.end()};
}

Look look_of(const Series& series, const Panel& panel, const std::vector<std::string>& subjects) {
  const SubjectLook subject = look_of_subject(series.subject, subjects);
  Look look{subject.colour, kPoints[(subject.place + subject.round) % kPoints.size()],
            subject.round > 0 ? 4 : 1, 1.9, false};
  const std::vector<double> budgets = budgets_in(panel, series.subject);
  if (budgets.size() > 1 && series.subject != "lr") {
    const auto place = std::lower_bound(budgets.begin(), budgets.end(), series.budget) - budgets.begin();
    look.colour = budget_colour(static_cast<double>(place) / static_cast<double>(budgets.size() - 1));
    look.point = kPoints[static_cast<std::size_t>(place) % kPoints.size()];
  } else if (series.subject == "linear") {
    look.width = 3;
  }
  if (series.style == LineStyle::kDashed) look.dash = 2;
  if (series.style == LineStyle::kDotted) look.dash = 3;
  if (series.subject == "lr") look.width = series.style == LineStyle::kSolid ? 1.5 : 1.1;
  if (series.subject == "envelope") look.width = 3;
  const bool is_curve = series.subject != "lr" && series.subject != "envelope";
  // Of gnuplot's points the open one comes before the filled one.
  if (series.is_reference) look.point -= 1, look.width = 1.4;
  look.marked = is_curve && series.x.size() > 2 && series.x.size() <= kMostMarkedPoints;
  return look;
}

/// What an axis has to hold: values, and spreads where it is linear.
Range values_of(const Panel& panel, bool right) {
  const bool is_log = right ? panel.log_right : panel.log_y;
  Range range;
  for (const Series& series : panel.series) {
    if (series.right_axis != right) continue;
    for (std::size_t i = 0; i < series.y.size(); ++i) {
      if (is_log && !is_drawable_log(series.y[i])) continue;
      range.add(series.y[i]);
      if (series.spread.empty() || !std::isfinite(series.spread[i]) || is_log) continue;
      range.add(series.y[i] + series.spread[i]);
      range.add(series.y[i] - series.spread[i]);
    }
  }
  return range;
}

/// A logarithmic axis of less than two decades would have one label or none: 1, 2 and 5 of each decade.
std::string log_scale(const Panel& panel, bool right, const std::string& axis) {
  if (!(right ? panel.log_right : panel.log_y))
    return fmt::format("unset logscale {0}\nset {0}tics autofreq\n", axis);
  const Range range = values_of(panel, right);
  std::string tics = "autofreq";
  if (!range.is_empty() && range.high < 100 * range.low) {
    std::vector<double> places;
    for (double decade = std::pow(10, std::floor(std::log10(range.low)) - 1); decade < 10 * range.high;
         decade *= 10) {
      for (const double part : {1, 2, 5}) places.push_back(part * decade);
    }
    tics = fmt::format("({:g})", fmt::join(places, ","));
  }
  return fmt::format("set logscale {0}\nset {0}tics {1}\n", axis, tics);
}

std::string axis_range(const Panel& panel, bool right) {
  const bool is_log = right ? panel.log_right : panel.log_y;
  const Range range = values_of(panel, right);
  if (range.is_empty()) return "[*:*]";
  if (is_log) return fmt::format("[{}:{}]", range.low / 1.3, range.high * 1.3);
  const double margin = 0.06 * std::max(range.high - range.low, 1e-9 + 0.01 * std::abs(range.high));
  // From zero where that costs little of the panel's height: most quantities here vanish or not.
  const bool is_flat = range.high - range.low < 0.01 * range.high;
  const bool is_paired = !panel.right_label.empty();  // two quantities are compared: equal zeros
  const bool from_zero = range.low >= 0 && (is_paired || is_flat || range.low < 0.2 * range.high);
  return fmt::format("[{}:{}]", from_zero ? 0 : range.low - margin, range.high + margin);
}

/// "1500", "0.25", "2e+15".
std::string short_number(double x) {
  return x >= 1000 && x < 1e6 ? fmt::format("{:.0f}", x) : fmt::format("{:.3g}", x);
}

std::string x_axis(const Panel& panel) {
  Range range;
  std::set<double> budgets;
  for (const Series& series : panel.series) {
    for (const double x : series.x) {
      range.add(x);
      budgets.insert(x);
    }
  }
  if (range.is_empty()) range = {0, 1};
  if (panel.x_is_budget || panel.log_x) {
    std::vector<std::string> places;
    for (const double x : budgets)
      places.push_back(
          fmt::format("'{}' {}", panel.x_is_budget ? fmt::format("{:g}", x) : short_number(x), x));
    const bool are_named = panel.x_is_budget || places.size() <= kMostNamedPlaces;
    return fmt::format("set logscale x\nset xtics {}\nset xrange [{}:{}]\n",
                       are_named ? fmt::format("({})", fmt::join(places, ",")) : "autofreq", range.low / 1.15,
                       range.high * 1.15);
  }
  if (range.low > 0 && range.low < 0.25 * range.high) range.low = 0;
  const double width = range.high > range.low ? 0 : 0.5;
  const bool steep = range.high >= 10000;  // long numbers: fewer of them
  return fmt::format("unset logscale x\nset xtics autofreq {}\nset xrange [{}:{}]\n",
                     steep ? fmt::format("{}", std::ceil(range.high / 4)) : "", range.low - width,
                     range.high + width);
}

/// One series as a data block: x, y, y - spread, y + spread. NaN breaks a line.
std::string data_block(const std::string& name, const Series& series, bool is_log) {
  std::string block = fmt::format("${} << EOD\n", name);
  for (std::size_t i = 0; i < series.x.size(); ++i) {
    const double y = series.y[i];
    if (!(is_log ? is_drawable_log(y) : is_drawable(y)) || !is_drawable(series.x[i])) {
      block += "\n";
      continue;
    }
    const bool has_spread = i < series.spread.size() && is_drawable(series.spread[i]);
    const double spread = has_spread ? series.spread[i] : 0;
    const double low = is_log ? std::max(y - spread, y / 10) : y - spread;
    block += fmt::format("{} {} {} {}\n", series.x[i], y, low, y + spread);
  }
  return block + "EOD\n";
}

class Drawing {
 public:
  Drawing(const Figure& figure, const FigureStyle& style) : figure_(figure), style_(style) {
    std::set<std::string> subjects;
    for (const Panel& panel : figure.panels) {
      for (const Series& series : panel.series) subjects.insert(series.subject);
    }
    subjects_.assign(subjects.begin(), subjects.end());
    lay_out();
  }

  int width() const { return static_cast<int>(width_); }
  int height() const { return static_cast<int>(height_); }

  std::string script() {
    std::string script =
        "set encoding utf8\nset border 3 lc rgb '#444444'\nset tics nomirror out textcolor rgb '#222222'\n"
        "set grid back lc rgb '#d8d8d8' lw 0.8\nset style fill transparent solid 0.14 noborder\n"
        "set datafile missing 'nan'\nunset key\n";
    for (std::size_t p = 0; p < figure_.panels.size(); ++p) {
      const Panel& panel = figure_.panels[p];
      for (std::size_t s = 0; s < panel.series.size(); ++s) {
        const Series& series = panel.series[s];
        script += data_block(fmt::format("p{}s{}", p, s), series,
                             series.right_axis ? panel.log_right : panel.log_y);
      }
    }
    std::string plots = "set multiplot\n" + title_text() + legend_text();
    for (std::size_t p = 0; p < figure_.panels.size(); ++p) {
      plots += panel_text(p);
      plots += "unset label\nunset arrow\n";  // those of the figure go with its first panel
    }
    return script + texts_.block() + plots + "unset multiplot\n";
  }

 private:
  void lay_out() {
    columns_ = std::max<std::size_t>(1, std::min(figure_.columns, figure_.panels.size()));
    rows_ = (figure_.panels.size() + columns_ - 1) / columns_;
    const bool has_right = std::any_of(figure_.panels.begin(), figure_.panels.end(),
                                       [](const Panel& panel) { return !panel.right_label.empty(); });
    right_ = has_right ? kRightAxis : kRight;
    if (style_.width_cm > 0) {
      fit_into(style_.width_cm * kUnitsPerCm);
    } else {
      const double plot_width = columns_ == 1 ? 640 : columns_ == 2 ? 480 : columns_ == 3 ? 330 : 270;
      plot_height_ = columns_ <= 2 ? 330 : columns_ == 3 ? 280 : 220;
      cell_width_ = kLeft + plot_width + right_;
    }
    width_ = static_cast<double>(columns_) * cell_width_;
    for (const Panel& panel : figure_.panels) collect_legend(panel);
    if (style_.caption) text_ = wrapped(figure_.text, static_cast<std::size_t>((width_ - 30) / kSmallLetter));
    top_ = has_title() ? kTitle : 12;
    panels_height_ = static_cast<double>(rows_) * (kPanelTop + plot_height_ + kPanelBottom);
    height_ = top_ + panels_height_ + kLegendRow * static_cast<double>(legend_rows()) + 10 +
              kTextRow * static_cast<double>(text_.size()) + 8;
  }

  bool has_title() const { return style_.caption && !figure_.title.empty(); }

  /// As many panels side by side as leave each of them room; letters keep their size.
  void fit_into(double width) {
    const auto most = static_cast<std::size_t>(std::max(1.0, width / (kLeft + kLeastPlot + right_)));
    columns_ = std::min(columns_, most);
    rows_ = (figure_.panels.size() + columns_ - 1) / columns_;
    cell_width_ = width / static_cast<double>(columns_);
    plot_height_ = std::max(kLeastPlot / 2, (cell_width_ - kLeft - right_) * 0.7);
  }

  void collect_legend(const Panel& panel) {
    for (const Series& series : panel.series) {
      if (series.x.empty() || series.name.empty()) continue;
      const Look look = look_of(series, panel, subjects_);
      const bool is_known = std::any_of(legend_.begin(), legend_.end(), [&](const LegendEntry& entry) {
        return entry.name == series.name && entry.look.colour == look.colour && entry.look.dash == look.dash;
      });
      if (!is_known) legend_.push_back({series.name, look});
    }
  }

  /// Entries are set in columns as wide as the longest.
  double legend_width() const {
    std::size_t longest = 0;
    for (const LegendEntry& entry : legend_) longest = std::max(longest, letters(entry.name));
    return kLegendLine + 26 + kLetter * static_cast<double>(longest);
  }
  std::size_t legend_columns() const {
    const auto most = static_cast<std::size_t>(std::max(1.0, (width_ - 20) / legend_width()));
    const std::size_t rows = (legend_.size() + most - 1) / most;
    return rows == 0 ? 1 : (legend_.size() + rows - 1) / rows;  // rows of like length
  }
  std::size_t legend_rows() const { return (legend_.size() + legend_columns() - 1) / legend_columns(); }

  double screen_x(double x) const { return x / width_; }
  double screen_y(double from_top) const { return 1 - from_top / height_; }

  std::string title_text() {
    std::string script;
    if (has_title()) {
      script += fmt::format("set label {} at screen {},{} left font ',16' textcolor rgb '#111111'\n",
                            texts_.add(figure_.title), screen_x(16), screen_y(24));
    }
    double y = height_ - 8 - kTextRow * (static_cast<double>(text_.size()) - 0.5);
    for (const std::string& line : text_) {
      script += fmt::format("set label {} at screen {},{} left font ',10' textcolor rgb '#666666'\n",
                            texts_.add(line), screen_x(16), screen_y(y));
      y += kTextRow;
    }
    return script;
  }

  std::string legend_text() {
    std::string script;
    const std::size_t columns = legend_columns();
    const double step = legend_width();
    const double left =
        std::max(10.0, (width_ - step * static_cast<double>(std::min(columns, legend_.size()))) / 2);
    for (std::size_t i = 0; i < legend_.size(); ++i) {
      const Look& look = legend_[i].look;
      const double x = left + step * static_cast<double>(i % columns);
      const double y =
          screen_y(top_ + panels_height_ + kLegendRow * (static_cast<double>(i / columns) + 0.5));
      // Of two lines after each other that differ in their dashes alone gnuplot's svg forgets the second's.
      const double width = look.width + (i % 2 == 0 ? 0 : 0.01);
      script += fmt::format("set arrow from screen {},{} to screen {},{} nohead lw {} dt {} lc rgb '{}'\n",
                            screen_x(x), y, screen_x(x + kLegendLine), y, width, look.dash, look.colour);
      if (look.marked) {
        script += fmt::format("set label '' at screen {},{} point pt {} ps 0.8 lc rgb '{}'\n",
                              screen_x(x + kLegendLine / 2), y, look.point, look.colour);
      }
      script += fmt::format("set label {} at screen {},{} left font ',12' textcolor rgb '#222222'\n",
                            texts_.add(legend_[i].name), screen_x(x + kLegendLine + 8), y);
    }
    return script;
  }

  /// By our own coordinates: gnuplot's place for them differs between its kinds of pictures.
  std::string axis_label(const std::string& text, double x, double from_top, int degrees) {
    return fmt::format(
        "set label {} at screen {},{} center rotate by {} font ',12' textcolor rgb '#111111'\n",
        texts_.add(text), screen_x(x), screen_y(from_top), degrees);
  }

  std::string panel_text(std::size_t place) {
    const Panel& panel = figure_.panels[place];
    const double x = cell_width_ * static_cast<double>(place % columns_) + kLeft;
    const double y =
        top_ + (kPanelTop + plot_height_ + kPanelBottom) * static_cast<double>(place / columns_) + kPanelTop;
    const double right_edge = x + cell_width_ - kLeft - right_;
    const bool has_right = !panel.right_label.empty();
    std::string script = fmt::format(
        "set lmargin at screen {}\nset rmargin at screen {}\nset tmargin at screen {}\nset bmargin at screen "
        "{}\nset label {} at screen {},{} left font ',13' textcolor rgb '#111111'\n",
        screen_x(x), screen_x(right_edge), screen_y(y), screen_y(y + plot_height_), texts_.add(panel.title),
        screen_x(x), screen_y(y - 16));
    script += x_axis(panel);
    script += axis_label(panel.x_label, (x + right_edge) / 2, y + plot_height_ + 44, 0);
    script += axis_label(panel.y_label, x - 56, y + plot_height_ / 2, 90);
    script += fmt::format("set yrange {}\n{}", axis_range(panel, false), log_scale(panel, false, "y"));
    if (has_right) {
      script += axis_label(panel.right_label, right_edge + 58, y + plot_height_ / 2, 90);
      script += fmt::format("set border 11\nset y2tics textcolor rgb '#222222'\nset y2range {}\n{}",
                            axis_range(panel, true), log_scale(panel, true, "y2"));
    } else {
      script += "set border 3\nunset y2tics\n";
    }
    return script + plot_command(place) + "\n";
  }

  std::string plot_command(std::size_t place) const {
    const Panel& panel = figure_.panels[place];
    std::vector<std::string> bands, lines;
    for (std::size_t s = 0; s < panel.series.size(); ++s) {
      const Series& series = panel.series[s];
      if (std::none_of(series.y.begin(), series.y.end(), is_drawable)) continue;
      const Look look = look_of(series, panel, subjects_);
      const char* axes = series.right_axis ? "axes x1y2" : "axes x1y1";
      const std::string data = fmt::format("$p{}s{}", place, s);
      if (!series.spread.empty()) {
        bands.push_back(
            fmt::format("{} using 1:3:4 {} with filledcurves lc rgb '{}'", data, axes, look.colour));
      }
      lines.push_back(fmt::format("{} using 1:2 {} with {} lw {} dt {} lc rgb '{}'{}", data, axes,
                                  look.marked ? "linespoints" : "lines", look.width, look.dash, look.colour,
                                  look.marked ? fmt::format(" pt {} ps 0.7", look.point) : ""));
    }
    if (lines.empty()) {
      throw InputError(fmt::format("figure {}, panel \"{}\": has no point to draw", figure_.id, panel.title));
    }
    bands.insert(bands.end(), lines.begin(), lines.end());  // lines lie above bands
    return fmt::format("plot {}", fmt::join(bands, ", "));
  }

  const Figure& figure_;
  FigureStyle style_;
  std::vector<std::string> subjects_, text_;
  GnuplotTexts texts_;
  std::vector<LegendEntry> legend_;
  std::size_t columns_ = 1, rows_ = 1;
  double width_ = 0, height_ = 0, plot_height_ = 0, cell_width_ = 0, right_ = kRight, top_ = 0;
  double panels_height_ = 0;
};

}  // namespace

void draw_figure(const Figure& figure, const Folder& folder, const std::string& name,
                 const FigureStyle& style) {
  if (figure.panels.empty()) throw InputError(fmt::format("figure {}: has no panel to draw", figure.id));
  Drawing drawing(figure, style);
  const std::string script = drawing.script();
  run_gnuplot(script, folder, name, drawing.width(), drawing.height());
}

void draw_figure(const Figure& figure, const fs::path& file) {
  const auto folder = Folder::try_open(file.parent_path());
  if (!folder) {
    throw InputError(
        fmt::format("{}: no such folder; make it first, or give another --out", file.parent_path().string()));
  }
  draw_figure(figure, *folder, file.filename().string());
}

}  // namespace glidepath
