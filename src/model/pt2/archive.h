// src/model/pt2/archive.h - zip archives whose entries lie in them as they are, which is how PyTorch writes
// them.
#pragma once
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

namespace glidepath::pt2 {

/// Entries of method 0 alone: what is read has the size that the file has for it, so that no archive is
/// larger than it looks. Source: APPNOTE.TXT of PKWARE, 4.3 (zip64 too).
class Archive {
 public:
  /// Reads the directory. Throws InputError naming the file: missing, no zip archive, cut off, or with
  /// entries that are not where the directory says.
  explicit Archive(const std::filesystem::path& file);

  const std::filesystem::path& file() const { return file_; }
  std::vector<std::string> names() const;
  bool has(const std::string& name) const { return entries_.count(name) > 0; }
  /// The bytes of an entry, which are no more than the file's. Throws InputError where there is none, or it
  /// is compressed, encrypted or not where the directory says.
  std::uint64_t size(const std::string& name) const;
  /// All of it to `to`, which has size(name) bytes. Throws InputError likewise, and for another checksum.
  void read(const std::string& name, void* to) const;
  std::string text(const std::string& name) const;

  /// Throws InputError: the file, `what`, and that it is no whole program.
  [[noreturn]] void refuse(const std::string& what) const;

 private:
  struct Entry {
    std::uint64_t bytes = 0, packed = 0, header = 0;
    std::uint32_t checksum = 0;
    unsigned method = 0, flags = 0;
  };
  struct Directory {
    std::uint64_t begin = 0, bytes = 0, entries = 0;
  };

  const Entry& entry(const std::string& name) const;
  std::string bytes_at(std::uint64_t offset, std::uint64_t bytes) const;
  Directory find_directory() const;
  void read_directory();
  /// Where the bytes of an entry begin.
  std::uint64_t begin_of(const std::string& name, const Entry& entry) const;

  std::filesystem::path file_;
  mutable std::ifstream stream_;
  std::uint64_t file_bytes_ = 0;
  std::uint64_t entries_end_ = 0;  // where the directory begins
  std::map<std::string, Entry> entries_;
};

}  // namespace glidepath::pt2
