// src/report/figures/figures.cpp - figures by their names.
#include "report/figures/figures.h"

#include <map>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "glidepath/error.h"

namespace glidepath {

Figure make_figure(const std::string& id, const StudyData& data) {
  static const std::map<std::string, Figure (*)(const StudyData&)> makers = {
      {"1", make_figure1},  {"2", make_figure2},
      {"3", make_figure3},  {"4", make_figure4},
      {"5", make_figure5},  {"A", make_figure_a},
      {"B", make_figure_b}, {"C", make_figure_c},
      {"D", make_figure_d}, {"estimate", make_figure_estimate},
  };
  const auto maker = makers.find(id);
  if (maker == makers.end()) {
    throw InputError(fmt::format("figure \"{}\": must be one of {}", id, fmt::join(figure_ids(), ", ")));
  }
  return maker->second(data);
}

std::string figure_file_name(const std::string& id) { return id.size() == 1 ? "fig" + id : id; }

}  // namespace glidepath
