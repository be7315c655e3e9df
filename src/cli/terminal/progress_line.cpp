// src/cli/terminal/progress_line.cpp - one live line on a terminal.
#include "cli/terminal/progress_line.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <sys/ioctl.h>
#include <unistd.h>

#include <fmt/format.h>

#include "core/safe_text.h"
#include "core/words.h"

namespace glidepath::cli {
namespace {

std::size_t terminal_width() {
  winsize size{};
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

// Eighths of a character cell, so that a short bar still moves visibly.
std::string bar(double progress, int cells) {
  static const char* const kEighths[] = {" ", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  const int eighths = static_cast<int>(std::lround(std::clamp(progress, 0.0, 1.0) * cells * 8));
  std::string text;
  for (int cell = 0; cell < cells; ++cell) {
    const int filled = std::clamp(eighths - cell * 8, 0, 8);
    text += filled == 8 ? "█" : kEighths[filled];
  }
  return text;
}

}  // namespace

std::string spoken_duration(double seconds) {
  constexpr double kLongest = 876'600 * 3600.0;  // 100 years
  if (seconds > kLongest) return "more than 100 years";
  const auto whole = static_cast<long long>(std::llround(std::max(0.0, seconds)));
  if (whole < 10) return fmt::format("{:.1f} s", std::max(0.0, seconds));
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  return fmt::format("{} h {:02} min", whole / 3600, whole % 3600 / 60);
}

bool wants_colour(int descriptor) {
  const char* no_color = std::getenv("NO_COLOR");
  return isatty(descriptor) != 0 && (no_color == nullptr || *no_color == '\0');
}

ProgressLine::ProgressLine(bool enabled) : live_(enabled && isatty(STDERR_FILENO) != 0) {}

void ProgressLine::show(double progress, const std::vector<std::string>& fields) {
  if (!live_) return;
  const std::size_t width = terminal_width();
  const std::size_t cells = width < 100 ? 10 : 20;
  const std::size_t room = width > cells + 9 ? width - cells - 9 : 0;
  const bool colour = wants_colour(STDERR_FILENO);
  std::vector<std::string> pieces;
  for (const std::string& field : fields)
    pieces.push_back((pieces.empty() ? "" : "  ") + terminal_text(field));
  std::fprintf(stderr, "\r\033[K%s%s%s %3.0f %% %s", colour ? "\033[36m" : "",
               bar(progress, static_cast<int>(cells)).c_str(), colour ? "\033[0m" : "",
               100 * std::clamp(progress, 0.0, 1.0), words::fitting(pieces, room).c_str());
  std::fflush(stderr);
  drawn_ = true;
}

void ProgressLine::print_above(const std::string& line) {
  clear();
  std::fprintf(stderr, "%s\n", terminal_text(line).c_str());
}

void ProgressLine::clear() {
  if (drawn_) std::fputs("\r\033[K", stderr);
  drawn_ = false;
}

}  // namespace glidepath::cli
