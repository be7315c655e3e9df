// tests/support/markdown.h - tables and code blocks of a page of the documentation.
#pragma once
#include <fstream>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace glidepath {

/// Throws when the file cannot be read, so that no test passes on nothing.
inline std::vector<std::string> lines_of(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error(path + ": cannot be read");
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

/// A cell without the backquotes around it.
inline std::string unquoted(const std::string& cell) {
  return cell.size() >= 2 && cell.front() == '`' && cell.back() == '`' ? cell.substr(1, cell.size() - 2)
                                                                       : cell;
}

class Markdown {
 public:
  explicit Markdown(std::string path) : path_(std::move(path)), lines_(lines_of(path_)) {}

  /// The rows of the one table that has this column, each by column. Throws when there is none.
  std::vector<std::map<std::string, std::string>> table(const std::string& column) const {
    std::vector<std::map<std::string, std::string>> rows;
    std::vector<std::string> header;
    for (const std::string& line : lines_) {
      if (line.empty() || line.front() != '|') {
        if (!rows.empty()) break;
        header.clear();
      } else if (header.empty()) {
        header = cells(line);
        bool found = false;
        for (const std::string& name : header) found = found || name == column;
        if (!found) header = {"another table"};
      } else if (header.size() > 1 && line.rfind("|--", 0) != 0) {
        const auto values = cells(line);
        if (values.size() != header.size()) throw std::runtime_error(path_ + ": " + line + ": other columns");
        auto& row = rows.emplace_back();
        for (std::size_t i = 0; i < header.size(); ++i) row[header[i]] = values[i];
      }
    }
    if (rows.empty()) throw std::runtime_error(path_ + ": no table has the column " + column);
    return rows;
  }

  /// The lines of every ```language block.
  std::vector<std::vector<std::string>> blocks(const std::string& language) const {
    std::vector<std::vector<std::string>> found;
    bool inside = false, wanted = false;
    for (const std::string& line : lines_) {
      if (line.rfind("```", 0) == 0) {
        wanted = !inside && line == "```" + language;
        inside = !inside;
        if (wanted) found.emplace_back();
      } else if (inside && wanted) {
        found.back().push_back(line);
      }
    }
    return found;
  }

 private:
  static std::vector<std::string> cells(const std::string& line) {
    std::vector<std::string> list;
    for (std::size_t begin = 1; begin < line.size();) {
      const std::size_t end = line.find('|', begin);
      if (end == std::string::npos) break;
      const std::string cell = line.substr(begin, end - begin);
      const auto first = cell.find_first_not_of(' '), last = cell.find_last_not_of(' ');
      list.push_back(first == std::string::npos ? "" : cell.substr(first, last - first + 1));
      begin = end + 1;
    }
    return list;
  }

  std::string path_;
  std::vector<std::string> lines_;
};

}  // namespace glidepath
