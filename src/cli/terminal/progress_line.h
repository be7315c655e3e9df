// src/cli/terminal/progress_line.h - one live line on a terminal, on standard error; nothing when it is not a
// terminal.
#pragma once
#include <string>
#include <vector>

namespace glidepath::cli {

/// 42 s, 7 min 05 s, 3 h 12 min.
std::string spoken_duration(double seconds);

/// True where colour may be used on this file descriptor: a terminal, and NO_COLOR is not set.
bool wants_colour(int descriptor);

class ProgressLine {
 public:
  /// `enabled` false: show() does nothing and print_above() prints plain lines.
  explicit ProgressLine(bool enabled);
  ~ProgressLine() { clear(); }
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  /// True where show() draws.
  bool is_live() const { return live_; }
  /// Draws a bar for `progress` in [0, 1] and behind it those of the fields that the terminal is wide enough
  /// for.
  void show(double progress, const std::vector<std::string>& fields);
  /// Prints a line of its own that stays, above the live one.
  void print_above(const std::string& line);
  void clear();

 private:
  bool live_;
  bool drawn_ = false;
};

}  // namespace glidepath::cli
