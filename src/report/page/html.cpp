// src/report/page/html.cpp - the report of a study as one page.
#include "report/page/html.h"

#include <algorithm>
#include <cmath>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "config/result_numbers.h"
#include "core/safe_text.h"
#include "files/json_text.h"
#include "glidepath/budget.h"
#include "glidepath/table.h"
#include "report/page/page.h"
#include "report/page/ranking_html.h"
#include "report/page/report_json.h"
#include "report/study_data.h"
#include "report/summary.h"
#include "study/results/run_words.h"

namespace glidepath {
namespace {

using Json = nlohmann::ordered_json;

// What curves may take of the page's 3 MB; the chart library takes 1.1 MB.
constexpr std::size_t kCurveBytes = 1'300'000;
constexpr std::size_t kBytesOfValue = 9;

/// Six significant digits: more than a curve shows, at half the size.
double rounded(double value) {
  return std::isfinite(value) ? std::stod(fmt::format("{:.6g}", value)) : value;
}

const char* style_name(LineStyle style) {
  return style == LineStyle::kDashed ? "dashed" : style == LineStyle::kDotted ? "dotted" : "solid";
}

Json series_json(const Series& series) {
  return {{"name", series.name},
          {"subject", series.subject},
          {"budget", number_json(series.budget)},
          {"style", style_name(series.style)},
          {"right", series.right_axis},
          {"reference", series.is_reference},
          {"x", numbers_json(series.x)},
          {"y", numbers_json(series.y)},
          {"spread", numbers_json(series.spread)}};
}

Json figure_json(const Figure& figure) {
  Json panels = Json::array();
  for (const Panel& panel : figure.panels) {
    Json series = Json::array();
    for (const Series& line : panel.series) series.push_back(series_json(line));
    panels.push_back({{"title", panel.title},
                      {"x_label", panel.x_label},
                      {"y_label", panel.y_label},
                      {"right_label", panel.right_label},
                      {"log_x", panel.log_x},
                      {"log_y", panel.log_y},
                      {"log_right", panel.log_right},
                      {"x_is_budget", panel.x_is_budget},
                      {"series", series}});
  }
  return {{"id", figure.id},
          {"title", figure.title},
          {"text", figure.text},
          {"columns", figure.columns},
          {"panels", panels}};
}

/// The options that all runs share, and are the same in each.
std::set<std::string> common_keys(const StudyResults& results) {
  std::set<std::string> keys;
  for (const ConfigKey& key : train_config_keys()) {
    const auto is_same = [&](const RunRecord& run) {
      return config_value(run.config, key.name) == config_value(results.runs.front().config, key.name);
    };
    if (std::all_of(results.runs.begin(), results.runs.end(), is_same)) keys.insert(key.name);
  }
  return keys;
}

Json config_json(const TrainConfig& config, const std::set<std::string>& keys, bool wanted) {
  Json object = Json::object();
  for (const ConfigKey& key : train_config_keys()) {
    if ((keys.count(key.name) > 0) == wanted) object[key.name] = config_value(config, key.name);
  }
  return object;
}

/// Percent of the full budget; null for other units.
Json budget_json(const TrainConfig& config) {
  const Budget budget = parse_budget(config.budget);
  return budget.unit == BudgetUnit::kPercent ? Json(budget.amount) : Json(nullptr);
}

Json runs_json(const StudyResults& results, const std::set<std::string>& common) {
  Json list = Json::array();
  const Subjects lines(results);
  for (const RunRecord& run : results.runs) {
    const bool is_done = run.status == RunStatus::kDone;
    const auto result = [&](double value) { return is_done ? number_json(value) : Json(nullptr); };
    list.push_back({{"id", run.id},
                    {"label", run_label(run.config, results.axes)},
                    {"status", to_string(run.status)},
                    {"error", run.error},
                    {"subject", lines.of(run.config)},
                    {"budget", budget_json(run.config)},
                    {"config", config_json(run.config, common, false)},
                    {"score", score_json(run)},
                    {"test_loss", result(run.test_loss)},
                    {"loss", number_json(shown_loss(run))},
                    {"train_loss", result(run.train_loss)},
                    {"updates", run.updates},
                    {"epochs", result(run.epochs)},
                    {"seconds", result(run.seconds)}});
  }
  return list;
}

std::size_t points_per_table(const RunCurves& curves) {
  std::size_t columns = 0;
  for (const auto& [id, tables] : curves) {
    for (const CurveTable& table : tables) columns += table.columns.size();
  }
  return std::clamp<std::size_t>(kCurveBytes / kBytesOfValue / std::max<std::size_t>(columns, 1), 8, 1000);
}

Json curves_json(const RunCurves& curves) {
  const std::size_t limit = points_per_table(curves);
  Json object = Json::object();
  for (const auto& [id, tables] : curves) {
    Json list = Json::array();
    for (const CurveTable& table : tables) {
      CurveTable fewer = thinned(table, limit);
      Json values = Json::array();
      for (std::vector<double>& column : fewer.values) {
        std::transform(column.begin(), column.end(), column.begin(), rounded);
        values.push_back(numbers_json(column));
      }
      list.push_back(
          {{"kind", fewer.kind}, {"columns", fewer.columns}, {"values", values}, {"points", table.points()}});
    }
    object[id] = list;
  }
  return object;
}

std::string dump(const Json& json) { return escape_json_for_script(json_text(json)); }

/// "rex by 1.20 ± 0.45 points"; of one seed each without an interval.
std::string lead_text(const ColumnAnswer& answer, bool is_share) {
  if (answer.next.empty() || answer.best.empty()) return "";
  if (std::isnan(answer.lead)) return answer.next;  // no seed that both have
  const std::string interval = std::isfinite(answer.half_width) && answer.half_width > 0
                                   ? " ± " + score_text(answer.half_width, is_share, answer.lead)
                                   : "";
  return fmt::format("{} by {}{}{}", answer.next, score_text(answer.lead, is_share), interval,
                     is_share ? " points" : "");
}

const char* class_of(Verdict verdict) {
  return verdict == Verdict::kClear ? "clear" : verdict == Verdict::kLevel ? "level" : "noisy";
}

std::string answer_html(const StudyTable& table, const StudyAnswer& answer, const std::string& score) {
  const std::string column_name = table.column_axis.empty() ? "result" : table.column_axis;
  std::string html = fmt::format(
      "<p class=\"headline\">{}</p>\n<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Best "
      "at each {}\">"
      "<table class=\"answer\"><caption class=\"sr-only\">Best at each {}</caption><thead><tr>"
      "<th scope=\"col\">{}</th><th scope=\"col\">best</th><th scope=\"col\" class=\"number\">{}{}</th>"
      "<th scope=\"col\">ahead of</th><th scope=\"col\">how sure</th></tr></thead><tbody>\n",
      html_text(headline(table, answer)), html_text(column_name), html_text(column_name),
      html_text(column_name), html_text(score), table.is_share ? ", %" : "");
  for (const ColumnAnswer& column : answer.by_column) {
    if (column.best.empty()) continue;
    const std::string spread =
        std::isnan(column.stddev) ? "" : " ± " + score_text(column.stddev, table.is_share, column.mean);
    html += fmt::format(
        "<tr><th scope=\"row\">{}</th><td><code>{}</code></td><td class=\"number\">{}{}</td><td>{}</td>"
        "<td><span class=\"sure {}\">{}</span></td></tr>\n",
        html_text(column.column), html_text(column.best), score_text(column.mean, table.is_share), spread,
        html_text(lead_text(column, table.is_share)), class_of(column.verdict),
        html_text(confidence_text(column)));
  }
  return html + "</tbody></table></div>\n";
}

std::string tables_html(const std::vector<StudyTable>& tables, const std::string& score) {
  std::string html;
  for (const StudyTable& table : tables) {
    std::string caption = table.caption.empty() ? "" : table.caption + ". ";
    caption += fmt::format("{}{}, mean ± sample standard deviation over seeds.",
                           table.is_share           ? "In percent: "
                           : table.higher_is_better ? "Higher is better: "
                                                    : "Lower is better: ",
                           score);
    const std::string marks = marks_text({table});
    if (!marks.empty()) caption += " " + marks + ".";
    html += "<p class=\"text small\">" + html_text(caption) + "</p>\n" +
            "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Table of results\">" +
            render_html_table(table, caption) + "</div>\n";
  }
  return html;
}

}  // namespace

std::vector<std::string> subjects_of(const StudyResults& results, const std::vector<Figure>& figures) {
  std::set<std::string> subjects;
  const Subjects lines(results);
  for (const RunRecord& run : results.runs) subjects.insert(lines.of(run.config));
  for (const Figure& figure : figures) {
    for (const Panel& panel : figure.panels) {
      for (const Series& series : panel.series) subjects.insert(series.subject);
    }
  }
  for (const char* special : {"", "lr", "envelope"}) subjects.erase(special);
  return {subjects.begin(), subjects.end()};
}

std::string render_html(const StudyResults& results, const std::string& caption,
                        const std::vector<Figure>& figures, const RunCurves& curves,
                        const std::function<std::optional<double>(const std::string& data)>& chance) {
  const std::string title = results.heading();
  const std::vector<StudyTable> tables = make_tables(results);
  const std::string score = score_title(results);
  const std::set<std::string> common = results.runs.empty() ? std::set<std::string>{} : common_keys(results);
  Json data = {{"name", results.name},
               {"title", title},
               {"subjects", subjects_json(subjects_of(results, figures))},
               {"figures", Json::array()},
               {"axes", results.axes},
               {"common", results.runs.empty() ? Json::object()
                                               : config_json(results.runs.front().config, common, true)},
               {"score", find_result_number(task_score(results.runs))->what},
               {"runs", runs_json(results, common)},
               {"curves", curves_json(curves)},
               {"table_csv", render_csv(tables)},
               {"results_csv", results_csv(results)}};
  for (const Figure& figure : figures) data["figures"].push_back(figure_json(figure));

  std::string answer;
  for (const StudyTable& table : tables) {
    if (!table.caption.empty()) answer += fmt::format("<h3>{}</h3>\n", html_text(table.caption));
    answer += answer_html(table, make_answer(table), score);
  }
  const std::string json = dump(data), html_title = html_text(title), html_caption = html_text(caption);
  std::string html_tables = tables_html(tables, score);
  if (const auto running = make_running_tables(results); !running.empty())
    html_tables +=
        tables_html(running, score + " with batch norm's running statistics in place of fresh ones");
  const std::string order = ranking_html(results, chance);
  return fill_template(asset("report.html"),
                       {{"title", html_title},
                        {"caption", html_caption},
                        {"answer", answer},
                        {"tables", html_tables},
                        {"order", order},
                        {"order_link", order.empty() ? "" : "<a href=\"#order\">Order</a> "},
                        {"data", json},
                        {"style", asset("style.css")},
                        {"echarts", asset("echarts.min.js")},
                        {"charts", asset("charts.js")},
                        {"panel", asset("panel.js")},
                        {"runs", asset("runs.js")},
                        {"report", asset("report.js")}});
}

}  // namespace glidepath
