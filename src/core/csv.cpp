// src/core/csv.cpp - comma-separated values, as RFC 4180 and everyone's exports have them.
#include "core/csv.h"

#include <algorithm>
#include <string_view>

#include <fmt/format.h>

#include "core/safe_text.h"
#include "core/words.h"
#include "glidepath/error.h"

namespace glidepath {
namespace {

class CsvReader {
 public:
  CsvReader(const std::string& text, const std::string& name) : text_(text), name_(terminal_text(name)) {
    if (text_.compare(0, 3, "\xEF\xBB\xBF") == 0) place_ = 3;
  }

  std::vector<CsvRow> read() {
    std::vector<CsvRow> rows;
    while (place_ < text_.size()) {
      CsvRow row{line_, {}};
      while (read_field(row)) {
      }
      if (row.fields.size() > 1 || !row.fields.front().empty()) rows.push_back(std::move(row));
    }
    return rows;
  }

 private:
  /// False at the end of the row.
  bool read_field(CsvRow& row) {
    const std::size_t first = text_.find_first_not_of(" \t", place_);
    if (first != std::string::npos && text_[first] == '"') {
      place_ = first + 1;
      row.fields.push_back(quoted());
    } else {
      const std::size_t end = std::min(text_.find_first_of(",\r\n", place_), text_.size());
      row.fields.emplace_back(words::trim(std::string_view(text_).substr(place_, end - place_)));
      place_ = end;
    }
    return next_field();
  }

  std::string quoted() {
    const std::size_t begins = line_;
    std::string field;
    for (; place_ < text_.size(); ++place_) {
      if (text_[place_] == '\n') ++line_;
      if (text_[place_] == '"') {
        if (place_ + 1 == text_.size() || text_[place_ + 1] != '"') {
          ++place_;
          return field;
        }
        ++place_;
      }
      field += text_[place_];
    }
    throw InputError(fmt::format("{}:{}: a quote begins here and does not end", name_, begins));
  }

  bool next_field() {
    while (place_ < text_.size() && (text_[place_] == ' ' || text_[place_] == '\t')) ++place_;
    if (place_ == text_.size()) return false;
    const char c = text_[place_++];
    if (c == ',') return true;
    if (c == '\r' && place_ < text_.size() && text_[place_] == '\n') ++place_;
    if (c != '\r' && c != '\n')
      throw InputError(fmt::format("{}:{}: text behind a closing quote", name_, line_));
    ++line_;
    return false;
  }

  const std::string& text_;
  std::string name_;
  std::size_t place_ = 0, line_ = 1;
};

}  // namespace

std::vector<CsvRow> parse_csv(const std::string& text, const std::string& name) {
  return CsvReader(text, name).read();
}

}  // namespace glidepath
