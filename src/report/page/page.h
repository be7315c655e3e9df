// src/report/page/page.h - the pieces that the report's page and the live page share.
#pragma once
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "glidepath/table.h"

namespace glidepath {

/// The files of src/report/assets and the chart library, as the program carries them.
std::string_view asset(const std::string& name);

/// JSON text that can stand inside a <script> element: it holds no `<`, and no line separator that old
/// JavaScript cannot bear.
std::string escape_json_for_script(const std::string& json);

/// `page` with each {{name}} replaced by its value; a value's own braces are left as they are.
/// Throws std::out_of_range for a name that has no value.
std::string fill_template(std::string_view page, const std::map<std::string, std::string_view>& values);

/// The table as an HTML <table> with a caption and scopes; best cells in <strong>.
std::string render_html_table(const StudyTable& table, const std::string& caption);

}  // namespace glidepath
