// src/report/figures/gnuplot.h - the one place that runs gnuplot.
#pragma once
#include <string>
#include <vector>

#include "files/folder.h"

namespace glidepath {

/// The texts that a script shows. They stand in a data block, where nothing is program text whatever they
/// hold, and the script refers to them by number.
class GnuplotTexts {
 public:
  /// The expression that stands for the text.
  std::string add(const std::string& text);
  /// What has to precede their use.
  std::string block() const;

 private:
  std::vector<std::string> lines_;
};

/// Runs a gnuplot script that draws one picture and moves it to `name` in the folder when it is whole. The
/// picture's kind is the name's ending (svg, png or pdf); `width` and `height` are in units of 1/96 inch. The
/// script must not set terminal or output. gnuplot sees neither the user's settings nor more of the
/// environment than it needs. Throws InputError for another ending, RunError when gnuplot is missing or
/// complains.
void run_gnuplot(const std::string& script, const Folder& folder, const std::string& name, int width,
                 int height);

}  // namespace glidepath
