// src/core/csv.h - comma-separated values, as RFC 4180 and everyone's exports have them.
#pragma once
#include <cstddef>
#include <string>
#include <vector>

namespace glidepath {

struct CsvRow {
  std::size_t line = 0;  ///< where it begins, the first being 1
  std::vector<std::string> fields;
};

/// All rows that are not empty; quoted fields may hold commas, line ends and "" for a quote, others lose the
/// spaces around them. A byte order mark is skipped. Throws InputError that begins with `name` and the line
/// for a quote that is not closed or has text behind it.
std::vector<CsvRow> parse_csv(const std::string& text, const std::string& name);

}  // namespace glidepath
