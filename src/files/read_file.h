// src/files/read_file.h - all of a file at once, or line by line.
#pragma once
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "files/read_failed.h"

namespace glidepath {

/// More than any text that we write has.
inline constexpr std::size_t kMostTextBytes = std::size_t{64} << 20;

/// False also of a path that cannot be looked up.
bool is_there(const std::filesystem::path& path);

/// Opens a regular file for reading, through links; of anything else (a pipe that nobody writes, a device
/// without an end) -1, and errno says why.
int open_regular(const std::filesystem::path& file);

/// All bytes of a regular file. Throws ReadFailed naming the file when it cannot be read, as a folder or a
/// pipe cannot, RunError when it has more than so many bytes.
std::string read_file(const std::filesystem::path& file, std::size_t most = kMostTextBytes);

/// Likewise, into a buffer that keeps its memory from one file to the next.
void read_file(const std::string& file, std::vector<unsigned char>& buffer, std::size_t most);

/// Likewise; nothing when it cannot be read.
std::optional<std::string> try_read_file(const std::filesystem::path& file,
                                         std::size_t most = kMostTextBytes);

/// A text that the user names: pipes too, as --config <(...) gives one.
std::optional<std::string> try_read_given_file(const std::filesystem::path& file,
                                               std::size_t most = kMostTextBytes);

/// A short text in a folder that others may write to, such as /tmp: of a regular file that this user owns,
/// links not followed. Empty otherwise.
std::string text_of_own_file(const std::filesystem::path& file);

/// The lines of a regular file that others may be writing; none where it cannot be read.
class LineFile {
 public:
  explicit LineFile(const std::filesystem::path& file);
  ~LineFile();
  LineFile(const LineFile&) = delete;
  LineFile& operator=(const LineFile&) = delete;
  /// The next one, without its end. False after the last. A line of more than a megabyte is left out, and so
  /// is what lies behind a gigabyte.
  bool next(std::string& line);

 private:
  bool fill();

  int descriptor_;
  std::string buffer_;
  std::size_t at_ = 0;
  std::uint64_t read_ = 0;
};

/// The first or last bytes of a regular file; none where it cannot be read.
std::string head_of(const std::filesystem::path& file, std::size_t bytes);
std::string tail_of(const std::filesystem::path& file, std::size_t bytes);

}  // namespace glidepath
