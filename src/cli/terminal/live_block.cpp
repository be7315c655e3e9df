// src/cli/terminal/live_block.cpp - lines at the bottom of a terminal that are drawn again and again.
#include "cli/terminal/live_block.h"

#include <sys/ioctl.h>

namespace glidepath::cli {

void LiveBlock::show(const std::vector<std::string>& lines) {
  if (!enabled_) return;
  clear();
  for (const std::string& line : lines) std::fprintf(stream_, "%s\n", line.c_str());
  drawn_ = lines.size();
  std::fflush(stream_);
}

void LiveBlock::clear() {
  if (drawn_ > 0) std::fprintf(stream_, "\x1b[%zuA\x1b[J", drawn_);
  drawn_ = 0;
}

std::size_t LiveBlock::width() const {
  winsize size{};
  return ::ioctl(::fileno(stream_), TIOCGWINSZ, &size) == 0 && size.ws_col > 1 ? size.ws_col - 1u : 79;
}

}  // namespace glidepath::cli
