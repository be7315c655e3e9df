// src/report/draw.cpp - figures as gnuplot scripts.
#include "report/draw.h"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "glidepath/error.h"
#include "glidepath/report.h"
#include "report/gnuplot.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

// Okabe and Ito's colours (jfly.uni-koeln.de/color), told apart with any colour vision; yellow is left out,
// as it is faint on white. Past their number the point type goes on.
constexpr std::array<const char*, 7> kColours{"#0072B2", "#D55E00", "#009E73", "#CC79A7",
                                              "#E69F00", "#56B4E9", "#000000"};
constexpr std::array<int, 7> kPoints{7, 5, 9, 11, 13, 6, 4};
constexpr const char* kEnvelopeColour = "#009E73";

/// The look of a schedule: the same in every figure, as it follows from the place in a sorted list of all.
struct Look {
  std::string colour;
  int point, dash;
  double width;
};

Look look_of(const std::string& schedule, std::vector<std::string> all) {
  std::sort(all.begin(), all.end());
  const auto place = static_cast<std::size_t>(std::find(all.begin(), all.end(), schedule) - all.begin());
  const bool cut = schedule.compare(0, 4, "cut(") == 0;
  return {kColours[place % kColours.size()], kPoints[(place + place / kColours.size()) % kPoints.size()],
          cut ? 2 : (place >= kColours.size() ? 4 : 1), schedule == "linear" ? 3.5 : 1.8};
}

std::string common_style(const std::string& caption) {
  return fmt::format(
      "set border 3 lc rgb '#444444'\nset tics nomirror out textcolor rgb '#222222'\n"
      "set grid back lc rgb '#dddddd' lw 0.6\nset style fill transparent solid 0.12 noborder\n"
      "set label 1000 {} at screen 0.01,0.03 left font ',10' textcolor rgb '#666666'\n",
      gnuplot_text(caption));
}

void add_block(std::string& script, const std::string& name,
               const std::vector<std::vector<double>>& columns) {
  script += fmt::format("${} << EOD\n", name);
  for (std::size_t row = 0; row < columns.front().size(); ++row) {
    for (const auto& column : columns) script += fmt::format("{} ", column[row]);
    script += "\n";
  }
  script += "EOD\n";
}

std::string budget_axis(const std::vector<double>& budgets) {
  std::string tics;
  for (const double budget : budgets)
    tics += fmt::format("{}'{:g}' {}", tics.empty() ? "" : ",", budget, budget);
  return fmt::format(
      "set logscale x\nset xtics ({})\nset xrange [{}:{}]\nset xlabel 'budget (% of the full budget)'\n",
      tics, budgets.front() / 1.15, budgets.back() * 1.15);
}

/// Lines of figure 1 with `scale` applied, bands first so that lines lie above them.
std::string accuracy_plot(const Figure1& figure, const std::string& columns_mean, bool bands, bool keys) {
  std::vector<std::string> names;
  for (const AccuracyLine& line : figure.lines) names.push_back(line.schedule);
  std::string plot = "plot ";
  for (std::size_t i = 0; bands && i < figure.lines.size(); ++i) {
    plot += fmt::format("$line{} using 1:($2-$3):($2+$3) with filledcurves lc rgb '{}' notitle, ", i,
                        look_of(names[i], names).colour);
  }
  for (std::size_t i = 0; i < figure.lines.size(); ++i) {
    const Look look = look_of(names[i], names);
    plot += fmt::format("{}$line{} using 1:{} with linespoints lw {} dt {} pt {} ps 0.7 lc rgb '{}' {}",
                        i == 0 ? "" : ", ", i, columns_mean, look.width, look.dash, look.point, look.colour,
                        keys ? "title " + gnuplot_text(names[i]) : std::string("notitle"));
  }
  return plot;
}

}  // namespace

