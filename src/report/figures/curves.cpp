// src/report/figures/curves.cpp - a run's curves as columns, thinned for a page.
#include "report/figures/curves.h"

#include <algorithm>
#include <cmath>
#include <set>

namespace glidepath {
namespace {

CurveTable& table_of(std::vector<CurveTable>& tables, const std::string& kind) {
  for (CurveTable& table : tables) {
    if (table.kind == kind) return table;
  }
  tables.push_back(
      {kind, {"step", "progress", "loss", "accuracy", "lr"}, std::vector<std::vector<double>>(5)});
  return tables.back();
}

void drop_empty_columns(CurveTable& table) {
  for (std::size_t column = table.columns.size(); column-- > 2;) {
    const std::vector<double>& values = table.values[column];
    if (!std::all_of(values.begin(), values.end(), [](double value) { return std::isnan(value); })) continue;
    table.columns.erase(table.columns.begin() + static_cast<std::ptrdiff_t>(column));
    table.values.erase(table.values.begin() + static_cast<std::ptrdiff_t>(column));
  }
}

}  // namespace

std::vector<CurveTable> curve_tables(const std::vector<CurvePoint>& points) {
  std::vector<CurveTable> tables;
  for (const CurvePoint& point : points) {
    CurveTable& table = table_of(tables, point.kind);
    const double row[] = {static_cast<double>(point.step), point.progress, point.loss, point.accuracy,
                          point.lr};
    for (std::size_t column = 0; column < table.values.size(); ++column) {
      table.values[column].push_back(row[column]);
    }
  }
  for (CurveTable& table : tables) drop_empty_columns(table);
  return tables;
}

CurveTable measure_table(const std::vector<MeasurePoint>& points) {
  CurveTable table{"measure", {"step", "progress"}, std::vector<std::vector<double>>(2)};
  for (const MeasurePoint& point : points) {
    const auto step = static_cast<double>(point.step);
    if (table.points() == 0 || table.values[0].back() != step) {  // those of one moment follow each other
      for (std::vector<double>& column : table.values) column.push_back(NAN);
      table.values[0].back() = step;
      table.values[1].back() = point.progress;
    }
    const auto name = std::find(table.columns.begin(), table.columns.end(), point.name);
    const auto place = static_cast<std::size_t>(name - table.columns.begin());
    if (name == table.columns.end()) {
      table.columns.push_back(point.name);
      table.values.emplace_back(table.points(), NAN);
    }
    table.values[place].back() = point.value;
  }
  return table;
}

CurveTable thinned(const CurveTable& table, std::size_t limit) {
  const std::size_t count = table.points();
  if (count <= limit || table.values.size() < 3) return table;
  const std::vector<double>& guide = table.values[2];
  const auto below = [&](std::size_t a, std::size_t b) { return guide[a] < guide[b]; };
  std::set<std::size_t> kept{0, count - 1};
  const std::size_t stretches = (limit - 2) / 2;
  for (std::size_t stretch = 0; stretch < stretches; ++stretch) {
    std::vector<std::size_t> inside;
    for (std::size_t i = 1 + stretch * (count - 2) / stretches;
         i < 1 + (stretch + 1) * (count - 2) / stretches; ++i) {
      if (!std::isnan(guide[i])) inside.push_back(i);
    }
    if (inside.empty()) continue;
    kept.insert(*std::min_element(inside.begin(), inside.end(), below));
    kept.insert(*std::max_element(inside.begin(), inside.end(), below));
  }
  CurveTable fewer{table.kind, table.columns, std::vector<std::vector<double>>(table.columns.size())};
  for (const std::size_t point : kept) {
    for (std::size_t column = 0; column < table.values.size(); ++column) {
      fewer.values[column].push_back(table.values[column][point]);
    }
  }
  return fewer;
}

}  // namespace glidepath
