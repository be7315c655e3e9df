// src/cli/terminal/live_block.h - lines at the bottom of a terminal that are drawn again and again.
#pragma once
#include <cstddef>
#include <cstdio>
#include <string>
#include <vector>

namespace glidepath::cli {

class LiveBlock {
 public:
  /// `enabled` false: show() does nothing.
  LiveBlock(std::FILE* stream, bool enabled) : stream_(stream), enabled_(enabled) {}
  ~LiveBlock() { clear(); }
  LiveBlock(const LiveBlock&) = delete;
  LiveBlock& operator=(const LiveBlock&) = delete;
  void show(const std::vector<std::string>& lines);
  void clear();
  /// Characters that a line may have: one less than the terminal's, so that none wraps.
  std::size_t width() const;

 private:
  std::FILE* stream_;
  bool enabled_;
  std::size_t drawn_ = 0;
};

}  // namespace glidepath::cli