void draw_figure1(const Figure1& figure, const std::string& caption, const fs::path& file) {
  std::string script = common_style(caption);
  for (std::size_t i = 0; i < figure.lines.size(); ++i) {
    const AccuracyLine& line = figure.lines[i];
    add_block(script, fmt::format("line{}", i), {line.budget, line.mean, line.stddev});
  }
  add_block(script, "envelope", {figure.budget, figure.envelope});
  script += budget_axis(figure.budget);
  script +=
      "set multiplot\nset tmargin at screen 0.95\nset bmargin at screen 0.2\n"
      "set lmargin at screen 0.07\nset rmargin at screen 0.40\nunset key\n"
      "set ylabel 'test accuracy (%)' offset 1\n" +
      accuracy_plot(figure, "2", true, false) + "\n";
  script +=
      "unset label 1000\nset lmargin at screen 0.475\nset rmargin at screen 0.815\n"
      "set key at screen 0.995,0.95 right top Left reverse samplen 2 spacing 1.15 font ',11'\n"
      "set ylabel '% of the best full-budget accuracy' offset 1\n" +
      accuracy_plot(figure, fmt::format("(100*$2/{})", figure.reference), false, true) +
      fmt::format(
          ", $envelope using 1:2 with lines lw 3 dt 3 lc rgb '{}' title 'best trade-off'\nunset multiplot\n",
          kEnvelopeColour);
  run_gnuplot(script, file, 1200, 520);
}

void draw_figure2(const Figure2& figure, const std::string& caption, const fs::path& file) {
  const std::vector<Schedule>& schedules = figure.schedules;
  const std::vector<double>& budget_updates = figure.budget_updates;
  const double base_lr = figure.base_lr;
  constexpr int kSamples = 360;
  std::vector<std::string> names;
  for (const Schedule& schedule : schedules) names.push_back(schedule.text());
  const std::vector<std::string>& palette = figure.palette.empty() ? names : figure.palette;
  std::string script = common_style(caption), left = "plot ", right = "plot ";
  for (std::size_t i = 0; i < schedules.size(); ++i) {
    std::vector<double> progress, factor;
    for (int sample = 0; sample <= kSamples; ++sample) {
      progress.push_back(static_cast<double>(sample) / kSamples);
      factor.push_back(schedules[i](progress.back()));
    }
    add_block(script, fmt::format("schedule{}", i), {progress, factor});
    const Look look = look_of(names[i], palette);
    left += fmt::format("{}$schedule{} using 1:2 with lines lw {} dt {} lc rgb '{}' title {}",
                        i == 0 ? "" : ", ", i, look.width, look.dash, look.colour, gnuplot_text(names[i]));
  }
  for (std::size_t i = 0; i < budget_updates.size(); ++i) {
    add_block(script, fmt::format("budget{}", i), {{0, budget_updates[i]}, {base_lr, 0}});
    right += fmt::format("{}$budget{} using 1:2 with lines lw 2.2 lc rgb '{}' title '{:.0f} updates'",
                         i == 0 ? "" : ", ", i, kColours[i % kColours.size()], budget_updates[i]);
  }
  script +=
      "set multiplot\nset tmargin at screen 0.95\nset bmargin at screen 0.2\nset yrange [0:1.02]\n"
      "set lmargin at screen 0.07\nset rmargin at screen 0.38\n"
      "set key at screen 0.39,0.95 left top Left reverse samplen 2 spacing 1.15 font ',11'\n"
      "set xlabel 'progress p (spent / budget)'\nset ylabel 'factor f(p)' offset 1\n" +
      left + "\n";
  if (!budget_updates.empty()) {
    script += fmt::format(
        "unset label 1000\nset yrange [0:{}]\nset lmargin at screen 0.615\nset rmargin at screen 0.85\n"
        "set key at screen 0.995,0.95 right top\nset xtics autofreq {}\n"
        "set xlabel 'updates'\nset ylabel 'learning rate (linear)' offset 1\n{}\n",
        1.02 * base_lr, std::max(1.0, std::ceil(budget_updates.back() / 4)), right);
  }
  script += "unset multiplot\n";
  run_gnuplot(script, file, 1200, 520);
}

void plot_schedules(const std::vector<std::string>& schedules, const ScheduleContext& context,
                    const fs::path& file) {
  std::vector<Schedule> parsed;
  for (const std::string& text : schedules) parsed.push_back(parse_schedule(text, context));
  if (parsed.empty()) throw InputError("no schedule to draw; give at least one, for example linear");
  draw_figure2({parsed, {}, {}, context.base_lr}, "", file);
}

}  // namespace glidepath
