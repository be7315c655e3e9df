// src/run/tensorboard.h - scalars in a file that TensorBoard reads.
#pragma once
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "files/folder.h"

namespace glidepath {

/// Writes one events file: TFRecord frames (length, data, a masked CRC-32C of each), each frame an Event
/// message of protocol buffers. Records reach the file at flush() and at the end at the latest; a file cut
/// off by a crash is read up to its last whole record. Source  tensorflow/core/lib/io/record_writer.h and
/// tensorflow/core/util/event.proto, by their formats.
class TensorBoardWriter {
 public:
  /// Makes a new file in the folder; other runs' files stay. The name begins with the time, as TensorBoard
  /// reads the files of a folder in the order of their names.
  /// Throws RunError naming the file when it cannot be made.
  explicit TensorBoardWriter(const Folder& folder);

  /// One point of the curve `tag` ("train/loss": before the slash is the group it is shown in).
  ///
  /// step               updates done, >= 0.
  /// value              kept as float; NaN and infinities are kept too, TensorBoard marks them.
  /// wall_time_seconds  since 1970, UTC.
  /// Throws RunError when the disk refuses.
  void scalar(const std::string& tag, std::int64_t step, double value, double wall_time_seconds);

  /// Says that the run goes on from a checkpoint at `step`: TensorBoard then forgets what earlier files of
  /// the folder have from `step` on, so that no curve runs twice over the same part.
  void resumed_at(std::int64_t step, double wall_time_seconds);

  /// Hands everything to the system. Throws RunError when the disk refuses.
  void flush();

  const std::filesystem::path& file() const { return path_; }

 private:
  void write_record(const std::string& event);
  [[noreturn]] void fail() const;

  struct Closer {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  std::filesystem::path path_;
  std::unique_ptr<std::FILE, Closer> file_;
};

/// CRC-32C (Castagnoli) of `data`, as RFC 3720 section 12.1 defines it.
std::uint32_t crc32c(std::string_view data);

}  // namespace glidepath
