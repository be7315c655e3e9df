// src/report/page/ranking_html.cpp - the order of a study's rows as a section of the report's page.
#include "report/page/ranking_html.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "core/safe_text.h"
#include "glidepath/error.h"
#include "study/results/ranking.h"

namespace glidepath {
namespace {

constexpr std::size_t kMostRows = 60;
constexpr std::size_t kMostCells = 10'000;  // of all tables: the page stays small

/// "w3": the row is better, in the third of five shades; "l3": the column; "" in the middle.
std::string shade_of(double odds) {
  constexpr int kShades = 5;
  const double away = std::abs(odds - 0.5) * 2;
  const int shade = std::min(kShades, static_cast<int>(std::ceil(away * kShades - 0.5)));
  return shade == 0 ? "" : fmt::format("{}{}", odds > 0.5 ? 'w' : 'l', shade);
}

/// ".97": a leading zero would make wide tables wider.
std::string odds_text(double odds) {
  const std::string text = fmt::format("{:.2f}", odds);
  return text[0] == '0' ? text.substr(1) : text;
}

/// The letters of a row, each where it stands in every other row: a group is a column of its letter.
std::string letters_in_place(const std::string& groups) {
  if (groups.find(' ') != std::string::npos) return groups;  // more groups than letters
  const std::size_t first = groups.empty() ? 0 : static_cast<std::size_t>(groups.front() - 'a');
  return std::string(first, ' ') + groups;
}

std::string head_html(const Ranking& ranking, std::size_t rows) {
  const std::string at = ranking.budget.empty() ? ranking.score : ranking.score + " at " + ranking.budget;
  std::string html = fmt::format(
      "<thead><tr><th scope=\"col\" class=\"number\">rank</th><th scope=\"col\">{}</th>"
      "<th scope=\"col\" class=\"number\">{}</th><th scope=\"col\">group</th>",
      html_text(ranking.row_axis), html_text(at));
  for (std::size_t i = 0; i < rows; ++i) {
    html += fmt::format(
        "<th scope=\"col\" class=\"odds\" title=\"{}\">{}<span class=\"sr-only\">: better than "
        "{}</span></th>",
        html_text(ranking.rows[i].name), i + 1, html_text(ranking.rows[i].name));
  }
  return html + "</tr></thead>\n";
}

std::string body_html(const Ranking& ranking, std::size_t rows) {
  std::vector<std::vector<bool>> is_told(rows, std::vector<bool>(rows, false));
  for (const RankedPair& pair : ranking.pairs) {
    if (pair.ahead < rows && pair.behind < rows)
      is_told[pair.ahead][pair.behind] = is_told[pair.behind][pair.ahead] = pair.is_told;
  }
  std::string html = "<tbody>\n";
  for (std::size_t i = 0; i < rows; ++i) {
    const RankedRow& row = ranking.rows[i];
    const std::string ranks =
        row.best == row.worst ? std::to_string(row.best) : fmt::format("{}\u2013{}", row.best, row.worst);
    html += fmt::format(
        "<tr><td class=\"number\">{}</td><th scope=\"row\"><span class=\"muted\">{}</span> "
        "<code>{}</code></th>"
        "<td class=\"number\">{}</td><td class=\"letters\">{}</td>",
        ranks, i + 1, html_text(row.name), html_text(row.cell.text()), letters_in_place(row.groups));
    for (std::size_t j = 0; j < rows; ++j) {
      if (i == j) {
        html += "<td class=\"odds\"></td>";
        continue;
      }
      const std::string text = odds_text(ranking.beats[i][j]);
      html += fmt::format("<td class=\"odds {}\">{}</td>", shade_of(ranking.beats[i][j]),
                          is_told[i][j] ? "<b>" + text + "</b>" : text);
    }
    html += "</tr>\n";
  }
  return html + "</tbody>";
}

std::string ranking_table(const Ranking& ranking) {
  const std::size_t rows = std::min(kMostRows, ranking.rows.size());
  std::string html = ranking.title.empty() ? "" : fmt::format("<h3>{}</h3>\n", html_text(ranking.title));
  const std::string at = ranking.target.empty() ? "" : " at " + ranking.target;
  html += fmt::format(
      "<p class=\"text small\">The number in row and column: the probability that the row is better than the "
      "column{}.{}</p>\n",
      html_text(at),
      rows < ranking.rows.size() ? fmt::format(" The first {} of {} rows.", rows, ranking.rows.size()) : "");
  html +=
      "<div class=\"scroll order-box\" tabindex=\"0\" role=\"region\" aria-label=\"Order and probabilities\">"
      "<table class=\"order\"><caption class=\"sr-only\">Order, and the probability that a row is better "
      "than a "
      "column</caption>" +
      head_html(ranking, rows) + body_html(ranking, rows) + "</table></div>\n";
  for (const std::string& warning : ranking.warnings)
    html += fmt::format("<p class=\"text small\">{}.</p>\n", html_text(warning));
  return html;
}

std::string section(const std::string& content) {
  return "<section id=\"order\" class=\"card\" aria-labelledby=\"order-title\">\n"
         "<h2 id=\"order-title\">Order</h2>\n" +
         content + "</section>\n";
}

}  // namespace

std::string ranking_html(const StudyResults& results,
                         const std::function<std::optional<double>(const std::string& data)>& chance) {
  if (results.runs.empty()) return {};
  std::vector<Ranking> rankings;
  try {
    rankings = rank_study(results, {"", "", chance});
  } catch (const InputError& error) {
    const std::vector<StudyTable> tables = make_tables(results);
    const bool is_one = std::all_of(tables.begin(), tables.end(),
                                    [](const StudyTable& table) { return table.rows.size() < 2; });
    return is_one ? ""
                  : section(fmt::format("<p class=\"text\">No order: {}.</p>\n", html_text(error.what())));
  }
  std::string html;
  std::size_t cells = 0, left_out = 0;
  for (const Ranking& ranking : rankings) {
    const std::size_t rows = std::min(kMostRows, ranking.rows.size());
    if (rows < 2) continue;
    cells += rows * rows;
    if (cells > kMostCells && cells > rows * rows) {
      ++left_out;
    } else {
      html += ranking_table(ranking);
    }
  }
  if (html.empty()) return {};
  if (left_out > 0)
    html += fmt::format("<p class=\"text small\">{} more tables: glidepath rank has them.</p>\n", left_out);
  return section(
      "<p class=\"text\">Rows that share a letter cannot be told apart: seed by seed, Student's paired t, "
      "corrected "
      "by Holm's method over all pairs, 95 %. Pairs that are told apart are bold. Blue: the row is the "
      "better one; orange: "
      "the column.</p>\n" +
      html);
}

}  // namespace glidepath
