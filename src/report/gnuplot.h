// src/report/gnuplot.h - the one place that runs gnuplot.
#pragma once
#include <filesystem>
#include <string>

namespace glidepath {

/// Runs a gnuplot script that draws one picture and moves it to `file` when it is whole. The picture's kind
/// is the file's ending (svg or png); `width` and `height` are in points. The script must not set terminal or
/// output. Throws InputError for another ending, RunError when gnuplot is missing or complains.
void run_gnuplot(const std::string& script, const std::filesystem::path& file, int width, int height);

/// A text as a gnuplot string literal, with nothing in it left to interpret.
std::string gnuplot_text(const std::string& text);

}  // namespace glidepath
