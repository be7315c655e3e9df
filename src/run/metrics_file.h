// src/run/metrics_file.h - metrics.jsonl: lines that are kept until the disk has taken them.
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>

namespace glidepath {

/// The whole text is kept in memory (some hundred bytes a line, a hundred lines or one an epoch), so that a
/// line the disk refused is written later, and a file that was removed is written again.
class MetricsFile {
 public:
  MetricsFile() = default;
  /// Reads the first `bytes` of the file; what follows is cut off at the next write. `size()` is smaller
  /// than `bytes` where the file is shorter. Throws nothing: a file that cannot be read counts as empty.
  MetricsFile(std::filesystem::path file, std::uint64_t bytes);

  /// Adds a line, in memory.
  void append(const std::string& line) { text_ += line + "\n"; }
  /// Cuts the text to its first `bytes`, in memory.
  void cut(std::uint64_t bytes);
  /// Makes the file equal to the text. Throws RunError when the disk refuses; the file then ends in a whole
  /// line.
  void write();
  /// The same, and flushed to the disk.
  void flush();
  /// Goes on in another file, which gets the whole text.
  void move_to(std::filesystem::path file);

  std::uint64_t size() const { return text_.size(); }

 private:
  void write_out(bool flush);

  std::filesystem::path file_;
  std::string text_;
  std::uint64_t written_ = 0;  // bytes of text_ that the file holds
};

}  // namespace glidepath
