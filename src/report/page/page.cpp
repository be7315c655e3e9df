// src/report/page/page.cpp - the pieces that the report's page and the live page share.
#include "report/page/page.h"

#include <stdexcept>

#include <fmt/format.h>

#include "core/safe_text.h"

namespace glidepath {

#define GLIDEPATH_ASSET(name)    \
  extern const char* const name; \
  extern const std::size_t name##Bytes
// Made by cmake/EmbedFiles.cmake.
GLIDEPATH_ASSET(kEcharts);
GLIDEPATH_ASSET(kStyle);
GLIDEPATH_ASSET(kChartsScript);
GLIDEPATH_ASSET(kPanelScript);
GLIDEPATH_ASSET(kReportScript);
GLIDEPATH_ASSET(kRunsScript);
GLIDEPATH_ASSET(kReportPage);
GLIDEPATH_ASSET(kWatchScript);
GLIDEPATH_ASSET(kWatchPage);
#undef GLIDEPATH_ASSET

std::string_view asset(const std::string& name) {
  if (name == "echarts.min.js") return {kEcharts, kEchartsBytes};
  if (name == "style.css") return {kStyle, kStyleBytes};
  if (name == "charts.js") return {kChartsScript, kChartsScriptBytes};
  if (name == "panel.js") return {kPanelScript, kPanelScriptBytes};
  if (name == "report.js") return {kReportScript, kReportScriptBytes};
  if (name == "runs.js") return {kRunsScript, kRunsScriptBytes};
  if (name == "report.html") return {kReportPage, kReportPageBytes};
  if (name == "watch.js") return {kWatchScript, kWatchScriptBytes};
  if (name == "watch.html") return {kWatchPage, kWatchPageBytes};
  throw std::out_of_range("no asset " + name);
}

std::string escape_json_for_script(const std::string& json) {
  std::string out;
  out.reserve(json.size());
  for (std::size_t i = 0; i < json.size(); ++i) {
    if (json[i] == '<') {
      out += "\\u003c";  // "<" stands in strings alone, where this means the same
    } else if (json.compare(i, 3, "\u2028") == 0 || json.compare(i, 3, "\u2029") == 0) {
      out += json[i + 2] == '\xa8' ? "\\u2028" : "\\u2029";
      i += 2;
    } else {
      out += json[i];
    }
  }
  return out;
}

std::string fill_template(std::string_view page, const std::map<std::string, std::string_view>& values) {
  std::string out;
  for (;;) {
    const std::size_t begin = page.find("{{");
    const std::size_t end = begin == std::string_view::npos ? begin : page.find("}}", begin);
    if (end == std::string_view::npos) break;
    out += page.substr(0, begin);
    out += values.at(std::string(page.substr(begin + 2, end - begin - 2)));
    page.remove_prefix(end + 2);
  }
  return out.append(page);
}

std::string render_html_table(const StudyTable& table, const std::string& caption) {
  const bool ranked = !table.average_rank.empty();
  std::string html =
      fmt::format("<table><caption class=\"sr-only\">{}</caption><thead><tr><th scope=\"col\">{}</th>",
                  html_text(caption), html_text(table.row_axis));
  for (const std::string& column : table.columns) {
    html += fmt::format("<th scope=\"col\" class=\"number\">{}</th>", html_text(column));
  }
  if (ranked) html += "<th scope=\"col\" class=\"number\">average rank</th>";
  html += "</tr></thead><tbody>\n";
  for (std::size_t row = 0; row < table.rows.size(); ++row) {
    html += fmt::format("<tr><th scope=\"row\"><code>{}</code></th>", html_text(table.row_labels[row]));
    for (const TableCell& cell : table.cells[row]) {
      const std::string text = html_text(cell.text());
      html += cell.mark == Mark::kBest
                  ? fmt::format("<td class=\"number best\"><strong>{}</strong></td>", text)
                  : fmt::format("<td class=\"number\">{}</td>", text);
    }
    if (ranked) html += fmt::format("<td class=\"number\">{:.2f}</td>", table.average_rank[row]);
    html += "</tr>\n";
  }
  return html + "</tbody></table>\n";
}

}  // namespace glidepath
