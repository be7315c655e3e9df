// fuzz/csv.cpp - CSV of anyone: any text is refused, or its fields are read back from a file that quotes
// them.
#include "core/csv.h"

#include "harness.h"

using namespace glidepath;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text = fuzz::text_of(data, size);
  std::vector<CsvRow> rows;
  if (!fuzz::accepts([&] { rows = parse_csv(text, "fuzz"); })) return 0;
  std::string quoted;
  for (const CsvRow& row : rows) {
    for (const std::string& field : row.fields) {
      quoted += &field == &row.fields.front() ? "\"" : ",\"";
      for (const char c : field) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
      quoted += '"';
    }
    quoted += '\n';
  }
  const std::vector<CsvRow> again = parse_csv(quoted, "fuzz");
  fuzz::require(again.size() == rows.size(), "a quoted file has as many rows");
  for (std::size_t i = 0; i < rows.size(); ++i)
    fuzz::require(again[i].fields == rows[i].fields, "quoted fields are the same");
  return 0;
}
