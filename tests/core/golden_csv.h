// tests/core/golden_csv.h - rows of the golden files, and of tables in Markdown.
#pragma once
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace glidepath {

/// One line as csv writes it: a field may hold commas inside quotes.
inline std::vector<std::string> split_csv(const std::string& line) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (const char c : line) {
    if (c == '"') {
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      fields.emplace_back();
    } else {
      fields.back() += c;
    }
  }
  return fields;
}

/// The rows of a csv file without its header. Throws when the file cannot be read, so that no test passes on
/// nothing.
inline std::vector<std::vector<std::string>> read_csv(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  if (!std::getline(file, line)) throw std::runtime_error(path + ": cannot be read");
  std::vector<std::vector<std::string>> rows;
  while (std::getline(file, line)) rows.push_back(split_csv(line));
  return rows;
}

}  // namespace glidepath
