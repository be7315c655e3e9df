// src/files/checksum.h - MD5, SHA-256 and SHA-512 of bytes that come in pieces, and of files.
#pragma once
#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

namespace glidepath {

class Hasher {
 public:
  /// The algorithm of a checksum in text: "sha256:..." or "sha256".
  explicit Hasher(const std::string& checksum);
  ~Hasher();
  Hasher(Hasher&&) noexcept;
  void add(const void* data, std::size_t bytes);
  /// "sha256:HEX"; once.
  std::string finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// 64 hexadecimal digits; nothing for what is no regular file or cannot be read.
std::optional<std::string> try_sha256_of(const std::filesystem::path& file);

}  // namespace glidepath
