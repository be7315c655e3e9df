// src/report/report.cpp - the figures, tables and summary page of a study.
#include "glidepath/report.h"

#include <algorithm>
#include <cctype>
#include <cstring>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/safe_text.h"
#include "files/atomic_file.h"
#include "files/folder.h"
#include "glidepath/error.h"
#include "glidepath/study.h"
#include "glidepath/table.h"
#include "report/figures/draw.h"
#include "report/figures/figures.h"
#include "report/figures/forecast_figure.h"
#include "report/figures/series.h"
#include "report/numbers.h"
#include "report/page/html.h"
#include "report/page/reference_table.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

struct Drawable {
  std::vector<Figure> figures;
  std::vector<std::string> missing;  // why others cannot be drawn yet
};

/// Those that the study asks for; 1 and 2 when it asks for none. What a study that is not finished cannot
/// show yet is told and left out; a study in which nothing has finished is refused.
Drawable make_figures(const StudyData& data, const std::vector<std::string>& asked) {
  Drawable drawable;
  for (const std::string& id : asked.empty() ? std::vector<std::string>{"1", "2"} : asked) {
    try {
      drawable.figures.push_back(make_figure(id, data));
    } catch (const InputError& error) {
      drawable.missing.push_back(error.what());
    }
  }
  if (drawable.figures.empty() && data.runs.empty()) throw InputError(drawable.missing.front());
  return drawable;
}

/// Subjects that stand in a text as words of their own, by their labels; of two that begin at one place the
/// longer.
std::string labelled(const std::string& text, const std::map<std::string, std::string>& labels) {
  const auto is_part = [&](std::size_t place) {
    return place < text.size() && (std::isalnum(static_cast<unsigned char>(text[place])) != 0 ||
                                   std::strchr("-_()", text[place]) != nullptr);
  };
  std::string told;
  for (std::size_t i = 0; i < text.size();) {
    const std::pair<const std::string, std::string>* longest = nullptr;
    for (const auto& label : labels) {
      const std::string& subject = label.first;
      if (text.compare(i, subject.size(), subject) != 0 || is_part(i + subject.size())) continue;
      if (longest == nullptr || subject.size() > longest->first.size()) longest = &label;
    }
    if (longest == nullptr || longest->first.empty() || (i > 0 && is_part(i - 1))) {
      told += text[i++];
      continue;
    }
    told += longest->second;
    i += longest->first.size();
  }
  return told;
}

/// In titles, captions and legends, where a line's name begins with its subject or has it after what is
/// measured.
void put_labels(Figure& figure, const std::map<std::string, std::string>& labels) {
  figure.text = labelled(figure.text, labels);
  for (Panel& panel : figure.panels) {
    panel.title = labelled(panel.title, labels);
    panel.y_label = labelled(panel.y_label, labels);
    for (Series& series : panel.series) {
      const auto label = labels.find(series.subject);
      const auto place = series.name.rfind(series.subject);
      if (label == labels.end() || place == std::string::npos) continue;
      series.name.replace(place, series.subject.size(), label->second);
    }
  }
}

/// Names that the options have and the study has not.
void check_names(const StudyData& data, const std::vector<StudyTable>& tables, const ReportOptions& options) {
  if (!options.envelope.empty()) make_figure1(data);  // throws
  std::vector<std::string> known = subjects_in(data);
  for (const StudyTable& table : tables) known.insert(known.end(), table.rows.begin(), table.rows.end());
  std::sort(known.begin(), known.end());
  known.erase(std::unique(known.begin(), known.end()), known.end());
  for (const auto& [name, text] : options.labels) {
    if (std::binary_search(known.begin(), known.end(), name)) continue;
    throw InputError(fmt::format("--label \"{}={}\": there is no \"{}\" in this study; there are {}", name,
                                 text, name, fmt::join(known, ", ")));
  }
}

/// What a page can show.
std::string kind_of_page(const std::vector<std::string>& formats) {
  const auto shown =
      std::find_if(formats.begin(), formats.end(), [](const auto& kind) { return kind != "pdf"; });
  return shown == formats.end() ? formats.front() : *shown;
}

std::string page(const StudyResults& results, const StudyData& data, const Drawable& drawable,
                 const std::string& kind) {
  std::string page = fmt::format("# {}\n\n{}.\n\n{}\n", markdown_text(results.heading()),
                                 markdown_text(data.caption), render_markdown(make_tables(results)));
  if (const auto running = make_running_tables(results); !running.empty())
    page += render_running(running) + "\n";
  page += render_reference(data);
  for (const Figure& figure : drawable.figures) {
    const bool is_of_paper = figure.id != "forecast";
    page += fmt::format("## {}{}\n\n![{}](figures/{}.{})\n\n{}\n\n",
                        is_of_paper ? fmt::format("Figure {}: ", figure.id) : "", figure.title, figure.title,
                        figure_file_name(figure.id), kind, markdown_text(figure.text));
  }
  if (!drawable.missing.empty()) {
    page += "## Not drawn\n\n";
    for (const std::string& reason : drawable.missing) page += fmt::format("- {}\n", markdown_text(reason));
    page += "\n";
  }
  return page + "## Numbers\n\n" + render_numbers(data);
}

RunCurves curves_of(const StudyData& data) {
  RunCurves curves;
  for (const StudyRun& run : data.runs) {
    std::vector<CurveTable> tables = curve_tables(run.curve);
    if (!run.measures.empty()) tables.push_back(measure_table(run.measures));
    if (!tables.empty()) curves[run.record.id] = std::move(tables);
  }
  return curves;
}

}  // namespace

std::vector<fs::path> write_report(const fs::path& study, const ReportOptions& options) {
  StudyResults results = read_results(study);
  for (const auto& [name, text] : options.labels) results.table.labels[name] = text;
  StudyData data = load_study_data(study, results);
  data.envelope = options.envelope;
  check_names(data, make_tables(results), options);
  Drawable drawable = make_figures(data, results.figures);
  if (auto forecast = make_forecast_figure(results, data.caption, options.envelope, options.chance))
    drawable.figures.push_back(std::move(*forecast));
  for (Figure& figure : drawable.figures) put_labels(figure, results.table.labels);
  const Folder out = Folder::make(options.out.empty() ? study : options.out);
  const Folder figures = out.make_inside("figures");

  if (options.on_missing) {
    for (const std::string& reason : drawable.missing) options.on_missing(reason);
  }
  std::vector<fs::path> written;
  for (const Figure& figure : drawable.figures) {
    const std::string name = figure_file_name(figure.id);
    for (const std::string& format : options.formats) {
      draw_figure(figure, figures, name + "." + format, {options.caption, options.width_cm});
      written.push_back(figures.path() / (name + "." + format));
    }
    write_shared_file(figures, name + ".csv", figure_csv(figure));
    written.push_back(figures.path() / (name + ".csv"));
  }
  write_tables(out.path(), results);
  write_shared_file(out, "report.md", page(results, data, drawable, kind_of_page(options.formats)));
  write_shared_file(out, "report.html",
                    render_html(results, data.caption, drawable.figures, curves_of(data), options.chance));
  for (const char* name : {"report.md", "report.html"}) written.push_back(out.path() / name);
  return written;
}

void plot_schedules(const std::vector<std::string>& schedules, const ScheduleContext& context,
                    const fs::path& file) {
  constexpr int kSamples = 480;
  Panel panel;
  panel.x_label = "progress p (spent / budget)";
  panel.y_label = "factor f(p)";
  for (const std::string& text : schedules) {
    const Schedule schedule = parse_schedule(text, context);
    Series line;
    line.name = line.subject = schedule.text();
    for (int sample = 0; sample <= kSamples; ++sample) {
      line.x.push_back(static_cast<double>(sample) / kSamples);
      line.y.push_back(schedule(line.x.back()));
    }
    panel.series.push_back(line);
  }
  if (schedules.empty()) throw InputError("no schedule to draw; give at least one, for example linear");
  draw_figure({"schedules", "", "", 1, {panel}}, file);
}

}  // namespace glidepath
